package cookiestore_test

import (
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// With a list of revocations a logout is final for every copy, for as long as a copy could live.
func TestLogoutIsFinalWithAList(t *testing.T) {
	opts := listed()
	r := newRig(t, opts, func(o *session.Options) { o.Lifetime = 100 * 24 * time.Hour })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada", session.Remember(50*24*time.Hour)); s.Set("x", 1) })
	stolen := v.copied()
	r.advance(time.Hour)
	v.with(set("x", 2))
	v.with((*session.Session).Logout)
	for _, d := range []time.Duration{0, time.Minute, 49 * 24 * time.Hour, 22 * time.Hour} {
		r.advance(d)
		if _, err := r.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		stolen.copied().with(func(s *session.Session) {
			if s.User() != "" || s.Has("x") {
				t.Errorf("%v later the copy works", d)
			}
		})
	}
	if list, err := opts.Revocations.(*memstore.Store).Page(t.Context(), "", 10); err != nil || len(list) != 1 {
		t.Errorf("the list has %d entries, %v, want the one that a copy could still need", len(list), err)
	}
	r.advance(24 * time.Hour)
	if n, err := r.Sweep(t.Context()); err != nil || n != 1 {
		t.Errorf("Sweep = %d, %v, want the entry that nobody needs any more", n, err)
	}
	stolen.wants("x", nil)
}

// A request that was under way when its session ended brings nothing back, and sends no cookie that would
// replace the one of a new session.
func TestARequestUnderWayDoesNotReviveASession(t *testing.T) {
	for name, end := range map[string]func(*session.Session){
		"logout": (*session.Session).Logout, "login": func(s *session.Session) { s.Login("grace") },
		"regenerate": (*session.Session).Regenerate,
	} {
		r := newRig(t, listed())
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
		slow := v.copied()
		resp := slow.with(func(s *session.Session) {
			v.with(end)
			s.Set("x", 2)
		})
		if resp.StatusCode != http.StatusConflict || len(resp.Cookies()) != 0 {
			t.Errorf("%s: status %d, %d cookies", name, resp.StatusCode, len(resp.Cookies()))
		}
		if resp := slow.with(read); len(resp.Cookies()) != 0 {
			t.Errorf("%s: a retired cookie got an answer of %d cookies", name, len(resp.Cookies()))
		}
		slow.wants("x", nil)
	}
}

// A logout by a request that knows the session under its old id only ends it under the new one.
func TestLogoutFollowsARenewal(t *testing.T) {
	r := newRig(t, listed(), renewing)
	v := r.visitor()
	v.with(set("x", 1))
	r.advance(hour)
	slow := v.copied()
	slow.with(func(s *session.Session) {
		v.with(read)
		s.Logout()
	})
	v.wants("x", nil)
}

// The list forgets a renewed id when no copy of its cookie can live any more, but not before a day is over: a request
// that takes longer still leads to the session.
func TestLogoutFollowsRenewalsOfLongAgo(t *testing.T) {
	r := newRig(t, listed(), func(o *session.Options) {
		o.IdleTimeout, o.RenewEvery = 15*time.Minute, 10*time.Minute
	})
	v := r.visitor()
	v.with(set("x", 1))
	v.copied().with(func(s *session.Session) {
		for range 100 {
			r.advance(10 * time.Minute)
			v.with(read)
		}
		if _, err := r.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		v.wants("x", int64(1))
		s.Logout()
	})
	v.wants("x", nil)
}

func TestDoneIsClosedByALogout(t *testing.T) {
	r := newRig(t, listed())
	v := r.visitor()
	v.with(set("x", 1))
	v.with(func(s *session.Session) {
		done := s.Done()
		select {
		case <-done:
			t.Error("Done is closed before the session ended")
		default:
		}
		v.copied().with((*session.Session).Logout)
		<-done
	})
}

// While copies of a session read, write and renew it in parallel, on two nodes, one of them logs out. No cookie that
// any of them was ever given works afterwards.
func TestLogoutIsFinalUnderLoad(t *testing.T) {
	for range 20 {
		r := newRig(t, listed(), renewing)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		first := v.cookies()[cookieName]
		r.advance(hour)
		var mu sync.Mutex
		given := []string{first}
		var wg sync.WaitGroup
		for i := range 8 {
			one := v.copied()
			wg.Go(func() {
				for n := range 10 {
					if i == 3 && n == 5 {
						one.with((*session.Session).Logout)
						return
					}
					one.with(func(s *session.Session) {
						if s.User() != "" && n%2 == 0 {
							s.Set("n", n)
						}
					})
					mu.Lock()
					given = append(given, one.cookies()[cookieName])
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		for _, value := range given {
			if s := r.sees(cookieName + "=" + value); s.User() != "" {
				t.Fatalf("one of %d cookies works after the logout", len(given))
			}
		}
	}
}

// The longest times are added to one another, and a sum that no duration holds would be one in the past: the next sweep
// would forget the logout.
func TestALogoutOfTheLongestSessionIsFinal(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*session.Options)
		opts   []session.LoginOption
	}{
		"remembered": {func(*session.Options) {}, []session.LoginOption{session.Remember(math.MaxInt64)}},
		"options":    {func(o *session.Options) { o.IdleTimeout, o.Lifetime = math.MaxInt64, math.MaxInt64 }, nil},
		"grace":      {func(o *session.Options) { o.RenewGrace = math.MaxInt64 }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, listed(), c.change)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada", c.opts...) })
			stolen := v.copied()
			v.with((*session.Session).Logout)
			if n, err := r.Sweep(t.Context()); n != 0 || err != nil {
				t.Errorf("Sweep = %d, %v, want nothing", n, err)
			}
			stolen.with(func(s *session.Session) {
				if s.User() != "" {
					t.Error("the copied cookie signs in after the logout")
				}
			})
		})
	}
}
