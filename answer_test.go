package session_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// failing makes the calls of a kind fail.
func (r *rig) failing(kind string) {
	r.store.hook(func(call, _ string) error {
		if call == kind {
			return errDown
		}
		return nil
	})
}

// A proxy that cannot write its response gives up with http.ErrAbortHandler, huma with the error of the write, and the
// server cuts the connection. When the answer to a failed commit is out, there is nothing to give up. Any other panic
// goes on, and so do these without an answer.
func TestAnAbortKeepsTheAnswerThatIsOut(t *testing.T) {
	boom, ofWrite := errors.New("boom"), errors.New("the error of the write")
	for name, c := range map[string]struct {
		fails   bool
		with    any
		onError func(http.ResponseWriter, *http.Request, error)
		want    any
	}{
		"a failed commit": {true, http.ErrAbortHandler, nil, nil},
		"a failed write":  {true, ofWrite, nil, nil},
		"another panic":   {true, boom, nil, boom},
		"no failure":      {false, http.ErrAbortHandler, nil, http.ErrAbortHandler},
		"no answer": {true, nil, func(http.ResponseWriter, *http.Request, error) {
			panic(http.ErrAbortHandler)
		}, http.ErrAbortHandler},
		"no comparable type": {true, []int{1}, nil, "[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.OnError = c.onError })
			if c.fails {
				r.failing("save")
			}
			w := httptest.NewRecorder()
			h := r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
				s.Set("x", 1)
				if _, err := w.Write([]byte("half")); c.with == ofWrite {
					panic(fmt.Errorf("no response: %w", err))
				} else if err != nil || !c.fails {
					panic(c.with)
				}
			})
			got := recovered(func() { h.ServeHTTP(w, httptest.NewRequest("GET", "https://app.example.com/", nil)) })
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("panic %v, want %v", got, c.want)
			}
			if c.want == nil && (w.Code != 503 || strings.Contains(w.Body.String(), "half")) {
				t.Errorf("status %d, body %q", w.Code, w.Body)
			}
		})
	}
}

// Anybody can hang up. That is no outage: no error in the log, no 503, and nobody is asked for an answer.
func TestAClientThatHungUpIsNoOutage(t *testing.T) {
	for name, c := range map[string]struct {
		hangsUp bool
		fails   error
		status  int
		level   string
	}{
		"the client went":               {true, context.Canceled, 499, "DEBUG"},
		"the store failed meanwhile":    {true, errDown, 503, "ERROR"},
		"the store says so by itself":   {false, context.Canceled, 503, "ERROR"},
		"the store took too much time":  {false, context.DeadlineExceeded, 503, "ERROR"},
		"the client went, after a time": {true, context.DeadlineExceeded, 503, "ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			log, asked := &logged{}, 0
			r := newRig(t, log.to, func(o *session.Options) {
				o.OnError = func(http.ResponseWriter, *http.Request, error) { asked++ }
			})
			v := r.visitor()
			v.with(put("x", 1))
			ctx, cancel := context.WithCancel(t.Context())
			r.store.hook(func(string, string) error {
				if c.hangsUp {
					cancel()
				}
				return c.fails
			})
			req := httptest.NewRequestWithContext(ctx, "GET", "https://app.example.com/", nil)
			req.Header.Set("Cookie", newName+"="+v.ticket())
			w := httptest.NewRecorder()
			r.HandlerFunc(func(http.ResponseWriter, *http.Request, *session.Session) {
				t.Error("the handler ran")
			}).ServeHTTP(w, req)
			if w.Code != c.status || !log.has(c.level, "request failed") ||
				strings.Contains(log.text(), "level=ERROR") != (c.level == "ERROR") {
				t.Errorf("status %d, want %d; log %s", w.Code, c.status, log.text())
			}
			if want := 1; (asked == want) == (c.status == 499) {
				t.Errorf("OnError was asked %d times", asked)
			}
			cancel()
		})
	}
}

// A visitor who signed out in another tab is no warning, when the page that was only read was due for a new id.
func TestAReaderWhoseSessionEndedElsewhereIsNoWarning(t *testing.T) {
	log := &logged{}
	r := newRig(t, log.to, func(o *session.Options) { o.RenewEvery = time.Minute })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	other := v.clone()
	r.clock.advance(2 * time.Minute)
	resp := v.with(func(s *session.Session) {
		other.with((*session.Session).Logout)
		s.User()
	})
	if resp.StatusCode != 200 || strings.Contains(log.text(), "level=WARN") || !log.has("INFO", "refresh") {
		t.Errorf("status %d, log %s", resp.StatusCode, log.text())
	}
}

// Whoever answers a failure may want to know whose request it was, after a failed commit as after a failed load.
func TestOnErrorHasTheRequestOfTheHandler(t *testing.T) {
	user := ""
	r := newRig(t, func(o *session.Options) {
		o.OnError = func(w http.ResponseWriter, r *http.Request, _ error) {
			if s, err := session.Load(r.Context()); err == nil {
				user = s.User()
				s.Set("late", 1)
			}
		}
	})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	r.failing("save")
	if resp := v.with(put("x", 1)); resp.StatusCode != 503 || user != "ada" {
		t.Errorf("status %d, user %q", resp.StatusCode, user)
	}
	r.store.hook(nil)
	v.with(func(s *session.Session) {
		if s.Has("late") || s.Has("x") {
			t.Errorf("data %v", s.All())
		}
	})
}

// The commit has the values of the request and not its end, nor the reason of it.
func TestACommitKnowsNothingOfTheEndOfItsRequest(t *testing.T) {
	store := &asking{Store: memstore.New(memstore.Options{})}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: session.Never})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), asking{}, "value"))
	req := httptest.NewRequestWithContext(ctx, "GET", "https://app.example.com/", nil)
	m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("x", 1)
		cancel(errDown)
	}).ServeHTTP(httptest.NewRecorder(), req)
	if store.err != nil || store.cause != nil || store.value != "value" {
		t.Errorf("Err %v, Cause %v, Value %v", store.err, store.cause, store.value)
	}
}

type asking struct {
	session.Store
	err, cause error
	value      any
}

func (a *asking) Save(ctx context.Context, rec *session.Record) error {
	a.err, a.cause, a.value = ctx.Err(), context.Cause(ctx), ctx.Value(asking{})
	return a.Store.Save(ctx, rec)
}

// Whose logout was not answered brings the retired ticket for a while. To load the page again does not help then; the
// answer says when to try again, and that a sign-in does.
func TestARetiredTicketIsToldWhenToTryAgain(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewGrace = 1500 * time.Millisecond })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	lost := v.clone()
	v.with((*session.Session).Logout)
	resp := lost.with(put("x", 1))
	if resp.StatusCode != 409 || resp.Header.Get("Retry-After") != "2" || resp.Header["Set-Cookie"] != nil {
		t.Errorf("status %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	r.clock.advance(2 * time.Second)
	if resp := lost.with(put("x", 1)); resp.StatusCode != 200 {
		t.Errorf("when the time is over: status %d", resp.StatusCode)
	}
	// During a request it is the same; after a revocation nothing has to be waited for.
	for _, end := range []func(*visitor, string){
		func(v *visitor, _ string) { v.with((*session.Session).Logout) },
		func(_ *visitor, id string) { _, _ = r.Revoke(t.Context(), id) },
	} {
		a := r.visitor()
		a.with(func(s *session.Session) { s.Login("ada") })
		b := a.clone()
		resp := a.with(func(s *session.Session) { end(b, s.ID()); s.Set("x", 1) })
		again := a.with(put("x", 1))
		if resp.StatusCode != 409 || (resp.Header.Get("Retry-After") != "") != (again.StatusCode == 409) {
			t.Errorf("Retry-After %q, and the next request has status %d", resp.Header.Get("Retry-After"),
				again.StatusCode)
		}
	}
}

// Without a logger nothing is refused in silence: a failure reaches slog.Default, also one that was set after New.
func TestWithoutALoggerFailuresReachTheDefaultOne(t *testing.T) {
	m, err := session.New(memstore.New(memstore.Options{}), session.Options{Secrets: []session.Secret{testSecret},
		SweepEvery: session.Never})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	log := &logged{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)).With("site", "shop"))
	defer slog.SetDefault(before)
	serve := func(fn handler) {
		m.HandlerFunc(fn).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example.com/", nil))
	}
	serve(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("cart.items", make(chan int))
		s.Set("x", 1)
	})
	serve(func(w http.ResponseWriter, _ *http.Request, s *session.Session) { w.WriteHeader(200); s.Login("ada") })
	if !log.has("ERROR", "cart.items", "does not encode", "site=shop") || !log.has("WARN", "late") {
		t.Errorf("log %s", log.text())
	}
	if n := strings.Count(log.text(), "cart.items"); n != 1 {
		t.Errorf("the refusal is logged %d times", n)
	}
}
