package otelsession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// After a failover to a server that can only be read, those who read are served as ever.
func TestATouchThatFailsRefusesNobody(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/read": read},
		func(o *session.Options) { o.TouchEvery = -1 })
	s.get("/set")
	s.store.touches.Store(true)
	if status, _ := s.get("/read"); status != http.StatusOK {
		t.Fatalf("status %d, want 200", status)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"read": 1, "written": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 2})
	if n := s.metrics()["coatcheck.store.duration touch,unavailable"]; n == 0 {
		t.Error("no touch has failed")
	}
}

// A page has faults of its own, or answers for a server behind it that is down, and on such a server that is no outage
// of the sessions.
func TestATouchThatFailsBesideAnErrorOfThePageRefusesNobody(t *testing.T) {
	for _, status := range []int{http.StatusInternalServerError, http.StatusServiceUnavailable} {
		page := func(w http.ResponseWriter, r *http.Request) {
			read(httptest.NewRecorder(), r)
			w.WriteHeader(status)
		}
		saved := func(w http.ResponseWriter, r *http.Request) {
			if err := load(r).Save(r.Context()); err != nil {
				t.Errorf("Save = %v", err)
			}
			page(w, r)
		}
		s := open(t, map[string]http.HandlerFunc{"/set": set, "/page": page, "/saved": saved},
			func(o *session.Options) { o.TouchEvery = -1 })
		s.get("/set")
		s.store.touches.Store(true)
		s.get("/page")
		s.get("/saved")
		s.wantMetrics("coatcheck.requests", map[string]int{"read": 2, "written": 1})
		if got := s.metrics()["coatcheck.commit.duration unavailable"]; got != 0 {
			t.Errorf("%d: %d commits were unavailable", status, got)
		}
		if n := s.metrics()["coatcheck.store.duration touch,unavailable"]; n == 0 {
			t.Error("no touch has failed")
		}
	}
}

// A renewal is a save, and where it fails the visitor keeps the ticket that they have. That the manager answered
// instead of the page is seen without Errors as well.
func TestARenewalThatFailsBesideAnErrorOfThePageRefusesNobody(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	change := func(w http.ResponseWriter, r *http.Request) {
		set(w, r)
		w.WriteHeader(http.StatusInternalServerError)
	}
	page := func(w http.ResponseWriter, r *http.Request) {
		read(httptest.NewRecorder(), r)
		w.WriteHeader(http.StatusInternalServerError)
	}
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/page": page, "/change": change},
		func(o *session.Options) {
			o.RenewEvery, o.Now, o.OnError = time.Minute, func() time.Time { return now }, nil
		})
	s.get("/set")
	s.store.saves.Store(true)
	s.store.deletes.Store(true)
	s.store.touches.Store(true)
	now = now.Add(2 * time.Minute)
	if status, _ := s.get("/page"); status != http.StatusInternalServerError {
		t.Errorf("status %d, want the page's own", status)
	}
	if n := s.metrics()["coatcheck.store.duration save,unavailable"]; n == 0 {
		t.Error("no renewal has failed")
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"read": 1, "written": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 2})
	if status, _ := s.get("/change"); status != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", status)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"read": 1, "written": 1, "unavailable": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"ok": 2, "unavailable": 1})
}

func TestAFailureIsAnOutcomeWhereTheVisitorIsRefused(t *testing.T) {
	page := func(status int, word string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if _, err := session.Load(r.Context()); err == nil {
				t.Error("the session was loaded")
			}
			w.WriteHeader(status)
			fmt.Fprint(w, word)
		}
	}
	s := open(t, map[string]http.HandlerFunc{
		"/set": set, "/served": page(200, "without a session"), "/refused": page(503, "later"),
		"/panic": func(_ http.ResponseWriter, r *http.Request) {
			if _, err := session.Load(r.Context()); err != nil {
				panic(http.ErrAbortHandler)
			}
		},
	})
	s.get("/set")
	s.store.loads.Store(true)
	s.get("/served")
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1, "read": 1})
	s.get("/refused")
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1, "read": 1, "unavailable": 1})
	if _, err := s.browser.Post(s.server.URL+"/panic", "", nil); err == nil { // which is not tried again
		t.Fatal("a handler that panicked was answered")
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1, "read": 1, "unavailable": 2})
}

// A store that answers too late is another fault than one that is down.
func TestARefusalSaysWhatTheStoreSaid(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set})
	s.store.fails = fmt.Errorf("i/o timeout: %w", context.DeadlineExceeded)
	s.store.saves.Store(true)
	if status, _ := s.get("/set"); status != http.StatusServiceUnavailable {
		t.Fatalf("status %d, want 503", status)
	}
	s.wantMetrics("coatcheck.requests", map[string]int{"timeout": 1})
	s.wantMetrics("coatcheck.commit.duration", map[string]int{"timeout": 1})
}

// A handler that saves again after a failure has lost nothing.
func TestASaveThatIsRepeatedIsWritten(t *testing.T) {
	s := open(t, nil)
	s.serve(s.telemetry.Middleware(s.sessions.Middleware)(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			set(w, r)
			s.store.saves.Store(true)
			if err := load(r).Save(r.Context()); !errors.Is(err, session.ErrUnavailable) {
				t.Errorf("the first Save = %v", err)
			}
			s.store.saves.Store(false)
			if err := load(r).Save(r.Context()); err != nil {
				t.Errorf("the second Save = %v", err)
			}
		})))
	s.get("/")
	s.wantMetrics("coatcheck.requests", map[string]int{"written": 1})
}
