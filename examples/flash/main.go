// A message that survives the redirect after a form, and is shown exactly once.
//
//	go run ./examples/flash
package main

import (
	"html/template"
	"log"
	"net/http"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

const (
	notice = session.Key[string]("notice")
	typed  = session.Key[string]("typed") // what was wrong, so that nobody types it again
)

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Flash</title>
{{with .Notice}}<p role="status">{{.}}</p>{{end}}
<form method="post"><label>Your name <input name="name" value="{{.Typed}}"></label> <button>Save</button></form>
`))

// app is the site: a form, and the page that it leads back to.
func app(sessions *session.Manager) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		if err := page.Execute(w, map[string]string{"Notice": notice.Or(s, ""), "Typed": typed.Or(s, "")}); err != nil {
			log.Print(err)
		}
	}))
	mux.Handle("POST /{$}", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		name := strings.TrimSpace(r.PostFormValue("name"))
		if name == "" || len(name) > 40 {
			notice.Flash(s, "A name has 1 to 40 letters.")
			if len(name) < 400 { // a stranger can fill no store with what nobody types
				typed.Flash(s, name)
			}
		} else {
			notice.Flash(s, "Saved: "+name)
		}
		// 303, so that reloading the page does not send the form again.
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
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
