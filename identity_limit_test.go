package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/memstore"
)

func atMost(n int, overflow session.Overflow) func(*session.Options) {
	return func(o *session.Options) { o.MaxPerUser, o.Overflow = n, overflow }
}

func signIn(user string) func(*session.Session) { return func(s *session.Session) { s.Login(user) } }

// alive is how many sessions a user has.
func (r *rig) alive(user string) int {
	r.t.Helper()
	infos, err := r.Sessions(r.t.Context(), user)
	if err != nil {
		r.t.Fatal(err)
	}
	return len(infos)
}

// user is who the manager takes a visitor for.
func (v *visitor) user() (user string) {
	v.t.Helper()
	v.with(func(s *session.Session) { user = s.User() })
	return user
}

// A user has no more sessions than MaxPerUser.
func TestTheOldestSessionGoesWhenAUserHasTooMany(t *testing.T) {
	r := newRig(t, atMost(2, session.EvictOldest))
	var visitors []*visitor
	for range 3 {
		v := r.visitor()
		v.with(signIn("ada"))
		r.clock.advance(time.Minute)
		visitors = append(visitors, v)
		visitors[0].user() // being seen last does not help who signed in first
	}
	other := r.visitor()
	other.with(signIn("bob"))
	for i, want := range []string{"", "ada", "ada"} {
		if got := visitors[i].user(); got != want {
			t.Errorf("visitor %d is %q, want %q", i, got, want)
		}
	}
	if other.user() != "bob" || r.alive("ada") != 2 {
		t.Errorf("ada has %d sessions and bob is %q, want 2 and bob", r.alive("ada"), other.user())
	}
	if n := r.ev.count(session.EventEvicted); n != 1 {
		t.Errorf("%d events evicted, want 1", n)
	}
}

func TestALoginIsRefusedWhenAUserHasTooMany(t *testing.T) {
	r := newRig(t, atMost(2, session.RefuseNew))
	a, b, c := r.visitor(), r.visitor(), r.visitor()
	a.with(signIn("ada"))
	b.with(signIn("ada"))
	c.with(func(s *session.Session) { s.Set("cart", 1) })
	before := c.ticket()
	if resp := c.with(signIn("ada")); resp.StatusCode != http.StatusForbidden || len(resp.Cookies()) != 0 {
		t.Errorf("status %d, %d cookies, want 403 and none", resp.StatusCode, len(resp.Cookies()))
	}
	c.with(func(s *session.Session) {
		if s.User() != "" || s.Get("cart") != int64(1) {
			t.Errorf("the refused session has user %q and cart %v, want it as it was", s.User(), s.Get("cart"))
		}
	})
	if c.ticket() != before || r.alive("ada") != 2 {
		t.Errorf("ada has %d sessions, want 2, and the ticket as it was", r.alive("ada"))
	}
	a.with((*session.Session).Logout)
	if resp := c.with(signIn("ada")); resp.StatusCode != http.StatusOK || c.user() != "ada" {
		t.Errorf("after a logout: status %d, user %q, want 200 and ada", resp.StatusCode, c.user())
	}
}

func TestWhatTakesTheirOwnPlaceIsNotTooMany(t *testing.T) {
	for name, again := range map[string]func(*session.Session){
		"signing in again":   signIn("ada"),
		"out and in again":   func(s *session.Session) { s.Logout(); s.Login("ada") },
		"regenerate":         (*session.Session).Regenerate,
		"confirm":            confirm,
		"a change":           func(s *session.Session) { s.Set("x", 1) },
		"renewal by the way": func(s *session.Session) { s.Get("x") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, atMost(2, session.RefuseNew), func(o *session.Options) { o.RenewEvery = time.Hour })
			a, b := r.visitor(), r.visitor()
			a.with(signIn("ada"))
			b.with(signIn("ada"))
			r.clock.advance(2 * time.Hour)
			if resp := a.with(again); resp.StatusCode != http.StatusOK {
				t.Errorf("status %d, want 200", resp.StatusCode)
			}
			if a.user() != "ada" || b.user() != "ada" || r.alive("ada") != 2 {
				t.Errorf("a is %q, b is %q, ada has %d sessions", a.user(), b.user(), r.alive("ada"))
			}
		})
	}
}

func TestAnExpiredSessionTakesNoRoom(t *testing.T) {
	r := newRig(t, atMost(1, session.RefuseNew), func(o *session.Options) { o.IdleTimeout = time.Hour })
	r.visitor().with(signIn("ada"))
	r.clock.advance(2 * time.Hour)
	if resp := r.visitor().with(signIn("ada")); resp.StatusCode != http.StatusOK {
		t.Errorf("status %d, want 200", resp.StatusCode)
	}
}

func TestALowerLimitEndsAllThatAreTooManyAtTheNextLogin(t *testing.T) {
	r := newRig(t)
	for range 5 {
		r.visitor().with(signIn("ada"))
	}
	n := r.node(atMost(2, session.EvictOldest))
	n.visitor().with(signIn("ada"))
	if got := n.alive("ada"); got != 2 {
		t.Errorf("ada has %d sessions, want 2", got)
	}
}

func TestAHundredLoginsAtOnceLeaveExactlyTheLimit(t *testing.T) {
	for _, overflow := range []session.Overflow{session.EvictOldest, session.RefuseNew} {
		t.Run(fmt.Sprint("overflow ", overflow), func(t *testing.T) {
			r := newRig(t, atMost(5, overflow))
			nodes := []*rig{r, r.node(atMost(5, overflow))}
			var wg sync.WaitGroup
			var mu sync.Mutex
			statuses := map[int]int{}
			for i := range 100 {
				v := nodes[i%2].visitor()
				wg.Go(func() {
					resp := v.with(signIn("ada"))
					mu.Lock()
					defer mu.Unlock()
					statuses[resp.StatusCode]++
				})
			}
			wg.Wait()
			want := map[int]int{200: 100}
			if overflow == session.RefuseNew {
				want = map[int]int{200: 5, 403: 95}
			}
			if fmt.Sprint(statuses) != fmt.Sprint(want) || r.alive("ada") != 5 {
				t.Errorf("statuses %v and %d sessions, want %v and 5", statuses, r.alive("ada"), want)
			}
		})
	}
}

// A login that meets a renewal must not take the session, which is listed twice for a moment, for two.
func TestALoginBesideARenewalEndsNoSessionTooMany(t *testing.T) {
	synctest.Test(t, aLoginBesideARenewal)
}

func aLoginBesideARenewal(t *testing.T) {
	x := &explore.Explorer{Preemptions: -1, Settled: synctest.Wait}
	orders, err := x.Search(func() ([]func(context.Context), func() error, error) {
		clock, store := newClock(), memstore.New(memstore.Options{})
		opts := session.Options{Secrets: []session.Secret{testSecret}, Now: clock.now, SweepEvery: -1,
			RenewEvery: time.Hour, MaxPerUser: 3}
		m, err := session.New(x.Steps(store), opts)
		if err != nil {
			t.Fatal(err)
		}
		var tickets []string
		for range 3 {
			s, _ := m.Open(context.Background(), "")
			s.Login("ada")
			if err := s.Save(context.Background()); err != nil {
				t.Fatal(err)
			}
			tickets = append(tickets, s.Token())
			clock.advance(time.Minute)
		}
		clock.advance(2 * time.Hour)
		request := func(ticket string, do func(*session.Session)) func(context.Context) {
			return func(ctx context.Context) {
				r := httptest.NewRequestWithContext(ctx, "GET", "https://app.example.com/", nil)
				r.AddCookie(&http.Cookie{Name: "__Host-Http-session", Value: ticket})
				m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { do(s) }).ServeHTTP(
					httptest.NewRecorder(), r)
			}
		}
		requests := []func(context.Context){
			request("", signIn("ada")),
			request(tickets[2], func(s *session.Session) { s.Get("x") }),
		}
		return requests, func() error {
			infos, err := m.Sessions(context.Background(), "ada")
			if err != nil || len(infos) != 3 {
				return errors.Join(err, fmt.Errorf("ada has %d sessions, want 3", len(infos)))
			}
			return nil
		}, nil
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d orders", orders)
}

func TestALoginThatNeverFindsRoomGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, atMost(1, session.EvictOldest))
		r.store.hook(func(call, _ string) error {
			if call == "save" {
				return session.ErrTooMany
			}
			return nil
		})
		s, err := r.Open(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		s.Login("ada")
		if err := s.Save(t.Context()); !errors.Is(err, session.ErrConflict) {
			t.Errorf("Save = %v, want ErrConflict", err)
		}
	})
}

func TestASaveAfterALoginWithinALimitMeetsNoConflict(t *testing.T) {
	r := newRig(t, atMost(2, session.EvictOldest))
	r.visitor().with(func(s *session.Session) {
		s.Login("ada")
		for i := range 2 {
			s.Set("x", i)
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	if n := r.ev.count(session.EventConflict); n != 0 || r.store.calls["save"] != 2 {
		t.Errorf("%d conflicts and the calls %v, want none and two saves", n, r.store.calls)
	}
}

// A store that was tampered with may lead in a circle.
func TestALoginFollowsACircleOfAliasesToAnEnd(t *testing.T) {
	r := newRig(t, atMost(1, session.EvictOldest))
	r.visitor().with(signIn("ada"))
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("cart", 1) })
	v.with(func(s *session.Session) {
		rec, err := r.store.fullStore.Load(t.Context(), s.ID())
		if err != nil {
			t.Fatal(err)
		}
		rec = rec.Clone()
		rec.Kind, rec.Successor = session.KindAlias, rec.ID
		if err := r.store.fullStore.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		loads := 0
		r.store.hook(func(call, _ string) error {
			if loads++; loads > 20_000 {
				return errDown
			}
			return nil
		})
		s.Login("ada")
		if err := s.Save(t.Context()); err != nil || s.User() != "ada" {
			t.Errorf("Save = %v after %d loads, and the user is %q", err, loads, s.User())
		}
	})
}
