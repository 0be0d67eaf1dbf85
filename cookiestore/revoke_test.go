package cookiestore_test

import (
	"context"
	"errors"
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

// What is remembered for ever is what the documents say: nobody knows how long copies of such a session live.
func TestWhichRevocationsStay(t *testing.T) {
	for name, row := range map[string]struct {
		end   func(r *rig, v *visitor)
		swept int
	}{
		"Logout": {func(_ *rig, v *visitor) { v.with((*session.Session).Logout) }, 1},
		"Login":  {func(_ *rig, v *visitor) { v.with(func(s *session.Session) { s.Login("ada") }) }, 1},
		"Revoke": {func(r *rig, v *visitor) {
			id := ""
			v.with(func(s *session.Session) { id = s.ID() })
			if n, err := r.Revoke(t.Context(), id); n != 1 || err != nil {
				t.Errorf("Revoke = %d, %v", n, err)
			}
		}, 0},
		"RevokeUser": {func(r *rig, _ *visitor) {
			if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
				t.Error(err)
			}
		}, 0},
	} {
		r := newRig(t, listed())
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		row.end(r, v)
		r.advance(365 * 24 * time.Hour)
		if n, err := r.Sweep(t.Context()); n != row.swept || err != nil {
			t.Errorf("%s: Sweep = %d, %v, want %d", name, n, err, row.swept)
		}
	}
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

// Nothing is known of an id that was never retired, and it is retired all the same.
func TestRevokeEndsASessionThatNeverMoved(t *testing.T) {
	r := newRig(t, listed())
	v := r.visitor()
	id := ""
	v.with(func(s *session.Session) { s.Set("x", 1); id = s.ID() })
	v.wants("x", int64(1))
	if n, err := r.Revoke(t.Context(), id); n != 1 || err != nil {
		t.Errorf("Revoke = %d, %v, want 1", n, err)
	}
	v.wants("x", nil)
}

// A request that wanted to renew the id as well goes on under the one that another has given, also where the store of
// revocations tells which record stood in its way.
func TestTwoRenewalsAtOnceEndNothing(t *testing.T) {
	r := newRig(t, listed(), renewing)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	r.advance(hour + time.Minute)
	first, second := v.request(), v.request()
	resp := v.send(first, func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Set("first", 1)
		v.send(second, func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Set("second", 1) })
	})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
	v.with(func(s *session.Session) {
		if s.User() != "ada" || !s.Has("first") {
			t.Errorf("user %q, first %v", s.User(), s.Has("first"))
		}
	})
}
