// A form that no other site can send for the visitor, also in browsers from before 2020, and also the login form.
//
//	go run ./examples/form-protection
package main

import (
	"html/template"
	"log"
	"net/http"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

const email = session.Key[string]("email")

// The token belongs into every form; a script reads it from the meta element.
var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Form protection</title>
<meta name="csrf-token" content="{{.Token}}">
{{if .User}}<p>{{.User}}: {{.Email}}</p>
<form method="post" action="/email">{{.CSRF}}
<label>New address <input name="email" type="email"></label> <button>Save</button></form>
{{else}}<form method="post" action="/login">{{.CSRF}}
<label>Name <input name="user" required></label> <button>Sign in</button></form>{{end}}
`))

// app is the site. CSRF stands around all of it, so that no form is forgotten.
func app(sessions *session.Manager) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		err := page.Execute(w, map[string]any{
			"User": s.User(), "Email": email.Or(s, "no address"), "CSRF": guard.CSRFField(r),
			"Token": guard.CSRFToken(r),
		})
		if err != nil {
			log.Print(err)
		}
	}))
	mux.Handle("POST /login", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		if err := s.TryLogin(r.PostFormValue("user")); err != nil { // here the password is checked
			http.Error(w, "That is not a name.", http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	mux.Handle("POST /email",
		g.User(sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			email.Set(s, r.PostFormValue("email"))
			http.Redirect(w, r, "/", http.StatusSeeOther)
		})))
	return g.CSRF(mux), nil
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
