package gorillastore_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
	"github.com/coatcheck/session/memstore"
)

func Example() {
	manager, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()

	// This line was sessions.NewCookieStore(key).
	store, err := gorillastore.New(manager, gorillastore.Options{User: func(values map[any]any) string {
		user, _ := values["user"].(string)
		return user
	}})
	if err != nil {
		fmt.Println(err)
		return
	}

	login := func(w http.ResponseWriter, r *http.Request) {
		s, _ := store.Get(r, "app")
		s.Values["user"] = "ada"
		if err := s.Save(r, w); err != nil {
			http.Error(w, "Please try again.", http.StatusServiceUnavailable)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/login", nil)
	login(httptest.NewRecorder(), r)
	n, err := manager.RevokeUser(r.Context(), "ada")
	fmt.Println(n, err)
	// Output: 1 <nil>
}
