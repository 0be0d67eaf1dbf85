package cookiestore_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
)

// Documented: without a list of revocations an older cookie works again after a logout, until its deadline, and not
// beyond. Whoever needs more sets Options.Revocations, or keeps sessions on the server.
func TestAnOlderCookieIsReplayedWithoutAList(t *testing.T) {
	r := newRig(t, cookiestore.Options{})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("credit", 10) })
	stolen := v.copied()
	v.with(set("credit", 0))
	v.with((*session.Session).Logout)
	v.wants("credit", nil)
	stolen.with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("credit") != int64(10) {
			t.Errorf("user %q, credit %v: the documents say that a copy works", s.User(), s.Get("credit"))
		}
	})
	r.advance(24 * time.Hour)
	stolen.wants("credit", nil)
}

// Documented: a list of revocations does not help against an older copy of a session that goes on.
func TestAnOlderStateIsReplayedWithAListToo(t *testing.T) {
	r := newRig(t, listed())
	v := r.visitor()
	v.with(set("credit", 10))
	older := v.copied()
	v.with(set("credit", 0))
	older.wants("credit", int64(10))
}

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

// A time-out of its own gives a session a new id, so that a retired id is remembered long enough for each of its
// copies.
func TestOwnTimeoutsGiveANewID(t *testing.T) {
	r := newRig(t, listed())
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada", session.Remember(300*24*time.Hour)); s.Set("x", 1) })
	long := v.copied()
	var before, after string
	v.with(func(s *session.Session) { before = s.ID(); s.SetIdleTimeout(time.Minute); s.SetLifetime(time.Hour) })
	v.with(func(s *session.Session) { after = s.ID(); s.Logout() })
	if before == after {
		t.Error("the id is the old one")
	}
	r.advance(299 * 24 * time.Hour)
	if _, err := r.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	long.wants("x", nil)
}

// A revocation that is forgotten gives a copied cookie its session back, after Revoke has counted it as ended.
func TestRevocationsRefuseAStoreThatForgets(t *testing.T) {
	bounded := memstore.New(memstore.Options{MaxSessions: 100})
	for name, store := range map[string]session.Store{
		"*memstore.Store drops records when it is full (memstore.Options.MaxSessions)": bounded,
		"*cookiestore_test.down drops records":                                         &down{Store: bounded},
		"*nullstore.Store keeps nothing":                                               nullstore.New(),
	} {
		_, err := cookiestore.New(cookiestore.Options{Revocations: store})
		if err == nil || !strings.Contains(err.Error(), "cookiestore: Revocations: "+name) {
			t.Errorf("New with a %T = %v, want an error that names it, and why", store, err)
		}
	}
}

const hour = time.Hour

func renewing(o *session.Options) { o.RenewEvery = hour }

// Parallel requests across a renewal all go on, and end up under one id; after the grace the old cookie gives
// nothing, and is reported.
func TestTheTicketSurvivesRotation(t *testing.T) {
	for name, opts := range map[string]cookiestore.Options{"alone": {}, "listed": listed()} {
		r := newRig(t, opts, renewing)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
		old := v.copied()
		r.advance(hour)
		var wg sync.WaitGroup
		ids := make([]string, 50)
		for i := range ids {
			wg.Go(func() {
				one := old.copied()
				one.with(read)
				one.with(func(s *session.Session) { ids[i] = s.ID() })
				if one.wants("x", int64(1)); ids[i] == "" {
					t.Error("a request lost its session")
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			if opts.Revocations != nil && id != ids[0] {
				t.Errorf("%s: the session has several ids", name)
			}
		}
		if opts.Revocations == nil {
			continue
		}
		r.advance(30 * time.Second)
		old.wants("x", nil)
		if r.count(session.EventReused) != 1 {
			t.Errorf("events %v", r.events)
		}
		r.advance(23 * hour)
		if n, err := r.Sweep(t.Context()); err != nil || n != 0 {
			t.Errorf("Sweep = %d, %v: a copy of the old cookie could live", n, err)
		}
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

func TestRevokeEndsASessionByItsID(t *testing.T) {
	r := newRig(t, listed(), renewing)
	v := r.visitor()
	id := ""
	v.with(func(s *session.Session) { s.Set("x", 1); id = s.ID() })
	r.advance(hour)
	v.with(read) // renews
	for want := 1; want >= 0; want-- {
		if n, err := r.Revoke(t.Context(), id, "", "../x", strings.ToUpper(id)); err != nil || n != want {
			t.Errorf("Revoke = %d, %v, want %d", n, err, want)
		}
	}
	v.wants("x", nil)
	if r.count(session.EventEnded) != 1 {
		t.Errorf("events %v", r.events)
	}
}

// ASVS 7.4.2: all sessions of a user end, whatever ids they have got since, but for those to keep; later ones are not
// touched.
func TestRevokeUserEndsWhatBeganBefore(t *testing.T) {
	r := newRig(t, listed(), renewing)
	phone, laptop, other := r.visitor(), r.visitor(), r.visitor()
	keep := ""
	phone.with(func(s *session.Session) { s.Login("ada") })
	laptop.with(func(s *session.Session) { s.Login("ada"); keep = s.ID() })
	other.with(func(s *session.Session) { s.Login("grace") })
	r.advance(hour)
	users := func(want string, visitors ...*visitor) {
		t.Helper()
		for _, v := range visitors {
			v.with(func(s *session.Session) {
				if s.User() != want {
					t.Errorf("user %q, want %q", s.User(), want)
				}
			})
		}
	}
	for range 2 {
		if _, err := r.RevokeUser(t.Context(), "ada", keep); err != nil {
			t.Fatal(err)
		}
		users("", phone.copied())
		users("ada", laptop)
		laptop.with(func(s *session.Session) { keep = s.ID() })
		r.advance(hour)
	}
	users("ada", laptop)
	users("grace", other)
	r.advance(time.Microsecond)
	phone.with(func(s *session.Session) { s.Login("ada") })
	r.advance(hour)
	users("ada", phone)
	if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	users("", phone, laptop)
	if _, err := r.RevokeUser(t.Context(), "a\x00b"); err == nil {
		t.Error("a user that cannot be is accepted")
	}
}

var errDown = errors.New("down")

// down is a store that fails when it is told to.
type down struct {
	*memstore.Store
	broken bool
}

func (d *down) Load(ctx context.Context, id string) (*session.Record, error) {
	if d.broken {
		return nil, errDown
	}
	return d.Store.Load(ctx, id)
}

func (d *down) Save(ctx context.Context, rec *session.Record) error {
	if d.broken {
		return errDown
	}
	return d.Store.Save(ctx, rec)
}

// Promise 6: a list of revocations that is down gives one 503 and no cookie, and nobody is logged out; a revoked copy
// is not let in for want of an answer.
func TestAListThatIsDownLogsNobodyOut(t *testing.T) {
	list := &down{Store: memstore.New(memstore.Options{})}
	r := newRig(t, cookiestore.Options{Revocations: list}, renewing)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
	list.broken = true
	for name, fn := range map[string]func(*session.Session){"read": read, "write": set("x", 2),
		"logout": (*session.Session).Logout} {
		if resp := v.with(fn); resp.StatusCode != 503 || len(resp.Cookies()) != 0 {
			t.Errorf("%s: status %d, %d cookies", name, resp.StatusCode, len(resp.Cookies()))
		}
		list.broken = false
		resp := v.with(func(s *session.Session) { list.broken = true; fn(s) })
		if name != "read" && (resp.StatusCode != 503 || len(resp.Cookies()) != 0) {
			t.Errorf("%s with a list that fails in between: status %d, %d cookies", name, resp.StatusCode,
				len(resp.Cookies()))
		}
	}
	if _, err := r.RevokeUser(t.Context(), "ada"); !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("RevokeUser = %v", err)
	}
	list.broken = false
	v.wants("x", int64(1))
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

// A session that is kept survives its own renewal in the request that ended the others, and one that is not kept does
// not.
func TestRevokeUserMeetsARenewal(t *testing.T) {
	r := newRig(t, listed(), renewing)
	kept, other := r.visitor(), r.visitor()
	kept.with(func(s *session.Session) { s.Login("ada") })
	other.with(func(s *session.Session) { s.Login("ada") })
	r.advance(hour)
	other.with(func(*session.Session) {
		kept.with(func(s *session.Session) {
			if _, err := r.RevokeUser(t.Context(), "ada", s.ID()); err != nil {
				t.Error(err)
			}
		})
	})
	for range 2 {
		kept.with(func(s *session.Session) {
			if s.User() != "ada" {
				t.Error("the session to keep is gone")
			}
		})
		r.advance(2 * hour)
	}
	other.with(func(s *session.Session) {
		if s.User() != "" {
			t.Error("a session that was renewed meanwhile is not ended")
		}
	})
}

// The session to keep is kept under the id that it gets in the same request, too.
func TestRevokeUserKeepsASessionThatIsAboutToGetANewID(t *testing.T) {
	r := newRig(t, listed())
	kept, other := r.visitor(), r.visitor()
	kept.with(func(s *session.Session) { s.Login("ada"); s.Set("cart", 3) })
	other.with(func(s *session.Session) { s.Login("ada") })
	r.advance(time.Minute)
	kept.do(func(_ http.ResponseWriter, req *http.Request, s *session.Session) {
		s.Regenerate()
		if _, err := r.RevokeUser(req.Context(), "ada", s.ID()); err != nil {
			t.Error(err)
		}
	})
	kept.wants("cart", int64(3))
	other.with(func(s *session.Session) {
		if s.User() != "" {
			t.Error("the other session is not ended")
		}
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
