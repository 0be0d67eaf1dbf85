package nullstore_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/nullstore"
)

func ExampleNew() {
	manager, err := session.New(nullstore.New(), session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		log.Fatal(err)
	}
	defer manager.Close()

	handler := manager.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("greeting", "hello")
		fmt.Fprintln(w, s.Get("greeting"))
	})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://example.com/", nil))
	fmt.Printf("%s%d cookies", w.Body, len(w.Result().Cookies()))
	// Output:
	// hello
	// 0 cookies
}
