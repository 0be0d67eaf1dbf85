// A log of who signs in and out, in the form in which security teams collect such logs: lines of JSON by the Open
// Cybersecurity Schema Framework (OCSF), class Authentication.
//
//	go run ./examples/audit-log
package main

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// errPassword is why somebody is not signed in. What was typed is in no line.
var errPassword = errors.New("the name or the password is wrong")

// passwords are those of the shop, which a program that is no example keeps hashed.
var passwords = map[string]string{"ada": "lovelace", "grace": "hopper"}

// app is a site whose sign-ins are written down. What ends a session is an event, whatever does it.
func app(sessions *session.Manager, a audit) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /login", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		user, err := signIn(r, s)
		a.signIn(r.Context(), s, user, sessions.ClientIP(r), err)
		if err != nil {
			http.Error(w, "Please check your name and password.", http.StatusForbidden)
			return
		}
		fmt.Fprintln(w, "Welcome.")
	}))
	mux.Handle("POST /logout", sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Logout()
		fmt.Fprintln(w, "Bye.")
	}))
	return g.CSRF(mux), nil // or another site could sign visitors in as somebody else
}

// signIn returns the user, "" if there is none of that name. The session is saved here, so that no line speaks of a
// sign-in that a store lost.
func signIn(r *http.Request, s *session.Session) (user string, err error) {
	user, typed := r.PostFormValue("user"), r.PostFormValue("password")
	right, known := passwords[user]
	switch {
	case !known:
		return "", errPassword
	case typed != right:
		return user, errPassword
	}
	if err := s.TryLogin(user); err != nil {
		return user, err
	}
	return user, s.Save(r.Context())
}

func main() {
	a := newAudit(os.Stdout)
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		Cookie:  session.Cookie{Insecure: true}, // only because this program speaks plain HTTP
		OnEvent: a.event,
	})
	if err != nil {
		log.Fatal(err)
	}
	site, err := app(sessions, a)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", site))
}
