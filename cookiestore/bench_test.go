package cookiestore_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

const visits = session.Key[int]("visits")

func readVisits(_ http.ResponseWriter, _ *http.Request, s *session.Session) { visits.Get(s) }

func addVisit(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
	visits.Update(s, func(n int) int { return n + 1 })
}

// loop returns a function that sends one request of a small session through a handler.
func loop(tb testing.TB, fn func(http.ResponseWriter, *http.Request, *session.Session)) func() {
	store, _ := cookiestore.New(cookiestore.Options{})
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1})
	if err != nil {
		tb.Fatal(err)
	}
	s, _ := m.Open(tb.Context(), "")
	s.Login("user-4711")
	visits.Set(s, 1)
	if err := s.Save(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	req.Header.Set("Cookie", cookieName+"="+s.Token())
	h := m.HandlerFunc(fn)
	w := &noResponse{header: http.Header{}}
	return func() {
		clear(w.header)
		h.ServeHTTP(w, req)
	}
}

// noResponse is a response that nobody reads.
type noResponse struct{ header http.Header }

func (w *noResponse) Header() http.Header         { return w.header }
func (w *noResponse) Write(p []byte) (int, error) { return len(p), nil }
func (w *noResponse) WriteHeader(int)             {}

func BenchmarkRead(b *testing.B) {
	once := loop(b, readVisits)
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}

func BenchmarkWrite(b *testing.B) {
	once := loop(b, addVisit)
	b.ReportAllocs()
	for b.Loop() {
		once()
	}
}

// What a request costs is known: neither path allocates more than a little above what it does today.
func TestAllocationsAreBounded(t *testing.T) {
	for name, c := range map[string]struct {
		fn   func(http.ResponseWriter, *http.Request, *session.Session)
		most float64
	}{"read": {readVisits, 14}, "write": {addVisit, 32}} {
		if got := testing.AllocsPerRun(200, loop(t, c.fn)); got > c.most {
			t.Errorf("%s: %v allocations, want at most %v", name, got, c.most)
		}
	}
}
