// The server of a mobile app: the ticket travels in a header, and the app keeps it where it keeps secrets. No cookies,
// and so no cross-site request forgery.
//
//	go run ./examples/mobile-app
//	curl -i -d '{"user":"ada"}' http://127.0.0.1:8080/login
//	curl -H 'X-Session: Bearer v1.…' http://127.0.0.1:8080/me
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// options are those of an app: people stay signed in for long, and a ticket that was copied is noticed.
func options(o *session.Options) {
	o.Transport = session.Header("X-Session")
	o.IdleTimeout = 90 * 24 * time.Hour
	o.Lifetime = session.Never
	o.RenewEvery = 24 * time.Hour // the response has the new ticket; the app keeps it
}

const color = session.Key[string]("color")

// app is the API.
func app(sessions *session.Manager) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /login", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		var in struct{ User string }
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&in); err != nil {
			http.Error(w, "Send a JSON object with user and password.", http.StatusBadRequest)
			return
		}
		if err := s.TryLogin(in.User); err != nil { // here the password is checked
			http.Error(w, "That is not a name.", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent) // with the ticket in X-Session
	}))
	mux.Handle("GET /me", g.User(sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		w.Header().Set("Content-Type", "application/json")
		// the client is gone
		_ = json.NewEncoder(w).Encode(map[string]string{"user": s.User(), "color": color.Or(s, "blue")})
	})))
	mux.Handle("PUT /me/color/{color}",
		g.User(sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			color.Set(s, r.PathValue("color"))
			w.WriteHeader(http.StatusNoContent)
		})))
	mux.Handle("POST /logout", sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Logout()
		w.WriteHeader(http.StatusNoContent) // with an empty X-Session
	}))
	return mux, nil
}

func main() {
	opts := session.Options{Secrets: []session.Secret{session.NewSecret()}}
	options(&opts)
	sessions, err := session.New(memstore.New(memstore.Options{}), opts)
	if err != nil {
		log.Fatal(err)
	}
	api, err := app(sessions)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", api))
}
