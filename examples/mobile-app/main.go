// The server of a mobile app: the ticket travels in a header, and the app keeps it where it keeps secrets. No browser
// sends that header by itself, so there is no cross-site request forgery.
//
//	go run ./examples/mobile-app
//	curl -i -d '{"user":"ada","password":"correct horse"}' http://127.0.0.1:8080/login
//	curl -H 'X-Session: Bearer v1.…' http://127.0.0.1:8080/me
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"strings"
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

// credentials are what the app sends to sign in.
type credentials struct{ User, Password string }

// credentialsOf reads them. SignIn and the handler both call it, so they see the same account.
func credentialsOf(r *http.Request) (in credentials, err error) {
	err = json.NewDecoder(r.Body).Decode(&in)
	in.User = strings.ToLower(in.User)
	return in, err
}

// passwordIsRight is where a real program looks the user up.
func passwordIsRight(user, password string) bool { return user == "ada" && password == "correct horse" }

// login signs in, with the ticket in X-Session.
func login(w http.ResponseWriter, r *http.Request, s *session.Session) {
	in, err := credentialsOf(r)
	if err != nil {
		http.Error(w, "Send a JSON object with user and password.", http.StatusBadRequest)
		return
	}
	if !passwordIsRight(in.User, in.Password) || s.TryLogin(in.User) != nil {
		http.Error(w, "That name and password do not match.", http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// app is the API.
func app(sessions *session.Manager) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	signIn := g.SignIn(func(r *http.Request) string {
		in, _ := credentialsOf(r) // the handler answers what is wrong
		return in.User
	})
	mux.Handle("POST /login", http.MaxBytesHandler(signIn(sessions.HandlerFunc(login)), 4096))
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
