package session_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// Memory is most of what a session costs beside its cryptography. The bounds leave room for the allocations that
// the race detector, or another release of Go, adds.
func TestTheMainPathsAllocateLittle(t *testing.T) {
	memory := memstore.New(memstore.Options{})
	for _, row := range []struct {
		name   string
		store  session.Store
		ticket bool
		do     func(*session.Session)
		most   float64 // allocations
		bytes  float64
	}{
		{"read", memory, true, func(s *session.Session) { benchVisits.Get(s) }, 8, 1050},
		{"write", memory, true, func(s *session.Session) { benchVisits.Update(s, func(n int) int { return n + 1 }) },
			20, 1850},
		{"first save", memory, false, func(s *session.Session) { benchVisits.Set(s, 1) }, 24, 2450},
		{"a stranger reads", memory, false, func(s *session.Session) { benchVisits.Get(s) }, 2, 800},
		{"a stranger reads, on a server", distant{memory}, false, func(s *session.Session) { benchVisits.Get(s) },
			2, 800},
	} {
		t.Run(row.name, func(t *testing.T) {
			h, ticket := benchHandler(t, row.store, row.do)
			r := httptest.NewRequest(http.MethodGet, "https://app.example.com/", nil)
			if row.ticket {
				r.Header.Set("Cookie", "__Host-Http-session="+ticket)
			}
			w := httptest.NewRecorder()
			got, size := allocated(func() {
				clear(w.Header())
				h.ServeHTTP(w, r)
			})
			if got > row.most || size > row.bytes {
				t.Errorf("%v allocations of %v bytes, want at most %v of %v", got, size, row.most, row.bytes)
			}
			t.Logf("%v allocations of %v bytes", got, size)
		})
	}
}

// distant is a store on a server, for which a request may have to wait.
type distant struct{ *memstore.Store }

func (distant) Local() bool { return false }

// A value of a common type is encoded where it is. Only a codec has to be given it in a box.
func TestAKeyPutsNoTextIntoABox(t *testing.T) {
	m, text := benchManagerOf(t, memstore.New(memstore.Options{})), strings.Repeat("text", 4)
	set := func(do func(s *session.Session)) float64 {
		s, err := m.Open(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return testing.AllocsPerRun(200, func() { do(s) })
	}
	box := any(text)
	boxed := set(func(s *session.Session) { session.Key[any]("name").Set(s, box) })
	if got := set(func(s *session.Session) { session.Key[string]("name").Set(s, text) }); got > boxed {
		t.Errorf("%v allocations, %v with a box that was there", got, boxed)
	}
}

// benchHandler is a handler that does something with its session, and the ticket of one that is stored.
func benchHandler(t *testing.T, store session.Store, do func(*session.Session)) (h http.Handler, ticket string) {
	t.Helper()
	m := benchManagerOf(t, store)
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	benchVisits.Set(s, 1)
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		do(s)
		w.WriteHeader(http.StatusNoContent)
	}), s.Token()
}

// allocated is what one call of a function allocates, in the round of five in which what other tests have left running
// allocates the least.
func allocated(fn func()) (allocs, bytes float64) {
	const runs = 200
	allocs, bytes = math.Inf(1), math.Inf(1)
	for range 5 {
		allocs = min(allocs, testing.AllocsPerRun(runs, fn))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			fn()
		}
		runtime.ReadMemStats(&after)
		bytes = min(bytes, float64(after.TotalAlloc-before.TotalAlloc)/runs)
	}
	return allocs, bytes
}

func benchManagerOf(t *testing.T, store session.Store) *session.Manager {
	t.Helper()
	m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}
