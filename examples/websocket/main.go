// A WebSocket that ends when the session ends: by a logout in another tab, a revocation, or on another node.
//
// It is a module of its own because the root module requires nothing, and WebSocket is not in the standard library.
//
//	go run ./examples/websocket
package main

import (
	"context"
	"fmt"
	"html/template"
	"log"
	"net/http"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
	"github.com/coder/websocket"
)

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><title>WebSocket</title>
<p>Hello, {{.}}.</p>
<form method="post" action="/login"><button>Sign in as ada</button></form>
<form method="post" action="/logout"><button>Sign out</button></form>
<pre id="log"></pre>
<script>
const log = text => document.getElementById("log").textContent += text + "\n"
const socket = new WebSocket("ws://" + location.host + "/echo")
socket.onopen = () => socket.send("hello")
socket.onmessage = e => log(e.data)
socket.onclose = e => log("closed: " + e.reason)
</script>
`))

// echo answers every message, until the client leaves or the session ends.
func echo(w http.ResponseWriter, r *http.Request, s *session.Session) {
	// Accept refuses other origins: a WebSocket is opened by a GET, which guard.CSRF lets pass.
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer conn.CloseNow()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	// The session is watched for by the manager, with one goroutine for all; this one waits for the answer.
	go func() {
		select {
		case <-s.Done():
			_ = conn.Close(websocket.StatusPolicyViolation, "signed out")
		case <-ctx.Done():
		}
	}()
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			return
		}
		answer := fmt.Appendf(nil, "%s: %s", s.User(), message)
		if err := conn.Write(ctx, kind, answer); err != nil {
			return
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
	mux.Handle("GET /echo", g.User(sessions.HandlerFunc(echo)))
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
