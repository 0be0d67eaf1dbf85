package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// lossy is a store whose answers can be lost: the call took effect, and the caller is given the error of after.
type lossy struct {
	fullStore
	mu    sync.Mutex
	after func(call string) error
}

// then has a function say what becomes of the answers from now on. Nil: they arrive. The manager may remove what a
// failure left meanwhile.
func (l *lossy) then(after func(call string) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.after = after
}

func (l *lossy) lost(call string, err error) error {
	l.mu.Lock()
	after := l.after
	l.mu.Unlock()
	if err == nil && after != nil {
		return after(call)
	}
	return err
}

func (l *lossy) Load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := l.fullStore.Load(ctx, id)
	if err = l.lost("load", err); err != nil {
		return nil, err
	}
	return rec, nil
}

func (l *lossy) Save(ctx context.Context, rec *session.Record) error {
	return l.lost("save", l.fullStore.Save(ctx, rec))
}

func (l *lossy) Delete(ctx context.Context, id string) error {
	return l.lost("delete", l.fullStore.Delete(ctx, id))
}

func (l *lossy) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	return l.lost("touch", l.fullStore.Touch(ctx, id, version, seen, expires))
}

// nth fails the n-th call from now, counted from 1, and all that follow when forever is set.
func nth(n int, forever bool, err error) func() error {
	var calls atomic.Int64 // the manager removes what a failure left while the request goes on
	return func() error {
		if c := int(calls.Add(1)); c == n || forever && c > n {
			return err
		}
		return nil
	}
}

// action is something a request does to the session of ada, which has x = 1.
type action struct {
	name string
	do   func(*session.Session)
	done func(*session.Session) bool // whether the next request sees what it did
}

var actions = []action{
	{"write", func(s *session.Session) { s.Set("x", 2) }, func(s *session.Session) bool {
		return s.User() == "ada" &&
			s.Get("x") == int64(2)
	}},
	{"login again", func(s *session.Session) { s.Login("ada"); s.Set("x", 3) },
		func(s *session.Session) bool { return s.User() == "ada" && s.Get("x") == int64(3) }},
	{"login as another", func(s *session.Session) { s.Login("bob") },
		func(s *session.Session) bool { return s.User() == "bob" && !s.Has("x") }},
	{"regenerate", func(s *session.Session) { s.Regenerate(); s.Set("x", 4) },
		func(s *session.Session) bool { return s.User() == "ada" && s.Get("x") == int64(4) }},
	{"confirm", func(s *session.Session) { s.Confirm("otp") },
		func(s *session.Session) bool { return s.User() == "ada" && !s.FactorAt("otp").IsZero() && s.Has("x") }},
	{"logout", (*session.Session).Logout, func(s *session.Session) bool { return s.User() == "" && !s.Has("x") }},
	{"logout and set", func(s *session.Session) { s.Logout(); s.Set("x", 5) },
		func(s *session.Session) bool { return s.User() == "" && s.Get("x") == int64(5) }},
	{"invalidate and flash", func(s *session.Session) { s.Invalidate(); s.Flash("x", 6) },
		func(s *session.Session) bool { return s.User() == "" && s.Get("x") == int64(6) }},
}

func untouched(s *session.Session) bool {
	return s.User() == "ada" && s.Get("x") == int64(1) && len(s.Factors()) == 0
}

// reply sends a request that does the action and answers with a body and headers of its own.
func (a action) reply(v *visitor) (*http.Response, string) {
	v.t.Helper()
	resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		a.do(s)
		w.Header().Set("ETag", `"of-the-handler"`)
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, "hello")
	})
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp, string(body)
}

// sees reports what the next request of the visitor finds.
func sees(v *visitor, check func(*session.Session) bool) (ok bool) {
	v.t.Helper()
	v.with(func(s *session.Session) { ok = check(s) })
	return ok
}

func checkClean503(t *testing.T, resp *http.Response, body string) {
	t.Helper()
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || body == "hello" {
		t.Errorf("got %d, Retry-After %q, body %q, want one clean 503", resp.StatusCode, resp.Header.Get("Retry-After"),
			body)
	}
	if resp.Header["Set-Cookie"] != nil || resp.Header.Get("ETag") != "" || resp.Header.Get("Content-Length") == "5" ||
		resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the answer has a cookie or headers of the handler: %v", resp.Header)
	}
}

// Whatever call of the store fails, the request leaves no trace, and succeeds when it is sent again.
func TestEachFailingCallGivesOneClean503AndLosesNothing(t *testing.T) {
	failures := map[string]error{
		"error": errDown, "timeout": context.DeadlineExceeded, "cancel": context.Canceled,
		"wrapped": fmt.Errorf("driver: %w", errDown), "unavailable": session.ErrUnavailable,
	}
	for _, a := range actions {
		for what, failure := range failures {
			for _, forever := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/forever=%v", a.name, what, forever), func(t *testing.T) {
					for n := 1; failsAt(t, a, n, forever, failure); n++ {
					}
				})
			}
		}
	}
}

// failsAt lets the n-th call fail and reports whether there was one.
func failsAt(t *testing.T, a action, n int, forever bool, failure error) bool {
	t.Helper()
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	ticket := v.ticket()
	fail, failed := nth(n, forever, failure), false
	r.store.hook(func(string, string) error {
		err := fail()
		failed = failed || err != nil
		return err
	})
	resp, body := a.reply(v)
	r.store.hook(nil)
	if !failed {
		if resp.StatusCode != http.StatusCreated || !sees(v, a.done) {
			t.Errorf("without a failure: status %d, or not done", resp.StatusCode)
		}
		return false
	}
	checkClean503(t, resp, body)
	if v.ticket() != ticket {
		t.Errorf("call %d: the ticket changed", n)
	}
	if !sees(v, untouched) {
		t.Errorf("call %d: the session is not as it was", n)
	}
	for _, user := range []string{"ada", "bob"} {
		want := map[string]int{"ada": 1}[user]
		if infos, err := r.Sessions(context.Background(), user); !forever && (err != nil || len(infos) != want) {
			t.Errorf("call %d: %s has %d sessions (%v), want %d", n, user, len(infos), err, want)
		}
	}
	if resp, _ := a.reply(v); resp.StatusCode != http.StatusCreated || !sees(v, a.done) {
		t.Errorf("call %d: sent again: status %d, or not done", n, resp.StatusCode)
	}
	return true
}

// A call that took effect although its answer was lost: the request is done or undone, never half, and nobody is left
// without a session who did not ask for that.
func TestACallWhoseAnswerIsLostIsDoneOrUndone(t *testing.T) {
	for _, a := range actions {
		for n := 1; n <= 4; n++ {
			t.Run(fmt.Sprintf("%s/call %d", a.name, n), func(t *testing.T) {
				store := &lossy{fullStore: memstore.New(memstore.Options{})}
				r := newRigOn(t, store)
				v := r.visitor()
				v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
				lose := nth(n, false, errDown)
				store.then(func(string) error { return lose() })
				resp, _ := a.reply(v)
				store.then(nil)
				var was, is bool
				v.with(func(s *session.Session) { was, is = untouched(s), a.done(s) })
				switch {
				case resp.StatusCode == http.StatusCreated && !is:
					t.Error("answered as done, and is not")
				case resp.StatusCode == http.StatusServiceUnavailable && resp.Header["Set-Cookie"] != nil:
					t.Error("a 503 with a cookie")
				case !was && !is:
					t.Error("neither done nor undone")
				}
				if n := r.listedOf("ada", "bob"); n > 1 {
					t.Errorf("%d sessions are listed, want at most one", n)
				}
			})
		}
	}
}

// listedOf counts the sessions that users see in their lists.
func (r *rig) listedOf(users ...string) (n int) {
	r.t.Helper()
	for _, user := range users {
		infos, err := r.Sessions(context.Background(), user)
		if err != nil {
			r.t.Fatal(err)
		}
		n += len(infos)
	}
	return n
}

// The store hangs: the commit gives up after its own five seconds, not with the client.
func TestAHangingStoreIsGivenUpAfterFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRigOn(t, &hanging{fullStore: memstore.New(memstore.Options{})})
		v := r.visitor()
		began := time.Now()
		resp, body := actions[0].reply(v)
		checkClean503(t, resp, body)
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("the commit took %v, want 5 s", took)
		}
	})
}

type hanging struct{ fullStore }

func (h *hanging) Save(ctx context.Context, _ *session.Record) error {
	<-ctx.Done()
	return ctx.Err()
}

// The store hangs at the load: the request is answered, although the client has the patience to wait for ever.
func TestAHangingLoadIsGivenUpAfterFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := &hangingLoad{fullStore: memstore.New(memstore.Options{})}
		r := newRigOn(t, hangs)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Set("x", 1) })
		ticket := v.ticket()
		hangs.on.Store(true)
		began := time.Now()
		resp := v.with(func(s *session.Session) { t.Error("the handler got a session") })
		if resp.StatusCode != http.StatusServiceUnavailable || time.Since(began) != 5*time.Second {
			t.Errorf("status %d after %v, want 503 after 5 s", resp.StatusCode, time.Since(began))
		}
		if v.ticket() != ticket {
			t.Error("the outage changed the cookie")
		}
	})
}

type hangingLoad struct {
	fullStore
	on atomic.Bool
}

func (h *hangingLoad) Load(ctx context.Context, id string) (*session.Record, error) {
	if h.on.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.fullStore.Load(ctx, id)
}

func (h *hangingLoad) Save(ctx context.Context, rec *session.Record) error {
	if h.on.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.fullStore.Save(ctx, rec)
}

// What a handler or a job asks of a store that hangs ends, too: after five seconds, or when their own context says so.
func TestAStoreThatHangsHoldsNoHandlerUp(t *testing.T) {
	set := func(s *session.Session) error { s.Set("x", 2); return nil }
	for name, do := range map[string]func(context.Context, *rig, *session.Session) error{
		"Save": func(ctx context.Context, _ *rig, s *session.Session) error {
			s.Regenerate()
			return s.Save(ctx)
		},
		"Reload": func(ctx context.Context, _ *rig, s *session.Session) error { return s.Reload(ctx) },
		"Atomic": func(ctx context.Context, _ *rig, s *session.Session) error { return s.Atomic(ctx, set) },
		"Open": func(ctx context.Context, r *rig, s *session.Session) error {
			_, err := r.Open(ctx, s.Token())
			return err
		},
	} {
		for own, want := range map[time.Duration]time.Duration{
			0: 5 * time.Second, time.Second: time.Second, time.Minute: time.Minute,
		} {
			synctest.Test(t, func(t *testing.T) {
				hangs := &hangingLoad{fullStore: memstore.New(memstore.Options{})}
				r := newRigOn(t, hangs)
				v := r.visitor()
				v.with(signInAda)
				s, err := r.Open(bg, v.ticket())
				if err != nil {
					t.Fatal(err)
				}
				ctx := context.Context(bg)
				if own > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, own)
					defer cancel()
				}
				hangs.on.Store(true)
				began := time.Now()
				err = do(ctx, r, s)
				if took := time.Since(began); !errors.Is(err, session.ErrUnavailable) || took != want {
					t.Errorf("%s with %v: %v after %v, want ErrUnavailable after %v", name, own, err, took, want)
				}
				hangs.on.Store(false)
			})
		}
	}
}

func TestAFailingTouchOrRenewalDoesNotFailARead(t *testing.T) {
	for _, call := range []string{"touch", "save", "delete"} {
		for _, renew := range []time.Duration{0, time.Hour} {
			t.Run(fmt.Sprintf("%s/renew=%v", call, renew), func(t *testing.T) {
				r := newRig(t, func(o *session.Options) { o.RenewEvery = renew })
				v := r.visitor()
				v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
				ticket := v.ticket()
				r.clock.advance(2 * time.Hour)
				r.store.hook(func(c, _ string) error {
					if c == call {
						return errDown
					}
					return nil
				})
				resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
					if !untouched(s) {
						t.Error("the session is not readable")
					}
					io.WriteString(w, "hello")
				})
				if resp.StatusCode != http.StatusOK {
					t.Errorf("status %d, want 200", resp.StatusCode)
				}
				if failed := call != "delete" && (renew > 0) == (call == "save"); failed && v.ticket() != ticket {
					t.Error("the ticket changed")
				}
				r.store.hook(nil)
				if !sees(v, untouched) {
					t.Error("the session is lost")
				}
				if infos, _ := r.Sessions(context.Background(), "ada"); len(infos) != 1 {
					t.Errorf("%d sessions, want 1", len(infos))
				}
				if renew > 0 && v.ticket() == ticket {
					t.Error("the renewal was not tried again")
				}
			})
		}
	}
}

// A renewal that failed leaves the id's age as it was: a later change in the same response must not make the id young.
func TestAFailedRenewalIsTriedAgainAlthoughTheRequestWritesLater(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Hour })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	ticket := v.ticket()
	r.clock.advance(2 * time.Hour)
	r.store.hook(func(c, _ string) error {
		if c == "save" {
			return errDown
		}
		return nil
	})
	v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		io.WriteString(w, "the headers are out")
		r.store.hook(nil)
		s.Set("late", true)
	})
	v.with(func(s *session.Session) {
		if s.Get("late") != true {
			t.Error("the late change is lost")
		}
	})
	if v.ticket() == ticket {
		t.Error("the next request does not renew the id")
	}
}

// The request came with a renewed ticket, so it has a new one to hand out; but the session is to be ended, and the
// store fails.
func TestAFailingLogoutThroughARenewedTicketKeepsTheCookie(t *testing.T) {
	for _, a := range actions {
		t.Run(a.name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Hour })
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
			old := v.clone()
			r.clock.advance(2 * time.Hour)
			v.with(func(*session.Session) {})
			r.store.hook(func(c, _ string) error {
				if c == "save" || c == "delete" { // a store that can delete is full, and ends a session so
					return errDown
				}
				return nil
			})
			resp, _ := a.reply(old)
			r.store.hook(nil)
			if resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("status %d, want 503", resp.StatusCode)
			}
			for _, c := range resp.Cookies() {
				if c.MaxAge < 0 || c.Value == "" {
					t.Error("the 503 deletes the cookie")
				}
			}
			if !sees(old, untouched) {
				t.Error("the visitor was logged out by an outage")
			}
		})
	}
}

// What a Save stored must reach the client, also when a later commit of the same request fails: its old ticket is
// retired.
func TestTheTicketOfAnEarlierSaveIsToldWhenALaterCommitFails(t *testing.T) {
	for name, later := range map[string]func(*session.Session){
		"write": func(s *session.Session) { s.Set("x", 2) }, "logout": (*session.Session).Logout,
		"refused": func(s *session.Session) { s.Set("a..b", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("x", 1) })
			resp := v.with(func(s *session.Session) {
				s.Login("ada")
				if err := s.Save(context.Background()); err != nil {
					t.Fatal(err)
				}
				later(s)
				r.store.hook(func(string, string) error { return errDown })
			})
			r.store.hook(nil)
			if resp.StatusCode < 500 {
				t.Errorf("status %d, want an error", resp.StatusCode)
			}
			if !sees(v, untouched) {
				t.Error("the client has only the retired ticket")
			}
		})
	}
}

func TestARecordThatCannotBeReadGivesAnEmptySessionAndStays(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	r.store.hook(func(c, _ string) error {
		if c == "load" {
			return fmt.Errorf("row 7: %w", session.ErrCorrupt)
		}
		return nil
	})
	resp := v.with(func(s *session.Session) {
		if !s.IsNew() || s.User() != "" || s.Has("x") || s.Expired() {
			t.Error("a record that cannot be read gives something")
		}
	})
	r.store.hook(nil)
	if resp.StatusCode != http.StatusOK || resp.Header["Set-Cookie"] != nil {
		t.Errorf("status %d, Set-Cookie %v, want 200 and none", resp.StatusCode, resp.Header["Set-Cookie"])
	}
	if r.ev.count(session.EventRejected) != 1 {
		t.Errorf("%d events rejected, want 1", r.ev.count(session.EventRejected))
	}
	if !sees(v, untouched) {
		t.Error("the record is gone")
	}
}

// OnError may answer in its own way, or not at all.
func TestOnErrorAnswersOrTheDefaultDoes(t *testing.T) {
	for _, writes := range []bool{true, false} {
		t.Run(fmt.Sprintf("writes=%v", writes), func(t *testing.T) {
			var told []error
			r := newRig(t, func(o *session.Options) {
				o.OnError = func(w http.ResponseWriter, _ *http.Request, err error) {
					told = append(told, err)
					if writes {
						w.WriteHeader(http.StatusTeapot)
					}
				}
			})
			v := r.visitor()
			r.store.hook(func(string, string) error { return errDown })
			resp, body := actions[0].reply(v)
			want := map[bool]int{true: http.StatusTeapot, false: http.StatusServiceUnavailable}[writes]
			if resp.StatusCode != want || body == "hello" {
				t.Errorf("status %d, body %q, want %d", resp.StatusCode, body, want)
			}
			if len(told) != 1 || !errors.Is(told[0], session.ErrUnavailable) || !errors.Is(told[0], errDown) {
				t.Errorf("OnError was told %v, want once ErrUnavailable with its reason", told)
			}
		})
	}
}
