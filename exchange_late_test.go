package session_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
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

// The event of an Atomic that is too late has the id that the session has from then on, although the record that was
// made under another one is removed.
func TestTheEventOfALateAtomicHasTheIDOfTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told string
		r := newRig(t, func(o *session.Options) {
			o.OnEvent = func(_ context.Context, e session.Event) {
				if e.Kind == session.EventLate {
					told = e.ID
				}
			}
		})
		r.visitor().do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			s.Set("x", 1)
			promised := s.ID()
			r.during(func() { _, _ = io.WriteString(w, "out") }) // which waits for this commit, and gives up
			ctx, cancel := context.WithTimeout(bg, time.Minute)
			defer cancel()
			err := s.Atomic(ctx, func(*session.Session) error { return nil })
			if err == nil || told == "" || told == promised || s.ID() != told {
				t.Errorf("Atomic = %v; the event has the id of the session: %t, and another one than before: %t", err,
					s.ID() == told, told != promised)
			}
		})
	})
}
