// A site on which people add a passkey, sign in with it, and show it again before they pay.
//
//	go run ./examples/passkey
//
// and open http://localhost:8080/, not 127.0.0.1: passkeys want a name.
package main

import (
	"embed"
	"html/template"
	"log"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/passkey"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

//go:embed app.js page.html
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// site is the example.
type site struct {
	sessions *session.Manager
	accounts *accounts
}

// app makes its pages, for browsers that call it by an origin.
func app(sessions *session.Manager, origin string) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{LoginPage: "/", ConfirmPage: "/confirm"})
	if err != nil {
		return nil, err
	}
	s := &site{sessions, newAccounts()}
	passkeys, err := passkey.New(sessions, s.accounts, passkey.Options{Origins: []string{origin}, Name: "Coatcheck"})
	if err != nil {
		return nil, err
	}
	address := func(*http.Request) string { return "" } // a passkey names no account before it is checked
	mux := http.NewServeMux()
	mux.Handle("POST /passkey/register/", g.Fresh(10*time.Minute)(passkeys.Register()))
	mux.Handle("POST /passkey/sign-in/begin", passkeys.SignIn())
	mux.Handle("POST /passkey/sign-in/finish", g.SignIn(address)(passkeys.SignIn()))
	mux.Handle("POST /passkey/confirm/", passkeys.Confirm())
	mux.Handle("GET /passkey.js", passkeys.Script())
	mux.Handle("GET /app.js", http.FileServerFS(files))

	mux.Handle("GET /{$}", s.show("home"))
	mux.Handle("GET /confirm", g.User(s.show("confirm")))
	mux.Handle("GET /pay", g.Fresh(time.Minute, passkey.FactorVerified)(s.show("pay")))
	mux.Handle("POST /sign-in", sessions.HandlerFunc(s.signIn))
	mux.Handle("POST /sign-out", sessions.HandlerFunc(s.signOut))
	return g.CSRF(mux), nil
}

// show shows the page in one of its states.
func (s *site) show(state string) http.Handler {
	return s.sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, v *session.Session) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		err := page.Execute(w, map[string]any{
			"State": state, "User": v.User(), "Factors": v.Factors(), "Return": guard.ReturnPath(r, "/"),
			"Token": guard.CSRFToken(r),
		})
		if err != nil {
			log.Print(err)
		}
	})
}

// signIn is where a site checks the password.
func (s *site) signIn(w http.ResponseWriter, r *http.Request, v *session.Session) {
	user := r.PostFormValue("user")
	if err := v.TryLogin(user, session.Factor("pwd")); err != nil {
		http.Error(w, "Please give a name.", http.StatusBadRequest)
		return
	}
	s.accounts.open(user)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *site) signOut(w http.ResponseWriter, r *http.Request, v *session.Session) {
	v.Logout()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func main() {
	sessions, err := session.New(memstore.New(memstore.Options{}), session.Options{
		Secrets: []session.Secret{session.NewSecret()},
		Cookie:  session.Cookie{Insecure: true}, // only because this program speaks plain HTTP
	})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := app(sessions, "http://localhost:8080")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("localhost:8080", handler))
}
