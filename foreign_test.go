package session_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// newcomer is a session of another library, of somebody who is signed in there.
type newcomer struct {
	session.Foreign
	filled, ended atomic.Int64
}

func newNewcomer(token, user string) *newcomer {
	n := new(newcomer)
	n.Foreign = session.Foreign{
		Token: token,
		Fill: func(_ context.Context, s *session.Session) (bool, error) {
			n.filled.Add(1)
			s.Login(user)
			s.Set("from", "the other library")
			return true, nil
		},
		End: func(context.Context) error { n.ended.Add(1); return nil },
	}
	return n
}

// newTakeOver is a rig that takes sessions of another library over.
func newTakeOver(t *testing.T, change ...func(*session.Options)) *rig {
	t.Helper()
	r := newRig(t, change...)
	if err := r.AllowTakeOver("old", 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestATokenMakesOneSessionHoweverManyBringIt(t *testing.T) {
	limit := func(o *session.Options) { o.MaxPerUser = 1 }
	r := newTakeOver(t, limit)
	other := r.node(limit)
	if err := other.AllowTakeOver("old", time.Hour); err != nil {
		t.Fatal(err)
	}
	n := newNewcomer("token", "ada")
	tickets := make([]string, 32)
	var all sync.WaitGroup
	for i := range tickets {
		m := []*session.Manager{r.Manager, other.Manager}[i%2]
		all.Go(func() {
			var err error
			if tickets[i], err = m.TakeOver(t.Context(), n.Foreign); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, ticket := range tickets {
		if ticket == "" || ticket != tickets[0] {
			t.Fatalf("the tickets differ: %d of %d bytes", len(ticket), len(tickets[0]))
		}
	}
	infos, err := r.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 1 || n.ended.Load() == 0 || r.ev.count(session.EventEvicted) != 0 {
		t.Errorf("Sessions = %+v, %v; ended %d times", infos, err, n.ended.Load())
	}
	if s, err := r.Open(t.Context(), tickets[0]); err != nil || s.User() != "ada" || len(s.All()) != 1 {
		t.Errorf("the session is of %q, with %v, %v", s.User(), s.All(), err)
	}
}

// What Fill does may begin the session anew. The old one is ended all the same.
func TestATakeOverIsDoneWhateverFillBeginsAnew(t *testing.T) {
	for name, first := range map[string]func(*session.Session){
		"another user":       func(s *session.Session) { s.Login("bob") },
		"a Login and Logout": func(s *session.Session) { s.Login("bob"); s.Logout() },
		"a Clear":            (*session.Session).Clear,
	} {
		r := newTakeOver(t)
		n := newNewcomer("token", "ada")
		fill := n.Fill
		n.Fill = func(ctx context.Context, s *session.Session) (bool, error) { first(s); return fill(ctx, s) }
		ticket, err := r.TakeOver(t.Context(), n.Foreign)
		s, openErr := r.Open(t.Context(), ticket)
		if err != nil || openErr != nil || s.User() != "ada" || len(s.All()) != 1 || n.ended.Load() != 1 {
			t.Errorf("%s: TakeOver = %v, the session is that of %q with %v, and the old one was ended %d times", name,
				err, s.User(), s.All(), n.ended.Load())
		}
	}
}

// Whoever looks before the session is taken over, and asks the old library after it was ended there, gets it too.
func TestWhoComesBetweenTheEndOfOneAndTheOtherGetsTheSession(t *testing.T) {
	r := newTakeOver(t)
	n := newNewcomer("token", "ada")
	var first string
	late := n.Foreign
	late.Fill = func(ctx context.Context, _ *session.Session) (bool, error) {
		var err error
		first, err = r.TakeOver(ctx, n.Foreign)
		return false, err
	}
	if ticket, err := r.TakeOver(t.Context(), late); ticket == "" || ticket != first || err != nil {
		t.Errorf("TakeOver: %v, want the ticket of the one who came first", err)
	}
}

func TestATokenOpensNothingOnceItsSessionIsOver(t *testing.T) {
	for name, end := range map[string]func(r *rig, s *session.Session) error{
		"logout": func(r *rig, s *session.Session) error { s.Logout(); return s.Save(r.t.Context()) },
		"revoke": func(r *rig, s *session.Session) error {
			_, err := r.Revoke(r.t.Context(), s.ID())
			return err
		},
		"login":    func(r *rig, s *session.Session) error { s.Login("ada"); return s.Save(r.t.Context()) },
		"lifetime": func(r *rig, _ *session.Session) error { r.clock.advance(3 * time.Hour); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			r := newTakeOver(t, func(o *session.Options) { o.Lifetime = 2 * time.Hour })
			n := newNewcomer("token", "ada")
			ticket, err := r.TakeOver(t.Context(), n.Foreign)
			if err != nil {
				t.Fatal(err)
			}
			s, err := r.Open(t.Context(), ticket)
			if err == nil {
				err = end(r, s)
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if ticket, err := r.TakeOver(t.Context(), n.Foreign); ticket != "" || err != nil {
					t.Errorf("the token opens a session again: %v", err)
				}
				r.clock.advance(time.Hour)
				if _, err := r.Sweep(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Whoever began a take-over and crashed keeps others out for ten seconds, and not for ever.
func TestATakeOverThatNobodyEndsIsTakenUp(t *testing.T) {
	r := newTakeOver(t)
	n := newNewcomer("token", "ada")
	fill := n.Fill
	n.Fill = func(ctx context.Context, s *session.Session) (bool, error) {
		saves := 0
		r.store.hook(func(call, _ string) error { // from here on the claim is all that is stored
			if saves += strings.Count(call, "save"); saves > 1 || call == "delete" {
				return errors.New("down")
			}
			return nil
		})
		return fill(ctx, s)
	}
	if _, err := r.TakeOver(t.Context(), n.Foreign); !errors.Is(err, session.ErrUnavailable) {
		t.Fatalf("TakeOver = %v, want ErrUnavailable", err)
	}
	r.store.hook(nil)
	ctx, giveUp := context.WithCancel(t.Context())
	n.Fill = func(ctx context.Context, s *session.Session) (bool, error) {
		if n.filled.Load() > 3 {
			giveUp()
		}
		return fill(ctx, s)
	}
	if ticket, err := r.TakeOver(ctx, n.Foreign); ticket != "" || err == nil {
		t.Errorf("at once: %v, want an error", err)
	}
	r.clock.advance(11 * time.Second)
	if ticket, err := r.TakeOver(t.Context(), n.Foreign); ticket == "" || err != nil {
		t.Errorf("after the claim is over: %v, want a ticket", err)
	}
}

func TestATokenIsTakenOverOnceWhileASecretIsReplaced(t *testing.T) {
	r := newTakeOver(t)
	rotated := r.node(func(o *session.Options) { o.Secrets = []session.Secret{session.NewSecret(), testSecret} })
	if err := rotated.AllowTakeOver("old", time.Hour); err != nil {
		t.Fatal(err)
	}
	n := newNewcomer("token", "ada")
	for _, m := range []*session.Manager{r.Manager, rotated.Manager} {
		if ticket, err := m.TakeOver(t.Context(), n.Foreign); ticket == "" || err != nil || n.filled.Load() != 1 {
			t.Errorf("TakeOver: %v, after %d loads of the old session", err, n.filled.Load())
		}
	}
}

func TestTheCostOfATakeOverIsKnown(t *testing.T) {
	for secrets, costs := range map[int][]int{1: {7, 1}, 2: {12, 1}} {
		r := newTakeOver(t, func(o *session.Options) {
			o.Secrets = append(o.Secrets, session.NewSecret())[:secrets]
		})
		n := newNewcomer("token", "ada")
		for i, want := range costs {
			r.store.reset()
			ticket, err := r.TakeOver(t.Context(), n.Foreign)
			if ticket == "" || err != nil || r.store.total() != want {
				t.Errorf("%d secrets, call %d: %v, with %d calls of the store, want %d", secrets, i+1, err,
					r.store.total(), want)
			}
		}
		unknown := n.Foreign
		unknown.Token = "made up"
		unknown.Fill = func(context.Context, *session.Session) (bool, error) { return false, nil }
		r.store.reset()
		ticket, err := r.TakeOver(t.Context(), unknown)
		if ticket != "" || err != nil || r.store.calls["save"] != 0 || r.store.total() != 2*secrets {
			t.Errorf("%d secrets, a token that is unknown: %v, with the calls %v", secrets, err, r.store.calls)
		}
	}
}

func TestTakeOverWantsToBeAllowed(t *testing.T) {
	r := newRig(t)
	if _, err := r.TakeOver(t.Context(), newNewcomer("token", "ada").Foreign); err == nil {
		t.Error("TakeOver works without AllowTakeOver")
	}
	if err := r.AllowTakeOver("__Host-Http-session", time.Hour); err == nil {
		t.Error("the cookie of both libraries may have one name")
	}
	for _, lasts := range []time.Duration{-time.Hour, 0, 24} {
		if err := r.AllowTakeOver("old", lasts); err == nil {
			t.Errorf("old sessions may live for %v", lasts)
		}
	}
}

// falling is a request of v with something to fall back to.
func (v *visitor) falling(find func(context.Context) (string, error), fn func(*session.Session)) *http.Response {
	v.t.Helper()
	h := v.m.Preload(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { fn(session.From(r.Context())) }))
	return v.through(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, v.m.Fallback(r, find, func(h http.Header) { h.Add("X-Sent", "1") }))
	}), "GET")
}

func TestARequestFallsBackToTheSessionOfAnotherTicket(t *testing.T) {
	r := newRig(t)
	adas, _ := r.signIn("ada")
	ticket := adas.ticket()
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("cart", "hat") })
	find := func(context.Context) (string, error) { return ticket, nil }
	resp := v.falling(find, func(s *session.Session) {
		if s.User() != "ada" || s.IsNew() || s.Get("cart") != "hat" {
			t.Errorf("the session is of %q, with %v", s.User(), s.All())
		}
	})
	if len(resp.Cookies()) != 1 || v.ticket() != ticket || resp.Header.Get("X-Sent") != "1" ||
		resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the response has the header %v", resp.Header)
	}
	v.with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("cart") != "hat" {
			t.Errorf("the next request has %q, with %v", s.User(), s.All())
		}
	})
	v.falling(func(context.Context) (string, error) { t.Error("who is signed in falls back"); return "", nil },
		func(*session.Session) {})
}

func TestAFallbackThatFindsNothingChangesNothing(t *testing.T) {
	r := newRig(t)
	for _, ticket := range []string{"", "v1.x"} {
		resp := r.visitor().falling(func(context.Context) (string, error) { return ticket, nil },
			func(s *session.Session) {
				if !s.IsNew() {
					t.Error("the session is not new")
				}
			})
		if len(resp.Cookies()) != 0 {
			t.Errorf("the response sets %v", resp.Cookies())
		}
	}
	resp := r.visitor().falling(func(context.Context) (string, error) { return "", session.ErrUnavailable },
		func(*session.Session) { t.Error("the handler runs") })
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("X-Sent") != "" {
		t.Errorf("%d with the header %v, want a 503", resp.StatusCode, resp.Header)
	}
}
