// A site that keeps people signed in, if they want it: over a restart of the browser and of the server.
//
//	SESSION_SECRETS=base64:… go run ./examples/remember-me
//
// Without SESSION_SECRETS each start makes a new secret, and signs everybody out.
package main

import (
	"html/template"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/guard"
)

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Remember me</title>
<p>Hello, {{.}}.</p>
<form method="post" action="/login">
<p><label>Name <input name="user" required></label></p>
<p><label><input type="checkbox" name="remember" value="1"> Keep me signed in for 30 days</label></p>
<button>Sign in</button></form>
<form method="post" action="/logout"><button>Sign out</button></form>
<form method="post" action="/logout-everywhere"><button>Sign out everywhere</button></form>
`))

// app is the site.
func app(sessions *session.Manager) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		name := "stranger"
		if s.User() != "" {
			name = s.User()
		}
		if err := page.Execute(w, name); err != nil {
			log.Print(err)
		}
	}))
	mux.Handle("POST /login", sessions.HandlerFunc(login))
	mux.Handle("POST /logout", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Logout()
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	mux.Handle("POST /logout-everywhere",
		sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
			if user := s.User(); user != "" {
				if _, err := sessions.RevokeUser(r.Context(), user, s.ID()); err != nil {
					sessions.Fail(w, r, err)
					return
				}
			}
			s.Logout() // the one that is left takes its cookie along
			http.Redirect(w, r, "/", http.StatusSeeOther)
		}))
	return g.CSRF(mux), nil
}

func login(w http.ResponseWriter, r *http.Request, s *session.Session) {
	// Here the password is checked.
	var how []session.LoginOption
	if r.PostFormValue("remember") == "1" {
		how = append(how, session.Remember(30*24*time.Hour))
	}
	if err := s.TryLogin(r.PostFormValue("user"), how...); err != nil {
		http.Error(w, "That is not a name.", http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// open is a manager on a folder, so that sessions outlive the process.
func open(folder string, secrets []session.Secret) (*session.Manager, error) {
	store, err := filestore.New(folder, filestore.Options{})
	if err != nil {
		return nil, err
	}
	return session.New(store, session.Options{
		Secrets: secrets,
		Cookie:  session.Cookie{Insecure: true}, // only because this program speaks plain HTTP
	})
}

func main() {
	secrets := []session.Secret{session.NewSecret()}
	if text := os.Getenv("SESSION_SECRETS"); text != "" {
		var err error
		if secrets, err = session.ParseSecrets(text); err != nil {
			log.Fatal(err)
		}
	}
	sessions, err := open("remember-me.sessions", secrets)
	if err != nil {
		log.Fatal(err)
	}
	site, err := app(sessions)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", site))
}
