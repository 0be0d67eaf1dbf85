package session_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// What makes no session needs no ticket, so that it may come when the headers are out.
func TestWhatStoresNothingMayComeLate(t *testing.T) {
	for name, do := range map[string]func(*session.Session){
		"Remove":         func(s *session.Session) { s.Remove("x") },
		"Clear":          (*session.Session).Clear,
		"SetIdleTimeout": func(s *session.Session) { s.SetIdleTimeout(time.Hour) },
		"SetPersistent":  func(s *session.Session) { s.SetPersistent(true) },
	} {
		r := newRig(t)
		r.visitor().do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			_, _ = io.WriteString(w, "out")
			do(s)
			if s.Err() != nil {
				t.Errorf("%s: Err = %v", name, s.Err())
			}
		})
		if n := r.ev.count(session.EventLate); n != 0 {
			t.Errorf("%s: %d events late", name, n)
		}
	}
}

// closer is a writer that knows when the client has gone.
type closer struct {
	http.ResponseWriter
	gone chan bool
}

func (c closer) CloseNotify() <-chan bool { return c.gone }

func TestAWriterThatKnowsWhenTheClientHasGoneIsAsked(t *testing.T) {
	c := closer{httptest.NewRecorder(), make(chan bool, 1)}
	c.gone <- true
	newRig(t).HandlerFunc(func(w http.ResponseWriter, _ *http.Request, _ *session.Session) {
		select {
		case <-w.(interface{ CloseNotify() <-chan bool }).CloseNotify():
		default:
			t.Error("the client is not said to be gone")
		}
	}).ServeHTTP(c, httptest.NewRequest("GET", "https://app.example.com/", nil))
}
