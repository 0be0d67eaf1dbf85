package devicebound_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/sessiontest"
)

// A sign-in of two minutes ago is fresh, and its cookies may be stolen since.
func TestFreshAsksForTheKey(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	g, err := guard.New(s.m, guard.Options{Proof: s.Prove(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/login", s.m.HandlerFunc(pages["/login-here"]))
	mux.Handle("/pay", g.Fresh(10*time.Minute)(s.m.HandlerFunc(pages["/"])))
	b := sessiontest.NewBrowser(t, s.m.Now, s.Middleware(g.CSRF(mux)))
	wantStatus(t, b.Post("/pay"), http.StatusUnauthorized)
	b.Post("/login")
	b.Log()
	s.clock.advance(2 * time.Minute)
	thief := b.Copy()
	wantPage(t, b.Post("/pay"), "ada bound")
	wantLog(t, b, "POST /pay: 307", "POST "+refreshPath+": 200", "POST /pay: 200")
	wantStatus(t, thief.Post("/pay"), http.StatusUnauthorized)
	s.clock.advance(9 * time.Minute)
	wantStatus(t, b.Post("/pay"), http.StatusUnauthorized) // it must sign in again, key or not
}
