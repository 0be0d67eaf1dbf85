// An API that each user may call ten times a minute, from all devices together.
//
//	go run ./examples/rate-limit
package main

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// app is the API. Users are counted in the store.
func app(sessions *session.Manager, counts session.Store) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	perMinute := guard.Limit{Name: "api", Requests: 10, Per: time.Minute, Users: counts}
	if err := perMinute.Check(); err != nil { // a store that forgets keeps no limit
		return nil, err
	}
	limit := g.Rate(perMinute)
	mux := http.NewServeMux()
	mux.Handle("POST /login", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if err := s.TryLogin(r.PostFormValue("user")); err != nil { // here the password is checked
			http.Error(w, "That is not a name.", http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, "Welcome.")
	}))
	// User stands outside: Rate does not count who has no session.
	mux.Handle("GET /api/time", g.User(limit(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, "{\"time\":%q}\n", time.Now().UTC().Format(time.RFC3339))
	}))))
	return g.CSRF(mux), nil
}

func main() {
	store := memstore.New(memstore.Options{})
	sessions, err := session.New(store, session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		Cookie:  session.Cookie{Insecure: true}, // only because this program speaks plain HTTP
	})
	if err != nil {
		log.Fatal(err)
	}
	api, err := app(sessions, store)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", api))
}
