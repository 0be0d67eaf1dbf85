package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
)

// signIn gives a new visitor who is signed in, and the id of the session.
func (r *rig) signIn(user string) (*visitor, string) {
	v, id := r.visitor(), ""
	v.with(func(s *session.Session) { s.Login(user); id = s.ID() })
	return v, id
}

// Who can write to the store cannot send control characters to those who list sessions.
func TestAUserAgentFromTheStoreIsCleaned(t *testing.T) {
	r := newRig(t)
	_, id := r.signIn("ada")
	rec, err := r.store.fullStore.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	rec.UserAgent = "\x1b[2J\u202e" + strings.Repeat("x", 300)
	if err := r.store.fullStore.Save(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	infos, err := r.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 1 || infos[0].UserAgent != "[2J"+strings.Repeat("x", 253) {
		t.Errorf("Sessions = %+v, %v", infos, err)
	}
}

// A user's sessions are listed with what people need to know them, the last seen first, and without their data.
func TestSessionsTellsWhereAUserIsSignedIn(t *testing.T) {
	r := newRig(t)
	h := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		s.Login("ada", session.Remember(time.Hour))
	})
	for i, agent := range []string{"Firefox\x00\n\u202e", strings.Repeat("ü", 200), ""} {
		req := httptest.NewRequest("GET", "/", nil)
		req.RemoteAddr = fmt.Sprintf("192.0.2.%d:1234", i+1)
		req.Header.Set("User-Agent", agent)
		req.Header.Set("X-Forwarded-For", "203.0.113.9")
		h.ServeHTTP(httptest.NewRecorder(), req)
		r.clock.advance(time.Minute)
	}
	r.signIn("bob")
	infos, err := r.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 3 {
		t.Fatalf("Sessions = %v, %v, want 3", infos, err)
	}
	for i, want := range []struct {
		ip, agent string
	}{{"192.0.2.3", ""}, {"192.0.2.2", strings.Repeat("ü", 128)}, {"192.0.2.1", "Firefox"}} {
		info := infos[i]
		if info.RemoteIP != netip.MustParseAddr(want.ip) || info.UserAgent != want.agent || info.User != "ada" ||
			!info.Persistent {
			t.Errorf("session %d = %+v, want %v", i, info, want)
		}
		at := r.clock.now().Add(-time.Duration(i+1) * time.Minute)
		if info.ID == "" || !info.CreatedAt.Equal(at) || !info.LoginAt.Equal(at) || !info.SeenAt.Equal(at) ||
			!info.ExpiresAt.Equal(at.Add(time.Hour)) {
			t.Errorf("session %d = %+v, want times of %v", i, info, at)
		}
	}
	if infos, err := r.Sessions(t.Context(), "nobody"); err != nil || len(infos) != 0 {
		t.Errorf("Sessions of nobody = %v, %v", infos, err)
	}
}

// Only what is alive is listed: neither what has expired, nor what retired ids left, nor strangers.
func TestOnlyLiveSessionsAreListed(t *testing.T) {
	r := newRig(t)
	short, _ := r.signIn("ada")
	short.with(func(s *session.Session) { s.SetIdleTimeout(time.Minute) })
	v, _ := r.signIn("ada")
	v.with((*session.Session).Regenerate)
	out, _ := r.signIn("ada")
	out.with((*session.Session).Logout)
	stranger := r.visitor()
	stranger.with(put("x", 1))
	for _, want := range []int{2, 1} {
		infos, err := r.Sessions(t.Context(), "ada")
		if err != nil || len(infos) != want {
			t.Errorf("%d sessions of ada, %v, want %d", len(infos), err, want)
		}
		n := 0
		for info, err := range r.All(t.Context()) {
			if n++; err != nil || info.ID == "" {
				t.Errorf("All: %+v, %v", info, err)
			}
		}
		if n != want+1 {
			t.Errorf("%d sessions in all, want %d", n, want+1)
		}
		r.clock.advance(2 * time.Minute)
	}
}

// All walks in pages, sees each session once, and can be left.
func TestAllWalksThroughPages(t *testing.T) {
	r := newRig(t)
	want := map[string]bool{}
	for i := range 450 {
		_, id := r.signIn(fmt.Sprint("user", i%7))
		want[id] = true
	}
	var got []string
	for info, err := range r.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.ID)
	}
	slices.Sort(got)
	if n := len(slices.Compact(got)); n != 450 || len(got) != 450 {
		t.Errorf("%d different of %d listed, want 450", n, len(got))
	}
	for _, id := range got {
		if !want[id] {
			t.Errorf("listed %q", id)
		}
	}
	n := 0
	for range r.All(t.Context()) {
		if n++; n == 3 {
			break
		}
	}
	for info := range r.All(t.Context()) { // a walk that ends what it meets
		if _, err := r.Revoke(t.Context(), info.ID); err != nil {
			t.Fatal(err)
		}
	}
	for range r.All(t.Context()) {
		t.Fatal("a session is left")
	}
}

// Revoke counts what it ended; unknown ids, retired ones, tickets and anything else are no errors.
func TestRevokeCountsWhatItEnded(t *testing.T) {
	r := newRig(t)
	a, ida := r.signIn("ada")
	b, idb := r.signIn("ada")
	c, idc := r.signIn("bob")
	for _, call := range []struct {
		ids  []string
		want int
	}{
		{nil, 0},
		{[]string{"", "unknown", "../x", strings.Repeat("x", 1000), a.ticket(), "\x00"}, 0},
		{[]string{ida, ida, "unknown"}, 1},
		{[]string{ida}, 0},
		{[]string{idb, idc}, 2},
	} {
		if n, err := r.Revoke(t.Context(), call.ids...); n != call.want || err != nil {
			t.Errorf("Revoke(%.60q) = %d, %v, want %d", call.ids, n, err, call.want)
		}
	}
	for _, v := range []*visitor{a, b, c} {
		v.with(func(s *session.Session) {
			if !s.IsNew() || s.Expired() || s.User() != "" {
				t.Error("alive after Revoke")
			}
		})
	}
	if n := r.ev.count(session.EventEnded); n != 3 {
		t.Errorf("%d events ended, want 3", n)
	}
	d, id := r.signIn("ada")
	r.clock.advance(48 * time.Hour)
	if n, err := r.Revoke(t.Context(), id); n != 0 || err != nil {
		t.Errorf("Revoke of what has expired = %d, %v, want 0", n, err)
	}
	d.with(func(s *session.Session) {
		if s.Expired() {
			t.Error("told as expired after Revoke, which deletes")
		}
	})
}

// Revoke by an id that a login retired ends the session under its new id.
func TestRevokeReachesTheSuccessorOfARetiredID(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	var id string
	v.with(func(s *session.Session) { s.Set("x", 1); id = s.ID() })
	v.with(func(s *session.Session) { s.Login("ada") })
	if n, err := r.Revoke(t.Context(), id); n != 1 || err != nil || v.alive() {
		t.Errorf("Revoke = %d, %v", n, err)
	}
}

// RevokeUser ends all sessions of one user, but those to keep.
func TestRevokeUserKeepsWhatItIsTold(t *testing.T) {
	r := newRig(t)
	mine, id := r.signIn("ada")
	var others []*visitor
	for range 5 {
		v, _ := r.signIn("ada")
		others = append(others, v)
	}
	bob, bobs := r.signIn("bob")
	if n, err := r.RevokeUser(t.Context(), "ada", id, bobs, "unknown", ""); n != 5 || err != nil {
		t.Errorf("RevokeUser = %d, %v, want 5", n, err)
	}
	for _, v := range others {
		if v.alive() {
			t.Error("alive after RevokeUser")
		}
	}
	if !mine.alive() || !bob.alive() {
		t.Error("RevokeUser ended what was to be kept, or another user's")
	}
	if n, err := r.RevokeUser(t.Context(), "ada"); n != 1 || err != nil || mine.alive() {
		t.Errorf("RevokeUser = %d, %v, want the last one", n, err)
	}
	if n, err := r.RevokeUser(t.Context(), "ada"); n != 0 || err != nil {
		t.Errorf("RevokeUser of nobody = %d, %v", n, err)
	}
}

// The session to keep is also kept under a new id that it got meanwhile.
func TestRevokeUserKeepsASessionThatWasRenewed(t *testing.T) {
	r := newRig(t, renewing)
	v, id := r.signIn("ada")
	r.signIn("ada")
	r.clock.advance(2 * time.Hour)
	v.with(func(*session.Session) {})
	if n, err := r.RevokeUser(t.Context(), "ada", id); n != 1 || err != nil || !v.alive() {
		t.Errorf("RevokeUser = %d, %v, want the other one", n, err)
	}
}

// A password is changed: a new id for this session, and the end of all others, in either order.
func TestRevokeUserKeepsASessionThatIsAboutToGetANewID(t *testing.T) {
	changes := map[string]func(*session.Session){
		"Regenerate": (*session.Session).Regenerate,
		"Login":      func(s *session.Session) { s.Login("ada") },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v, _ := r.signIn("ada")
			v.with(func(s *session.Session) { s.Set("cart", 3) })
			copied := v.clone()
			other, _ := r.signIn("ada")
			resp := v.do(func(_ http.ResponseWriter, req *http.Request, s *session.Session) {
				change(s)
				if n, err := r.RevokeUser(req.Context(), "ada", s.ID()); n != 1 || err != nil {
					t.Errorf("RevokeUser = %d, %v, want the other one", n, err)
				}
			})
			if resp.StatusCode != 200 || other.alive() || copied.alive() {
				t.Errorf("status %d; the other one is alive: %v, the old ticket: %v", resp.StatusCode, other.alive(),
					copied.alive())
			}
			v.with(func(s *session.Session) {
				if s.User() != "ada" || s.Get("cart") != int64(3) {
					t.Errorf("user %q, cart %v are left of the session to keep", s.User(), s.Get("cart"))
				}
			})
		})
	}
}

// With nullstore nothing is stored, no visitor gets a cookie, and everything works within the request.
func TestANullstoreSwitchesSessionsOff(t *testing.T) {
	m, err := session.New(nullstore.New(), session.Options{Secrets: []session.Secret{testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	v := (&rig{t: t, Manager: m}).visitor()
	for range 2 {
		resp := v.with(func(s *session.Session) {
			if s.Has("x") || s.User() != "" || !s.IsNew() {
				t.Errorf("user %q, data %v", s.User(), s.All())
			}
			s.Set("x", 1)
			s.Flash("f", 1)
			s.Login("ada", session.Remember(time.Hour))
			increment(s)
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Atomic(t.Context(), func(s *session.Session) error { increment(s); return nil }); err != nil {
				t.Error(err)
			}
			if s.Get("x") != int64(1) || s.User() != "ada" || counter.Or(s, 0) != 2 || s.ID() != "" || s.Token() != "" {
				t.Errorf("within the request: user %q, data %v, id %q", s.User(), s.All(), s.ID())
			}
		})
		if resp.StatusCode != 200 || resp.Header["Set-Cookie"] != nil {
			t.Errorf("status %d, cookie set %v", resp.StatusCode, resp.Header["Set-Cookie"] != nil)
		}
		v.with((*session.Session).Logout)
	}
	notSupported := func(what string, err error) {
		if !errors.Is(err, session.ErrNotSupported) || !strings.Contains(fmt.Sprint(err), "nullstore") {
			t.Errorf("%s: %v, want ErrNotSupported that names the store", what, err)
		}
	}
	_, err = m.Sessions(t.Context(), "ada")
	notSupported("Sessions", err)
	for _, err := range m.All(t.Context()) {
		notSupported("All", err)
	}
	_, err = m.RevokeUser(t.Context(), "ada")
	notSupported("RevokeUser", err)
	_, err = m.Sweep(t.Context())
	notSupported("Sweep", err)
	if n, err := m.Revoke(t.Context(), "unknown"); n != 0 || err != nil {
		t.Errorf("Revoke = %d, %v", n, err)
	}
}

// MaxPerUser is refused where the store cannot keep it.
func TestMaxPerUserIsRefusedWhereItCannotBeKept(t *testing.T) {
	for name, store := range map[string]session.Store{"nullstore": nullstore.New(),
		"only the three methods": bare{memstore.New(memstore.Options{})}} {
		_, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}, MaxPerUser: 1})
		if !errors.Is(err, session.ErrNotSupported) || !strings.Contains(fmt.Sprint(err), "MaxPerUser") {
			t.Errorf("%s: New = %v, want ErrNotSupported that names MaxPerUser", name, err)
		}
	}
}

// bare is a store that can do what every store must, and no more.
type bare struct{ session.Store }

// An own store needs three methods; sessions live, are refreshed and end on it as on any other.
func TestAStoreNeedsThreeMethodsOnly(t *testing.T) {
	clk := newClock()
	m, err := session.New(bare{memstore.New(memstore.Options{})}, session.Options{Secrets: []session.Secret{testSecret},
		Now: clk.now, IdleTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	v := (&rig{t: t, Manager: m}).visitor()
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1); s.Flash("f", 1) })
	for range 5 {
		clk.advance(50 * time.Minute)
		v.with(func(s *session.Session) {
			if s.User() != "ada" || s.Get("x") != int64(1) {
				t.Error("a session in use ended")
			}
		})
	}
	a, b := v.open(), v.open()
	a.Set("a", 1)
	b.Set("b", 1)
	for _, s := range []*session.Session{a, b} {
		if err := s.Save(t.Context()); err != nil {
			t.Error(err)
		}
	}
	v.with(func(s *session.Session) {
		wantGet(t, s, "a", int64(1))
		wantGet(t, s, "b", int64(1))
		wantGet(t, s, "f", nil)
	})
	old := v.clone()
	v.with((*session.Session).Logout)
	if old.alive() {
		t.Error("alive after the logout")
	}
	if _, err := m.Sessions(t.Context(), "ada"); !errors.Is(err, session.ErrNotSupported) {
		t.Errorf("Sessions = %v, want ErrNotSupported", err)
	}
}
