package session_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// Memory is most of what a session costs beside its cryptography. The bounds leave room for one or two allocations that
// the race detector, or another release of Go, adds.
func TestTheMainPathsAllocateLittle(t *testing.T) {
	for _, row := range []struct {
		name   string
		ticket bool
		do     func(*session.Session)
		most   float64
	}{
		{"read", true, func(s *session.Session) { benchVisits.Get(s) }, 10},
		{"write", true, func(s *session.Session) { benchVisits.Update(s, func(n int) int { return n + 1 }) }, 22},
		{"first save", false, func(s *session.Session) { benchVisits.Set(s, 1) }, 28},
	} {
		t.Run(row.name, func(t *testing.T) {
			m, err := session.New(memstore.New(memstore.Options{}),
				session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			s, err := m.Open(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			benchVisits.Set(s, 1)
			if err := s.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest(http.MethodGet, "https://app.example.com/", nil)
			if row.ticket {
				r.Header.Set("Cookie", "__Host-Http-session="+s.Token())
			}
			w := httptest.NewRecorder()
			h := m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				row.do(s)
				w.WriteHeader(http.StatusNoContent)
			})
			got := math.Inf(1)
			for range 5 { // what other tests have left running allocates now and then, too
				got = min(got, testing.AllocsPerRun(200, func() {
					clear(w.Header())
					h.ServeHTTP(w, r)
				}))
			}
			if got > row.most {
				t.Errorf("%v allocations, want at most %v", got, row.most)
			}
			t.Logf("%v allocations", got)
		})
	}
}
