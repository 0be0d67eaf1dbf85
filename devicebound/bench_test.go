package devicebound_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/sessiontest"
)

// benchSite is a site with a page that reads the session, and a browser that has signed in there.
func benchSite(b *testing.B, bound bool) (http.Handler, *sessiontest.Browser) {
	b.Helper()
	m := sessiontest.NewManager(b)
	mux := http.NewServeMux()
	login := func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ada") }
	mux.Handle("/login", m.HandlerFunc(login))
	mux.Handle("/", m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		_, _ = io.WriteString(w, s.User())
	}))
	h := http.Handler(mux)
	if bound {
		binder, err := devicebound.New(m, devicebound.Options{Policy: devicebound.Enforce})
		if err != nil {
			b.Fatal(err)
		}
		h = binder.Middleware(mux)
	}
	client := sessiontest.NewBrowser(b, m.Now, h)
	client.Get("/login")
	if (len(client.Sessions()) == 1) != bound {
		b.Fatalf("the sessions are %q", client.Sessions())
	}
	return h, client
}

func benchRead(b *testing.B, bound bool) {
	h, client := benchSite(b, bound)
	r := httptest.NewRequest("GET", sessiontest.Site+"/", nil)
	for _, name := range []string{ticketCookie, boundCookie} {
		if value := client.Cookie(name); value != "" {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		clear(w.Header())
		w.Body.Reset()
		h.ServeHTTP(w, r)
		if w.Body.String() != "ada" {
			b.Fatalf("the page is %q", w.Body)
		}
	}
}

// BenchmarkUnbound is a request of a session without a binder, beside which BenchmarkBound stands.
func BenchmarkUnbound(b *testing.B) { benchRead(b, false) }

// BenchmarkBound is the same request of a bound session, whose cookie is checked.
func BenchmarkBound(b *testing.B) { benchRead(b, true) }

// BenchmarkRefresh is a proof and its answer. What the browser does for it, to sign, is not counted.
func BenchmarkRefresh(b *testing.B) {
	_, client := benchSite(b, true)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		client.Alter = func(*http.Request) { b.StartTimer() }
		b.StartTimer()
		client.Refresh()
	}
	if got := client.Log(); got[len(got)-1] != "POST "+refreshPath+": 200" {
		b.Errorf("the last refresh is %s", got[len(got)-1])
	}
}

// A bound session costs a check, and nothing that grows: nine allocations, or more under the race detector, with which
// a sync.Pool loses what it has at random.
func TestABoundRequestAllocatesLittleMore(t *testing.T) {
	s := newSite(t, devicebound.Options{Policy: devicebound.Enforce})
	b := s.signedIn()
	deaf := newBare(t)
	count := func(h http.Handler, cookies ...*http.Cookie) float64 {
		r := httptest.NewRequest("GET", sessiontest.Site+"/", nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		return testing.AllocsPerRun(200, func() { clear(w.Header()); h.ServeHTTP(w, r) })
	}
	bound := count(s.h, &http.Cookie{Name: ticketCookie, Value: b.Cookie(ticketCookie)},
		&http.Cookie{Name: boundCookie, Value: b.Cookie(boundCookie)})
	plain := count(deaf.h, &http.Cookie{Name: ticketCookie, Value: deaf.ticket})
	if bound > plain+20 {
		t.Errorf("%v allocations, and %v without a binding, want at most 20 more", bound, plain)
	}
	t.Logf("%v allocations, and %v without a binding", bound, plain)
}

// bare is a site without a binder, with a session of ada.
type bare struct {
	h      http.Handler
	ticket string
}

func newBare(t *testing.T) bare {
	t.Helper()
	m := sessiontest.NewManager(t, func(o *session.Options) { o.TouchEvery = time.Hour })
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login("ada")
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	return bare{m.HandlerFunc(pages["/"]), s.Token()}
}
