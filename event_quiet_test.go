package session_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// withUser is a log that adds the user of the request to each line, as sites have one.
type withUser struct{ slog.Handler }

func (w withUser) Handle(ctx context.Context, r slog.Record) error {
	if s, err := session.Load(ctx); err == nil {
		r.AddAttrs(slog.String("user", s.User()))
	}
	return w.Handler.Handle(ctx, r)
}

// seen are the events that a manager tells, with the users whose requests they are of. The log asks for those, too.
type seen []string

func (all *seen) by(o *session.Options) {
	o.OnEvent = func(ctx context.Context, e session.Event) {
		s, err := session.Load(ctx)
		if err != nil || ctx.Err() != nil {
			*all = append(*all, string(e.Kind)+" of nobody")
			return
		}
		*all = append(*all, string(e.Kind)+" "+s.User())
	}
	o.Logger = slog.New(withUser{slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})})
}

// inTime fails when fn waits for ever.
func inTime(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it waits for itself")
	}
}

var errForeign = errors.New("from the other library")

// The request holds a lock while it loads its session. What happens then is told when that is over.
func TestWhoHearsOfALoadMayUseTheSession(t *testing.T) {
	const broken = session.Key[int]("n")
	report := func(ctx context.Context, m *session.Manager) {
		m.Report(ctx, session.Event{Kind: session.EventRefused, Err: errForeign})
	}
	for name, c := range map[string]struct {
		find func(ctx context.Context, r, other *rig) (string, error)
		look func(s *session.Session) // of the screen
		want []string
	}{
		"a take-over": {find: func(ctx context.Context, r, _ *rig) (string, error) {
			return r.TakeOver(ctx, newNewcomer("token", "ada").Foreign)
		}, want: []string{"created ada"}},
		"a report": {find: func(ctx context.Context, r, _ *rig) (string, error) {
			report(ctx, r.Manager)
			return "", nil
		}, want: []string{"refused "}},
		"a report that another manager tells": {find: func(ctx context.Context, _, other *rig) (string, error) {
			report(ctx, other.Manager)
			return "", nil
		}, want: []string{"refused "}},
		"a load that fails": {find: func(ctx context.Context, r, _ *rig) (string, error) {
			report(ctx, r.Manager)
			return "", errForeign
		}, want: []string{"refused of nobody", "refused of nobody"}}, // the log of the failed request asks once more
		"a revocation": {find: func(ctx context.Context, r, _ *rig) (string, error) {
			_, err := r.RevokeUser(ctx, "bob")
			return "", err
		}, want: []string{"ended "}},
		"a value that does not decode": {look: func(s *session.Session) {
			s.Set("n", "no number")
			broken.Get(s)
		}, want: []string{"undecodable ", "created "}},
		"an answer of a screen": {look: func(s *session.Session) { s.OnAnswer(func(http.Header, bool) {}) }},
	} {
		t.Run(name, func(t *testing.T) {
			var got seen
			r := newTakeOver(t, got.by)
			other := r.node(got.by)
			r.visitor().with(func(s *session.Session) { s.Login("bob") })
			got = nil
			if err := r.Screen(func(_ *http.Request, s *session.Session) session.Screening {
				if c.look != nil {
					c.look(s)
				}
				return session.Screening{}
			}); err != nil {
				t.Fatal(err)
			}
			inTime(t, func() {
				r.visitor().falling(func(ctx context.Context) (string, error) {
					if c.find == nil {
						return "", nil
					}
					return c.find(ctx, r, other)
				}, func(*session.Session) {})
			})
			if !slices.Equal(got, c.want) {
				t.Errorf("the events are %q, want %q", got, c.want)
			}
		})
	}
}

// A store that panics leaves no lock behind, and takes no event with it.
func TestWhatHappenedBeforeALoadPanickedIsTold(t *testing.T) {
	r := newRig(t)
	h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		inTime(t, func() {
			if recovered(func() { _, _ = r.Load(req.Context()) }) == nil {
				t.Error("the load did not panic")
			}
		})
		if r.ev.count(session.EventRefused) != 1 {
			t.Errorf("%d events, want 1", r.ev.count(session.EventRefused))
		}
	}))
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	h.ServeHTTP(httptest.NewRecorder(), r.Fallback(req, func(ctx context.Context) (string, error) {
		r.Report(ctx, session.Event{Kind: session.EventRefused})
		panic("boom")
	}, nil))
}

// What other goroutines of the handler report while one of them loads is told as well, and once.
func TestNoEventIsLostBesideLoads(t *testing.T) {
	const each = 200
	r := newRig(t)
	h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range each {
					r.Report(req.Context(), session.Event{Kind: session.EventRefused})
				}
			})
			all.Go(func() {
				for range each {
					_, _ = r.Load(req.Context()) // which fails each time
				}
			})
		}
		inTime(t, all.Wait)
	}))
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	h.ServeHTTP(httptest.NewRecorder(), r.Fallback(req, func(context.Context) (string, error) {
		return "", errForeign
	}, nil))
	if got := r.ev.count(session.EventRefused); got != 4*each {
		t.Errorf("%d events, want %d", got, 4*each)
	}
}

// Whoever is told may panic. The session is there afterwards, and what happens next is told.
func TestAPanicOfWhoIsToldOfALoadLeavesNoLock(t *testing.T) {
	told := 0
	r := newRig(t, func(o *session.Options) {
		o.OnEvent = func(context.Context, session.Event) {
			if told++; told == 1 {
				panic("boom")
			}
		}
	})
	h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		inTime(t, func() {
			if recovered(func() { _, _ = r.Load(req.Context()) }) != "boom" {
				t.Error("OnEvent did not panic")
			}
			s, err := r.Load(req.Context())
			if err != nil {
				t.Error(err)
				return
			}
			s.Set("x", 1)
		})
	}))
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.Fallback(req, func(ctx context.Context) (string, error) {
		r.Report(ctx, session.Event{Kind: session.EventRefused})
		return "", nil
	}, nil))
	if told != 2 || len(w.Result().Cookies()) != 1 { // refused and created
		t.Errorf("%d events, status %d", told, w.Code)
	}
}

// Whoever is told of a load that fails may ask for its session, and is told why there is none, as the handler is.
func TestALoadThatFailsKeepsItsCauseForAllWhoAsk(t *testing.T) {
	var heard []error
	r := newRig(t, func(o *session.Options) {
		o.OnEvent = func(ctx context.Context, _ session.Event) {
			_, err := session.Load(ctx)
			heard = append(heard, err, session.From(ctx).Err())
		}
	})
	h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		heard = append(heard, session.From(req.Context()).Err())
	}))
	req := httptest.NewRequest("GET", "https://app.example.com/", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.Fallback(req, func(ctx context.Context) (string, error) {
		r.Report(ctx, session.Event{Kind: session.EventRefused})
		return "", errForeign
	}, nil))
	for _, err := range heard {
		if !errors.Is(err, errForeign) {
			t.Errorf("somebody is told %v, want the error of the load", err)
		}
	}
	if len(heard) != 3 || w.Code != http.StatusInternalServerError {
		t.Errorf("%d were told, and the status is %d", len(heard), w.Code)
	}
}

// Another goroutine of the handler asks meanwhile. It waits for nobody, and learns the cause too; afterwards the store
// is asked again.
func TestWhoeverAsksWhileAFailedLoadIsToldLearnsItsCause(t *testing.T) {
	var req *http.Request
	tries := 0
	ask := func() (err error) { inTime(t, func() { _, err = session.Load(req.Context()) }); return err }
	r := newRig(t, func(o *session.Options) {
		o.OnEvent = func(context.Context, session.Event) {
			if err := ask(); !errors.Is(err, errForeign) || tries != 1 {
				t.Errorf("the other goroutine is told %v after %d tries", err, tries)
			}
		}
	})
	h := r.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, own *http.Request) {
		req = own
		if err := ask(); !errors.Is(err, errForeign) {
			t.Errorf("the handler is told %v", err)
		}
		if err := ask(); err != nil || tries != 2 {
			t.Errorf("asked again, it is told %v after %d tries", err, tries)
		}
	}))
	h.ServeHTTP(httptest.NewRecorder(), r.Fallback(httptest.NewRequest("GET", "https://app.example.com/", nil),
		func(ctx context.Context) (string, error) {
			if tries++; tries > 1 {
				return "", nil
			}
			r.Report(ctx, session.Event{Kind: session.EventRefused})
			return "", errForeign
		}, nil))
}
