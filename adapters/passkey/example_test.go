package passkey_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/passkey"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// People add a passkey shortly after they signed in, sign in with it, and show it again before they pay.
func Example() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	g, err := guard.New(sessions, guard.Options{LoginPage: "/login", ConfirmPage: "/confirm"})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := passkey.New(sessions, newAccounts("ada"), passkey.Options{Origins: []string{"https://example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	pay := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "paid") })

	mux := http.NewServeMux()
	mux.Handle("POST /passkey/register/", g.Fresh(10*time.Minute)(p.Register()))
	mux.Handle("POST /passkey/sign-in/", p.SignIn())
	mux.Handle("POST /passkey/confirm/", p.Confirm())
	mux.Handle("GET /passkey.js", p.Script())
	mux.Handle("POST /pay", g.Fresh(time.Minute, passkey.FactorVerified)(pay))
	site := g.CSRF(mux)

	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/passkey.js", nil)
	site.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/javascript; charset=utf-8
}

// An origin without its scheme is one that browsers never answer for.
func ExampleNew() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sessions.Close()
	_, err = passkey.New(sessions, newAccounts(), passkey.Options{Origins: []string{"example.com"}})
	fmt.Println(err)
	// Output: passkey: Options.Origins begins with the site's own, such as "https://example.com"
}
