package devicebound_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessiontest"
)

func Example() {
	sessions, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()

	binder, err := devicebound.New(sessions, devicebound.Options{Policy: devicebound.Enforce})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("POST /login", sessions.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ada") // whose password was checked
	}))
	mux.Handle("/", sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		fmt.Fprintf(w, "user %q, %v", s.User(), devicebound.StateOf(s))
	}))
	site := binder.Middleware(mux)

	// What a browser does by itself, and a thief who has copied its cookies cannot.
	browser := sessiontest.NewBrowser(&testing.T{}, sessions.Now, site)
	browser.Post("/login")
	thief := browser.Copy()
	for _, b := range []*sessiontest.Browser{browser, thief} {
		b.SetCookie("__Host-bound", "") // ten minutes later
		text, _ := io.ReadAll(b.Get("/").Body)
		fmt.Println(string(text))
	}
	// Output:
	// user "ada", bound
	// user "", none
}

// A payment wants the key at the time that it is made, and a session that has one.
func ExampleBinder_Prove() {
	sessions, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	binder, err := devicebound.New(sessions, devicebound.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	pay := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "paid") })
	site := binder.Middleware(binder.Require(binder.Prove(0)(pay)))

	w := httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "https://app.example.com/pay", nil))
	fmt.Print(w.Code, " ", w.Body)
	// Output: 401 {"detail":"Please sign in first.","status":401,"title":"Unauthorized"}
}
