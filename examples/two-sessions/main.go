// Two sessions in one request: a visitor of the shop has one, and whoever works there has another one beside it, which
// ends sooner. Each has a manager and a cookie of its own; signing out of one leaves the other alone.
//
//	go run ./examples/two-sessions
package main

import (
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

const visits = session.Key[int]("visits")

// managers makes both; insecure is only for plain HTTP. The prefix of the names keeps the cookies of other hosts of the
// domain away, and needs HTTPS.
func managers(insecure bool) (shop, staff *session.Manager, err error) {
	prefix := "__Host-Http-"
	if insecure {
		prefix = ""
	}
	shop, err1 := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		Cookie:  session.Cookie{Name: prefix + "shop", Insecure: insecure, Persistent: true},
	})
	staff, err2 := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets:     []session.Secret{session.NewSecret()},
		Cookie:      session.Cookie{Name: prefix + "staff", Insecure: insecure, SameSite: http.SameSiteStrictMode},
		IdleTimeout: 15 * time.Minute,
		Lifetime:    8 * time.Hour,
	})
	return shop, staff, errors.Join(err1, err2)
}

// app is the site.
func app(shop, staff *session.Manager) (http.Handler, error) {
	forms, err1 := guard.New(shop, guard.Options{})
	work, err2 := guard.New(staff, guard.Options{})
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", shop.HandlerFunc(func(w http.ResponseWriter, r *http.Request, visitor *session.Session) {
		visits.Update(visitor, func(n int) int { return n + 1 })
		worker, err := staff.Load(r.Context()) // that manager's, whichever is around the handler
		if err != nil {
			staff.Fail(w, r, err)
			return
		}
		fmt.Fprintf(w, "visit %d, staff %q\n", visits.Or(visitor, 0), worker.User())
	}))
	mux.Handle("POST /staff/login", staff.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if err := s.TryLogin(r.PostFormValue("user")); err != nil { // here the password is checked
			http.Error(w, "That is not a name.", http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	mux.Handle("POST /staff/logout",
		staff.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			s.Logout()
			http.Redirect(w, r, "/", http.StatusSeeOther)
		}))
	mux.Handle("GET /staff/orders", work.User(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "orders")
	})))
	return shop.Middleware(staff.Middleware(forms.CSRF(mux))), nil
}

func main() {
	shop, staff, err := managers(true)
	if err != nil {
		log.Fatal(err)
	}
	site, err := app(shop, staff)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", site))
}
