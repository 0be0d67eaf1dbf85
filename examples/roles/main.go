// Roles: some pages are for editors, some for administrators, and a change holds at once on all devices.
//
//	go run ./examples/roles
package main

import (
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// people are the users and their roles; a database in real life.
type people struct {
	mu    sync.Mutex
	roles map[string][]string
}

func (p *people) of(user string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.roles[user]
}

func (p *people) set(user string, roles []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.roles[user] = roles
}

// app is the site.
func app(sessions *session.Manager) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	db := &people{roles: map[string][]string{"ada": {"admin", "editor"}, "bob": {"editor"}}}
	mux := http.NewServeMux()
	mux.Handle("POST /login", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		db.login(w, r, s, sessions)
	}))
	mux.Handle("POST /roles", g.Role("admin")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		db.change(w, r, sessions)
	})))
	mux.Handle("GET /drafts", g.Role("editor", "admin")(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "Drafts")
	})))
	mux.Handle("GET /settings", g.Role("admin")(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "Settings")
	})))
	return g.CSRF(mux), nil
}

func (db *people) login(w http.ResponseWriter, r *http.Request, s *session.Session, sessions *session.Manager) {
	user := r.PostFormValue("user") // here the password is checked
	if err := s.TryLogin(user); err != nil {
		http.Error(w, "That is not a name.", http.StatusBadRequest)
		return
	}
	// Stored first, so that a change of roles from now on finds this session; then read, again on a conflict.
	err := s.Save(r.Context())
	if err == nil {
		err = s.Atomic(r.Context(), func(s *session.Session) error {
			guard.Roles.Set(s, db.of(user))
			return nil
		})
	}
	if err != nil {
		sessions.Fail(w, r, err)
		return
	}
	fmt.Fprintf(w, "You are %s, and %s.\n", user, strings.Join(db.of(user), " and "))
}

func (db *people) change(w http.ResponseWriter, r *http.Request, sessions *session.Manager) {
	user, roles := r.PostFormValue("user"), strings.Fields(r.PostFormValue("roles"))
	db.set(user, roles) // the database first, so that nobody reads the old roles after this
	n, err := sessions.UpdateUser(r.Context(), user, func(s *session.Session) error {
		guard.Roles.Set(s, roles)
		return nil
	})
	if err != nil {
		sessions.Fail(w, r, err)
		return
	}
	fmt.Fprintf(w, "Changed in %d sessions.\n", n)
}

func main() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		Cookie:  session.Cookie{Insecure: true}, // only because this program speaks plain HTTP
	})
	if err != nil {
		log.Fatal(err)
	}
	site, err := app(sessions)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", site))
}
