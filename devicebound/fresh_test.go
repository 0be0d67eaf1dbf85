package devicebound_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/sessiontest"
)

// guarded is a site, and a guard that asks for the key of the device as well.
func guarded(t *testing.T) (*site, *guard.Guard) {
	t.Helper()
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	g, err := guard.New(s.m, guard.Options{Proof: s.Prove(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	return s, g
}

// A sign-in of two minutes ago is fresh, and its cookies may be stolen since.
func TestFreshAsksForTheKey(t *testing.T) {
	s, g := guarded(t)
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

// A confirmation gives the session a new id and leaves the key of the device with it; and who has copied the cookies
// cannot spend it.
func TestAConfirmationIsSpentWithTheKeyAlone(t *testing.T) {
	s, g := guarded(t)
	mux := http.NewServeMux()
	mux.Handle("/login", s.m.HandlerFunc(pages["/login-here"]))
	mux.Handle("/pay", g.Once("pay", func(*http.Request) string { return "all of it" })(s.m.HandlerFunc(pages["/"])))
	mux.Handle("/confirm", s.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		for _, op := range g.Asked(s) {
			if err := g.Confirm(s, op.ID, "otp"); err != nil {
				t.Error(err)
			}
		}
	}))
	b := sessiontest.NewBrowser(t, s.m.Now, s.Middleware(g.CSRF(mux)))
	b.Post("/login")
	wantStatus(t, b.Post("/pay"), http.StatusUnauthorized)
	wantStatus(t, b.Post("/confirm"), http.StatusOK)
	b.Log()
	s.clock.advance(2 * time.Minute)
	thief := b.Copy()
	wantStatus(t, thief.Post("/pay"), http.StatusUnauthorized)
	wantPage(t, b.Post("/pay"), "ada bound")
	wantLog(t, b, "POST /pay: 307", "POST "+refreshPath+": 200", "POST /pay: 200")
	wantStatus(t, b.Post("/pay"), http.StatusUnauthorized)
}
