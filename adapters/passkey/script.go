package passkey

import (
	"bytes"
	_ "embed"
	"net/http"
	"time"
)

//go:embed passkey.js
var script []byte

// Script serves the browser's side: an ES module with the functions register, signIn and confirm. Each takes the path
// at which the handler of that name is, without /begin, and signIn also the name of a user; a query after the path goes
// to the server. They return a promise that is rejected with an error whose message people can read, or with what the
// browser says. Browsers ask for the script again each time they need it, so that it fits the server.
func (p *Passkeys) Script() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(script))
	})
}
