package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/memstore"
)

// docs/benchmarks.md quotes these as ratios: to BenchmarkTicket, the least that a signed ticket costs, and to
// BenchmarkBare, the same handler without a session.

const benchVisits = session.Key[int]("visits")

// BenchmarkTicket parses and verifies a ticket.
func BenchmarkTicket(b *testing.B) {
	ring := keys.NewRing([][]byte{session.NewSecret()})
	ticket := keys.NewTicket().Text(ring, newName)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := keys.ParseTicket(ticket, ring, newName); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBare(b *testing.B) {
	m := benchManager(b)
	serve(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }), benchTicket(b, m, 1))
}

// BenchmarkUntouched is a handler that never asks for its session.
func BenchmarkUntouched(b *testing.B) {
	m := benchManager(b)
	serve(b, m.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) })),
		benchTicket(b, m, 1))
}

// BenchmarkAnonymous looks for a value in the session of a visitor who has none.
func BenchmarkAnonymous(b *testing.B) {
	m := benchManager(b)
	serve(b, m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		if n := benchVisits.Or(s, 0); n != 0 {
			b.Error("a stranger has a value")
		}
		answer(w)
	}), "")
}

func BenchmarkRead(b *testing.B) { benchRead(b, 1) }

// BenchmarkRead50 reads one key of a session that has fifty.
func BenchmarkRead50(b *testing.B) { benchRead(b, 50) }

func benchRead(b *testing.B, keys int) {
	m := benchManager(b)
	serve(b, m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		if n, _ := benchVisits.Get(s); n == 0 {
			b.Error("the value is missing")
		}
		answer(w)
	}), benchTicket(b, m, keys))
}

// BenchmarkWrite loads the session, changes its one value and saves it.
func BenchmarkWrite(b *testing.B) {
	m := benchManager(b)
	ticket := benchTicket(b, m, 1)
	n := 1
	serve(b, m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		n++
		benchVisits.Set(s, n)
		answer(w)
	}), ticket)
	s, err := m.Open(context.Background(), ticket)
	if err != nil || benchVisits.Or(s, 0) != n {
		b.Errorf("the session has visits %d, %v, want %d", benchVisits.Or(s, 0), err, n)
	}
}

// BenchmarkFirstSave begins a session for a visitor who has none: a new id, a new record, a cookie.
func BenchmarkFirstSave(b *testing.B) {
	m := benchManager(b)
	serve(b, m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		benchVisits.Set(s, 1)
		answer(w)
	}), "")
}

func benchManager(b *testing.B) *session.Manager {
	b.Helper()
	m, err := session.New(memstore.New(memstore.Options{}),
		session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	return m
}

// benchTicket returns the ticket of a session with so many keys, of which visits is one.
func benchTicket(b *testing.B, m *session.Manager, keys int) string {
	b.Helper()
	s, err := m.Open(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	for i := 1; i < keys; i++ {
		s.Set(fmt.Sprintf("key%d", i), fmt.Sprintf("the value of key %d", i))
	}
	benchVisits.Set(s, 1)
	if err := s.Save(b.Context()); err != nil {
		b.Fatal(err)
	}
	return s.Token()
}

func answer(w http.ResponseWriter) { _, _ = w.Write([]byte("hello")) }

// serve calls the handler as a server would for a request with the ticket, and leaves out the network.
func serve(b *testing.B, h http.Handler, ticket string) {
	b.Helper()
	r := httptest.NewRequest("GET", "https://example.com/", nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	if ticket != "" {
		r.AddCookie(&http.Cookie{Name: "__Host-Http-session", Value: ticket})
	}
	w := &discardWriter{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		w.status = 0
		h.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			b.Fatalf("status %d", w.status)
		}
	}
}

// discardWriter is a response that nobody reads.
type discardWriter struct {
	header http.Header
	status int
}

func (w *discardWriter) Header() http.Header { return w.header }

func (w *discardWriter) WriteHeader(status int) { w.status = status }

func (w *discardWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return len(p), nil
}
