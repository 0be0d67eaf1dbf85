package session_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// endedBy is what the next request with the visitor's ticket is told.
func (v *visitor) endedBy() (why session.Reason) {
	v.with(func(s *session.Session) { why = s.EndedBy() })
	return why
}

// isTold checks what the next request is told.
func (v *visitor) isTold(want session.Reason) {
	v.t.Helper()
	if got := v.endedBy(); got != want {
		v.t.Errorf("EndedBy = %q, want %q", got, want)
	}
}

var bg = context.Background()

func TestTheNextRequestIsToldWhyItWasSignedOut(t *testing.T) {
	one := func(why session.Reason) func(*rig, string) (int, error) {
		return func(r *rig, id string) (int, error) { return r.RevokeFor(bg, why, id) }
	}
	for name, row := range map[string]struct {
		end  func(r *rig, id string) (int, error)
		want session.Reason
	}{
		"RevokeFor":     {one("operator"), "operator"},
		"its own words": {one("sold my shop"), "sold my shop"},
		"RevokeUserFor": {func(r *rig, _ string) (int, error) { return r.RevokeUserFor(bg, "limit", "ada") }, "limit"},
		"RevokeOwn":     {func(r *rig, id string) (int, error) { return r.RevokeOwn(bg, "ada", id) }, "revoked"},
		"Revoke":        {func(r *rig, id string) (int, error) { return r.Revoke(bg, id) }, ""},
		"RevokeUser":    {func(r *rig, _ string) (int, error) { return r.RevokeUser(bg, "ada") }, ""},
	} {
		for _, seal := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				r := newRig(t, func(o *session.Options) { o.Seal = seal })
				v, id := r.signIn("ada")
				v.isTold("")
				if n, err := row.end(r, id); n != 1 || err != nil {
					t.Fatalf("ended %d, %v", n, err)
				}
				v.isTold(row.want)
				v.on(r.node(func(o *session.Options) { o.Seal = seal }).Manager).isTold(row.want)
				if infos, err := r.Sessions(bg, "ada"); len(infos) != 0 || err != nil {
					t.Errorf("%d sessions are listed, %v", len(infos), err)
				}
			})
		}
	}
}

func TestATombstoneThatTellsIsOneForTheGraceOnly(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	if _, err := r.RevokeFor(bg, session.ReasonOperator, id); err != nil {
		t.Fatal(err)
	}
	sets := func(s *session.Session) { s.Set("x", 1) }
	if resp := v.with(sets); resp.StatusCode != http.StatusConflict || len(resp.Cookies()) != 0 {
		t.Errorf("in the grace: %d, %v, want 409 and no cookie", resp.StatusCode, resp.Cookies())
	}
	r.clock.advance(30 * time.Second)
	late := v.clone()
	resp := v.with(func(s *session.Session) {
		if s.EndedBy() != session.ReasonOperator || s.User() != "" || s.Expired() || !s.IsNew() {
			t.Errorf("after the grace: %q, user %q, expired %v, new %v", s.EndedBy(), s.User(), s.Expired(), s.IsNew())
		}
		sets(s)
	})
	if resp.StatusCode != http.StatusOK || len(resp.Cookies()) != 1 || v.ticket() == late.ticket() {
		t.Errorf("after the grace: %d, %v, want a new ticket", resp.StatusCode, resp.Cookies())
	}
	v.isTold("")
	late.with(func(s *session.Session) { s.Login("ada") })
	late.isUser("ada")
}

func TestAReasonIsKeptForADayOrUntilTheSessionsOwnEnd(t *testing.T) {
	for name, row := range map[string]struct{ idle, lifetime, until time.Duration }{
		"an hour":      {session.Never, time.Hour, time.Hour},
		"a week":       {session.Never, 7 * 24 * time.Hour, 24 * time.Hour},
		"without end":  {session.Never, session.Never, 24 * time.Hour},
		"two hours":    {2 * time.Hour, session.Never, 2 * time.Hour},
		"five seconds": {session.Never, 5 * time.Second, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) {
				o.IdleTimeout, o.Lifetime, o.TouchEvery = row.idle, row.lifetime, -1
			})
			v, id := r.signIn("ada")
			if _, err := r.RevokeFor(bg, session.ReasonProvider, id); err != nil {
				t.Fatal(err)
			}
			r.clock.advance(row.until - time.Microsecond)
			if n, err := r.Sweep(bg); n != 0 || err != nil {
				t.Errorf("Sweep = %d, %v", n, err)
			}
			v.isTold(session.ReasonProvider)
			r.clock.advance(time.Microsecond)
			v.isTold("") // whether or not a sweeper runs
			r.clock.advance(time.Microsecond)
			if n, err := r.Sweep(bg); n != 1 || err != nil {
				t.Errorf("Sweep = %d, %v", n, err)
			}
		})
	}
}

func TestWhoEndsASessionFirstSaysWhy(t *testing.T) {
	type end func(r *rig, v *visitor, id string)
	asked := func(why session.Reason) end {
		return func(r *rig, _ *visitor, id string) { _, _ = r.RevokeFor(bg, why, id) }
	}
	all := func(why session.Reason) end {
		return func(r *rig, _ *visitor, _ string) { _, _ = r.RevokeUserFor(bg, why, "ada") }
	}
	plain := func(r *rig, _ *visitor, id string) { _, _ = r.Revoke(bg, id) }
	plainAll := func(r *rig, _ *visitor, _ string) { _, _ = r.RevokeUser(bg, "ada") }
	leave := func(_ *rig, v *visitor, _ string) { v.with((*session.Session).Logout) }
	forget := func(r *rig, _ *visitor, _ string) { r.clock.advance(25 * time.Hour) }
	for name, row := range map[string]struct {
		first, second end
		want          session.Reason
	}{
		"two operators":               {asked("operator"), asked("password"), "operator"},
		"all, then one":               {all("password"), asked("operator"), "password"},
		"one, then all":               {asked("operator"), all("password"), "operator"},
		"one, then one without words": {asked("operator"), plain, "operator"},
		"one, then all without words": {asked("operator"), plainAll, "operator"},
		"one, then a logout":          {asked("operator"), leave, "operator"},
		"a logout, then one":          {leave, asked("operator"), "logout"},
		"a logout, then plain":        {leave, plain, "logout"},
		"the clock, then one":         {forget, asked("operator"), "idle"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v, id := r.signIn("ada")
			other := v.clone()
			row.first(r, v, id)
			row.second(r, other.clone(), id)
			other.isTold(row.want)
		})
	}
}

// What was read before somebody else ended the session says nothing against that.
func TestARevocationUnderWayChangesNoReason(t *testing.T) {
	for name, second := range map[string]func(*rig, string) (int, error){
		"Revoke":        func(r *rig, id string) (int, error) { return r.Revoke(bg, id) },
		"RevokeUser":    func(r *rig, _ string) (int, error) { return r.RevokeUser(bg, "ada") },
		"RevokeFor":     func(r *rig, id string) (int, error) { return r.RevokeFor(bg, "password", id) },
		"RevokeOwn":     func(r *rig, id string) (int, error) { return r.RevokeOwn(bg, "ada", id) },
		"RevokeUserFor": func(r *rig, _ string) (int, error) { return r.RevokeUserFor(bg, "password", "ada") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v, id := r.signIn("ada")
			r.atTheSaveOf(id, func() {
				if n, err := r.node().RevokeFor(bg, "operator", id); n != 1 || err != nil {
					t.Errorf("RevokeFor = %d, %v", n, err)
				}
			})
			if n, err := second(r, id); n != 0 || err != nil {
				t.Errorf("the later one ended %d, %v", n, err)
			}
			v.isTold("operator")
		})
	}
}

func TestAReasonIsAWord(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	for _, why := range []session.Reason{"", "a\nb", "é", "a\x7f", "\xff", session.Reason(strings.Repeat("a", 65))} {
		n, err := r.RevokeFor(bg, why, id)
		if n != 0 || err == nil || why != "" && strings.Contains(err.Error(), string(why)) {
			t.Errorf("RevokeFor(%q) = %d, %v", why, n, err)
		}
		if n, err := r.RevokeUserFor(bg, why, "ada"); n != 0 || err == nil {
			t.Errorf("RevokeUserFor(%q) = %d, %v", why, n, err)
		}
	}
	v.isUser("ada")
	long := session.Reason(strings.Repeat("a ~", 21) + "b")
	if n, err := r.RevokeFor(bg, long, id, "unknown"); n != 1 || err != nil {
		t.Errorf("RevokeFor of 64 bytes = %d, %v", n, err)
	}
	v.isTold(long)
	if n, err := r.RevokeFor(bg, "operator"); n != 0 || err != nil {
		t.Errorf("RevokeFor of nothing = %d, %v", n, err)
	}
}

func TestAnEditedStoreMakesUpNoReason(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	_, other := r.signIn("ada")
	stone := func(id string, why session.Reason) *session.Record {
		t.Helper()
		if _, err := r.RevokeFor(bg, why, id); err != nil {
			t.Fatal(err)
		}
		rec, err := r.store.fullStore.Load(bg, id)
		if err != nil || rec.Kind != session.KindTombstone || rec.User != "ada" {
			t.Fatalf("the record is %v, %v", rec, err)
		}
		return rec
	}
	live, err := r.store.fullStore.Load(bg, id)
	if err != nil {
		t.Fatal(err)
	}
	own, others := stone(id, "operator"), stone(other, "password")
	for name, edit := range map[string]func(*session.Record){
		"words of another session": func(rec *session.Record) { rec.Data = others.Data },
		"plain words":              func(rec *session.Record) { rec.Data = []byte("password") },
		"the data of the session":  func(rec *session.Record) { rec.Data = live.Data },
		"a bit":                    func(rec *session.Record) { rec.Data[len(rec.Data)-1] ^= 1 },
		"another user":             func(rec *session.Record) { rec.User = "eve" },
		"a shorter one":            func(rec *session.Record) { rec.Data = rec.Data[:3] },
		"none":                     func(rec *session.Record) { rec.Data = nil },
		"as a session":             func(rec *session.Record) { rec.Kind = session.KindLive },
		"as an alias":              func(rec *session.Record) { rec.Kind = session.KindAlias },
	} {
		rec := own.Clone()
		edit(rec)
		m := newRigOn(t, planted(t, rec))
		m.clock = r.clock
		v.on(m.Manager).with(func(s *session.Session) {
			if s.EndedBy() != "" || s.User() != "" {
				t.Errorf("%s: EndedBy = %q, user %q", name, s.EndedBy(), s.User())
			}
		})
	}
}

func TestAReasonArrivesByAnAlias(t *testing.T) {
	for name, end := range map[string]func(r *rig, old, id string) (int, error){
		"by the new id": func(r *rig, _, id string) (int, error) { return r.RevokeFor(bg, "operator", id) },
		"by the old id": func(r *rig, old, _ string) (int, error) { return r.RevokeFor(bg, "operator", old) },
		"by both":       func(r *rig, old, id string) (int, error) { return r.RevokeFor(bg, "operator", old, id, old) },
		"by the user":   func(r *rig, _, _ string) (int, error) { return r.RevokeUserFor(bg, "operator", "ada") },
		"and once more": func(r *rig, old, id string) (int, error) {
			n, _ := r.RevokeFor(bg, "operator", id)
			more, err := r.Revoke(bg, old, id)
			return n + more, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Hour })
			v, old := r.signIn("ada")
			r.clock.advance(time.Hour)
			slow, id := v.clone(), ""
			v.with(func(s *session.Session) { s.Set("x", 1) })
			v.with(func(s *session.Session) { id = s.ID() })
			if n, err := end(r, old, id); n != 1 || err != nil {
				t.Fatalf("ended %d, %v", n, err)
			}
			v.isTold("operator")
			slow.isTold("operator")
			r.clock.advance(time.Hour)
			v.isTold("operator")
			slow.isTold("operator") // whose ticket the client never got
			if r.ev.count(session.EventReused) != 1 {
				t.Error("the use of a renewed ticket is no event")
			}
		})
	}
}

func TestARenewedTicketTellsThatItWasUsedTooLate(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Hour })
	v, _ := r.signIn("ada")
	thief := v.clone()
	r.clock.advance(time.Hour)
	v.with(func(s *session.Session) { s.Set("x", 1) })
	r.clock.advance(time.Minute)
	thief.isTold(session.ReasonReused)
	v.isTold("")
	v.isUser("ada")
}

func TestWhereThereIsNoRoomForAReasonTheSessionEnds(t *testing.T) {
	for name, end := range map[string]func(*rig, string) (int, error){
		"one": func(r *rig, id string) (int, error) { return r.RevokeFor(bg, "operator", id) },
		"all": func(r *rig, _ string) (int, error) { return r.RevokeUserFor(bg, "operator", "ada") },
	} {
		r := newRig(t)
		v, id := r.signIn("ada")
		r.full()
		if n, err := end(r, id); n != 1 || err != nil {
			t.Errorf("%s: ended %d, %v", name, n, err)
		}
		v.isTold("")
		v.isUser("")
		if r.stored(id) {
			t.Errorf("%s: the session is still there", name)
		}
	}
}

// A save whose answer was lost has ended the session all the same, and somebody else's save has not.
func TestAReasonIsToldOnceWhenTheAnswerIsLost(t *testing.T) {
	r := newRig(t)
	v, id := r.signIn("ada")
	lost := errors.New("the answer was lost")
	r.store.hook(func(call, _ string) error {
		if call != "save" {
			return nil
		}
		r.store.hook(nil)
		_, err := r.node().RevokeFor(bg, "operator", id)
		return errors.Join(lost, err)
	})
	if n, err := r.RevokeFor(bg, "password", id); n != 0 || err != nil {
		t.Errorf("the later one ended %d, %v", n, err)
	}
	v.isTold("operator")
	if n := r.ev.count(session.EventEnded); n != 0 {
		t.Errorf("%d events of an end that was another's", n)
	}
}

func TestAnEvictedDeviceIsToldOfTheLimit(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.MaxPerUser = 1 })
	v, _ := r.signIn("ada")
	r.clock.advance(time.Second)
	r.store.reset()
	r.signIn("ada")
	if n := r.store.calls["delete"]; n != 0 {
		t.Errorf("%d calls delete what is to be told", n)
	}
	v.isTold(session.ReasonLimit)
	r.clock.advance(time.Hour)
	v.isTold(session.ReasonLimit)
	if got := r.alive("ada"); got != 1 {
		t.Errorf("%d sessions, want 1", got)
	}
}

func TestWhatReplacesASessionIsTold(t *testing.T) {
	r := newRig(t)
	v, _ := r.signIn("ada")
	old := v.clone()
	v.with(func(s *session.Session) {
		s.Login("bob")
		if err := s.Save(bg); err != nil || s.EndedBy() != session.ReasonReplaced {
			t.Errorf("Save = %v, and EndedBy = %q", err, s.EndedBy())
		}
	})
	old.isTold(session.ReasonReplaced)
	v.isTold("")
	moved := v.clone()
	v.with((*session.Session).Regenerate)
	moved.isTold("") // it goes on
}

func TestACookieThatWasRevokedTellsWhy(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	ev := &events{}
	opts := session.Options{Secrets: []session.Secret{testSecret}, SweepEvery: -1, OnEvent: ev.add}
	m, err := session.New(store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	v, user := (&rig{Manager: m, t: t}).visitor(), (&rig{Manager: m, t: t}).visitor()
	id := ""
	v.with(func(s *session.Session) { s.Login("ada") })
	v.with(func(s *session.Session) { id = s.ID() })
	user.with(func(s *session.Session) { s.Login("ada") })
	if n, err := m.RevokeFor(bg, "operator", id); n != 1 || err != nil {
		t.Fatalf("RevokeFor = %d, %v", n, err)
	}
	v.isTold("operator")
	if _, err := m.RevokeUserFor(bg, "password", "ada"); err != nil {
		t.Fatal(err)
	}
	user.isUser("")
	user.isTold("")
	var whys []session.Reason
	for _, e := range ev.list {
		if e.Kind == session.EventEnded {
			whys = append(whys, e.Reason)
		}
	}
	if !slices.Equal(whys, []session.Reason{"operator", "password"}) {
		t.Errorf("the events tell %q", whys)
	}
}

func TestACopyOfATombstoneTellsTheSame(t *testing.T) {
	r, other := newRig(t), newRig(t)
	other.clock = r.clock
	v, id := r.signIn("ada")
	if _, err := r.RevokeFor(bg, "operator", id); err != nil {
		t.Fatal(err)
	}
	rec, err := r.store.fullStore.Load(bg, id)
	if err == nil {
		rec, err = r.Reseal(rec, 0)
	}
	if err == nil {
		err = other.store.fullStore.Save(bg, rec)
	}
	if err != nil {
		t.Fatal(err)
	}
	v.on(other.Manager).isTold("operator")
}
