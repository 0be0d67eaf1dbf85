// Server-sent events that end when the session ends: by a logout in another tab, a revocation, or on another node.
//
//	go run ./examples/server-sent-events
package main

import (
	"fmt"
	"html/template"
	"log"
	"net/http"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>Events</title>
<p>Hello, {{.}}.</p>
<form method="post" action="/login"><button>Sign in as ada</button></form>
<form method="post" action="/logout"><button>Sign out</button></form>
<pre id="log"></pre>
<script>
const log = text => document.getElementById("log").textContent += text + "\n"
const source = new EventSource("/events")
source.onmessage = e => log(e.data)
source.addEventListener("bye", () => { source.close(); log("signed out") })
</script>
`))

// events sends the time every second, until the client leaves or the session ends.
func events(w http.ResponseWriter, r *http.Request, s *session.Session) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	ended := s.Done() // one goroutine of the manager watches for all of them
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for n := 1; ; n++ {
		fmt.Fprintf(w, "data: %s, event %d\n\n", s.User(), n)
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-ended:
			// Without this event the browser would connect again, and again be refused.
			fmt.Fprint(w, "event: bye\ndata: signed out\n\n")
			return
		case <-tick.C:
		}
	}
}

// app is the site.
func app(sessions *session.Manager) (http.Handler, error) {
	g, err := guard.New(sessions, guard.Options{})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", sessions.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		if err := page.Execute(w, s.User()); err != nil {
			log.Print(err)
		}
	}))
	mux.Handle("GET /events", g.User(sessions.HandlerFunc(events)))
	mux.Handle("POST /login", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Login("ada")
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}))
	mux.Handle("POST /logout", sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		s.Logout()
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
