package session_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// opens reports whether a ticket opens a live session.
func (r *rig) opens(ticket string) bool {
	r.t.Helper()
	s, err := r.Open(r.t.Context(), ticket)
	if err != nil {
		r.t.Fatal(err)
	}
	return !s.IsNew() && (s.User() != "" || len(s.All()) > 0)
}

// The id is the same in all requests of one session, on every node, and tells nothing of the ticket.
func TestTheIDStaysUntilItIsChanged(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	var id string
	v.with(func(s *session.Session) {
		s.Set("x", 1)
		if id = s.ID(); id == "" || s.Token() != "" {
			t.Errorf("before the commit: id %q, token set %v", id, s.Token() != "")
		}
	})
	for _, m := range []*session.Manager{r.Manager, r.node().Manager} {
		v.on(m).with(func(s *session.Session) {
			if s.Set("x", 2); s.ID() != id || s.Token() != v.ticket() {
				t.Errorf("id kept %v, token kept %v", s.ID() == id, s.Token() == v.ticket())
			}
		})
	}
	if strings.Contains(v.ticket(), id) || strings.Contains(v.ticket(), id[:16]) {
		t.Error("the ticket contains the id")
	}
	if r.opens(id) {
		t.Error("the id opens the session")
	}
}

// Regenerate changes the id at once, keeps data and user, and makes the old ticket useless.
func TestEachRegenerateOfARequestGivesAnotherID(t *testing.T) {
	r := newRig(t)
	v, stored := r.signIn("ada")
	seen := map[string]bool{stored: true}
	for _, v := range []*visitor{v, r.visitor()} {
		v.with(func(s *session.Session) {
			s.Set("x", 1)
			for range 3 {
				if s.Regenerate(); seen[s.ID()] {
					t.Error("Regenerate gives an id that the session had before")
				}
				seen[s.ID()] = true
			}
		})
	}
}

func TestRegenerateKeepsTheDataUnderANewID(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	var id string
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1); s.Set("in.y", 2) })
	old := v.ticket()
	v.with(func(s *session.Session) {
		id = s.ID()
		s.Regenerate()
		if s.ID() == id || s.ID() == "" || s.User() != "ada" || s.Get("in.y") != int64(2) {
			t.Errorf("at once: id changed %v, user %q, data %v", s.ID() != id, s.User(), s.All())
		}
		id = s.ID()
	})
	if v.ticket() == old || r.opens(old) {
		t.Errorf("the ticket changed %v, the old one opens %v", v.ticket() != old, r.opens(old))
	}
	v.with(func(s *session.Session) {
		if s.ID() != id || s.User() != "ada" || s.Get("x") != int64(1) || s.Get("in.y") != int64(2) {
			t.Errorf("next request: id kept %v, user %q, data %v", s.ID() == id, s.User(), s.All())
		}
	})
	if n := r.ev.count(session.EventRenewed); n != 1 {
		t.Errorf("%d events renewed, want 1", n)
	}
}

// Neither an unknown ticket, nor a real one from before the login, is worth anything after it; the client's
// own id is never adopted.
func TestALoginDefeatsFixation(t *testing.T) {
	r := newRig(t)
	attacker := r.visitor()
	attacker.with(func(s *session.Session) { s.Set("cart", 1) })
	planted := attacker.ticket()
	victim := attacker.clone()
	victim.with(func(s *session.Session) { s.Login("ada"); s.Set("secret", 1) })
	if victim.ticket() == planted || !r.opens(victim.ticket()) {
		t.Error("the victim has no ticket of her own")
	}
	for range 2 {
		attacker.with(func(s *session.Session) {
			if s.User() != "" || s.Has("secret") || s.Has("cart") || s.ID() != "" {
				t.Errorf("the planted ticket gives user %q, data %v", s.User(), s.All())
			}
		})
		r.clock.advance(time.Hour)
	}
	forged := newRig(t, func(o *session.Options) { o.Secrets = []session.Secret{session.NewSecret()} })
	unknown := forged.visitor()
	unknown.with(func(s *session.Session) { s.Set("x", 1) })
	other := newRig(t).visitor()
	other.with(func(s *session.Session) { s.Set("x", 1) }) // signed well, and not in the store
	for what, ticket := range map[string]string{
		"another secret": unknown.ticket(), "not in the store": other.ticket(), "garbage": "v1.abc.def",
		"empty parts": "v1..", "a file name": "../victim",
	} {
		s, err := r.Open(t.Context(), ticket)
		if err != nil || !s.IsNew() || s.ID() != "" {
			t.Errorf("%s: %v, new %v", what, err, s.IsNew())
			continue
		}
		s.Set("x", 1)
		if err := s.Save(t.Context()); err != nil || s.Token() == ticket || s.Token() == "" {
			t.Errorf("%s: Save = %v, the client's own ticket adopted %v", what, err, s.Token() == ticket)
		}
	}
}

// Login keeps what an anonymous visitor collected, and drops what belongs to another user.
func TestLoginKeepsTheVisitorsDataAndDropsAnotherUsers(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("cart", 1) })
	v.with(func(s *session.Session) {
		s.Set("before", 1)
		s.Login("ada")
		s.Set("after", 2)
	})
	want := data{"cart": int64(1), "before": int64(1), "after": int64(2)}
	var id string
	v.with(func(s *session.Session) {
		if got := s.All(); !reflect.DeepEqual(got, want) || s.User() != "ada" {
			t.Errorf("user %q, data %v, want ada, %v", s.User(), got, want)
		}
		s.Login("ada") // a fresh login of the same user
		id = s.ID()
	})
	ada := v.ticket()
	v.with(func(s *session.Session) {
		if got := s.All(); !reflect.DeepEqual(got, want) || s.ID() != id {
			t.Errorf("after a second login: %v, want %v", got, want)
		}
		s.Set("lost", 1)
		s.Login("bob")
		if s.User() != "bob" || len(s.All()) != 0 || s.ID() == id || s.ID() == "" {
			t.Errorf("at once: user %q, data %v", s.User(), s.All())
		}
		s.Set("bobs", 1)
	})
	v.with(func(s *session.Session) {
		if got := s.All(); !reflect.DeepEqual(got, data{"bobs": int64(1)}) || s.User() != "bob" {
			t.Errorf("user %q, data %v", s.User(), got)
		}
	})
	if r.opens(ada) {
		t.Error("the ticket of the user before opens")
	}
	if infos, _ := r.Sessions(t.Context(), "ada"); len(infos) != 0 {
		t.Errorf("ada still has %d sessions", len(infos))
	}
}

// Invalidate drops id, user and data; with nothing set after it there is no record and no cookie.
func TestInvalidateLeavesNothing(t *testing.T) {
	for name, end := range map[string]func(*session.Session){"Invalidate": (*session.Session).Invalidate,
		"Logout": (*session.Session).Logout} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) {
				s.Login("ada", session.Remember(time.Hour))
				s.Set("x", 1)
				s.Flash("f", 1)
			})
			old := v.ticket()
			resp := v.with(func(s *session.Session) {
				s.Now("n", 1)
				s.Set("a..b", 1) // refused, and nothing to do with what follows
				end(s)
				if s.User() != "" || len(s.All()) != 0 || s.ID() != "" || s.Token() != "" || !s.LoginAt().IsZero() ||
					s.Err() != nil {
					t.Errorf("at once: user %q, data %v, id %q, Err %v", s.User(), s.All(), s.ID(), s.Err())
				}
			})
			if c := resp.Cookies(); resp.StatusCode != 200 || len(c) != 1 || c[0].MaxAge >= 0 || c[0].Path != "/" {
				t.Errorf("status %d, cookies %d, want one that deletes", resp.StatusCode, len(c))
			}
			if v.ticket() != "" || r.opens(old) || r.ev.count(session.EventEnded) != 1 {
				t.Errorf("cookie kept %v, old ticket opens %v, %d events", v.ticket() != "", r.opens(old),
					r.ev.count(session.EventEnded))
			}
			for range r.All(t.Context()) {
				t.Error("a session is left")
			}
		})
	}
}

// What is set after Logout belongs to a new session, with clocks of its own, in the same request.
func TestWhatIsSetAfterLogoutBeginsANewSession(t *testing.T) {
	for name, begin := range map[string]func(*session.Session){
		"Set":   func(s *session.Session) { s.Set("y", 1) },
		"Flash": func(s *session.Session) { s.Flash("y", 1) },
		"Login": func(s *session.Session) { s.Login("bob"); s.Set("y", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1); s.SetIdleTimeout(time.Minute) })
			old := v.ticket()
			r.clock.advance(30 * time.Second)
			var id string
			v.with(func(s *session.Session) {
				before := s.ID()
				s.Logout()
				begin(s)
				if id = s.ID(); id == before || id == "" {
					t.Error("no new id")
				}
			})
			if v.ticket() == old || v.ticket() == "" || r.opens(old) {
				t.Errorf("new ticket %v, old one opens %v", v.ticket() != old, r.opens(old))
			}
			v.with(func(s *session.Session) {
				if s.ID() != id || s.Has("x") || s.Get("y") != int64(1) || s.User() == "ada" {
					t.Errorf("id kept %v, user %q, data %v", s.ID() == id, s.User(), s.All())
				}
				if !s.CreatedAt().Equal(r.clock.now()) || s.ExpiresAt().Sub(r.clock.now()) < 23*time.Hour {
					t.Errorf("created %v, expires %v: clocks of the old session", s.CreatedAt(), s.ExpiresAt())
				}
			})
			if infos, _ := r.Sessions(t.Context(), "ada"); len(infos) != 0 {
				t.Errorf("ada still has %d sessions", len(infos))
			}
		})
	}
}

// Logout of a session that is gone already succeeds and touches no cookie; a second one in one request does nothing.
func TestLogoutOfWhatIsGoneDoesNothing(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	tab := v.clone()
	v.with(func(s *session.Session) { s.Logout(); s.Logout(); s.Invalidate() })
	resp := tab.with((*session.Session).Logout)
	if resp.StatusCode != 200 || resp.Header["Set-Cookie"] != nil {
		t.Errorf("status %d, cookie touched %v", resp.StatusCode, resp.Header["Set-Cookie"] != nil)
	}
	if n := r.ev.count(session.EventEnded); n != 1 {
		t.Errorf("%d events ended, want 1", n)
	}
}

// A request with a retired ticket reads nothing and creates nothing, and no response to it touches the cookie.
func TestARetiredTicketGivesNothing(t *testing.T) {
	for name, retire := range map[string]func(*session.Session){
		"login": func(s *session.Session) { s.Login("ada") }, "regenerate": (*session.Session).Regenerate,
		"logout": (*session.Session).Logout,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("x", 1) })
			old := v.clone()
			v.with(retire)
			for what, c := range map[string]struct {
				do     func(*session.Session)
				status int
			}{
				"read":       {func(s *session.Session) { s.All() }, 200},
				"write":      {put("y", 1), 409},
				"flash":      {func(s *session.Session) { s.Flash("y", 1) }, 409},
				"remove":     {func(s *session.Session) { s.Remove("x"); s.Clear() }, 200},
				"regenerate": {(*session.Session).Regenerate, 200},
			} {
				resp := old.with(func(s *session.Session) {
					if s.Has("x") || s.User() != "" || !s.IsNew() || s.Expired() || s.ID() != "" {
						t.Errorf("%s: user %q, data %v", what, s.User(), s.All())
					}
					c.do(s)
				})
				if resp.StatusCode != c.status || resp.Header["Set-Cookie"] != nil {
					t.Errorf("%s: status %d, cookie touched %v, want %d and no cookie", what, resp.StatusCode,
						resp.Header["Set-Cookie"] != nil, c.status)
				}
			}
			r.clock.advance(time.Minute) // the grace is over: as if the tombstone was swept
			resp := old.with(put("y", 1))
			if resp.StatusCode != 200 || resp.Header["Set-Cookie"] == nil {
				t.Errorf("after the grace: status %d, a fresh session %v", resp.StatusCode,
					resp.Header["Set-Cookie"] != nil)
			}
			old.with(func(s *session.Session) {
				if s.Has("x") || s.Get("y") != int64(1) {
					t.Errorf("the fresh session has %v", s.All())
				}
			})
		})
	}
}

// Logout with a retired ticket reaches the session under its new id, and ends that. It leaves the cookie, which may be
// another.
func TestLogoutWithARetiredTicketEndsTheSuccessor(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(put("x", 1))
	old := v.clone()
	v.with(func(s *session.Session) { s.Login("ada") })
	v.with((*session.Session).Regenerate)
	resp := old.with((*session.Session).Logout)
	if resp.StatusCode != 200 || resp.Header["Set-Cookie"] != nil {
		t.Errorf("status %d, %d Set-Cookie, want 200 and none", resp.StatusCode, len(resp.Header["Set-Cookie"]))
	}
	if r.opens(v.ticket()) || r.ev.count(session.EventEnded) != 1 {
		t.Errorf("the successor is alive %v, %d events", r.opens(v.ticket()), r.ev.count(session.EventEnded))
	}
}

// Login alone is excepted: a double click signs in afresh, with what this request set.
func TestALoginWithARetiredTicketBeginsAFreshSession(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("cart", 1) })
	first, second := v.clone(), v.clone()
	first.with(func(s *session.Session) { s.Login("ada") })
	resp := second.with(func(s *session.Session) { s.Login("ada"); s.Set("y", 1) })
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
	for _, v := range []*visitor{first, second} {
		v.with(func(s *session.Session) {
			if s.User() != "ada" {
				t.Error("not signed in")
			}
		})
	}
	second.with(func(s *session.Session) {
		if s.Has("cart") || s.Get("y") != int64(1) {
			t.Errorf("the fresh session has %v", s.All())
		}
	})
	// The same when both were under way at once.
	a, b := first.open(), first.open()
	a.Login("ada")
	b.Set("z", 1)
	b.Login("ada")
	for _, s := range []*session.Session{a, b} {
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !r.opens(s.Token()) || s.User() != "ada" {
			t.Error("not signed in")
		}
	}
}

// Remember: the cookie survives the browser, and both clocks are the given one.
func TestRememberKeepsAVisitorSignedIn(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	const d = 90 * 24 * time.Hour
	resp := v.with(func(s *session.Session) { s.Login("ada", session.Remember(d)) })
	if c := resp.Cookies()[0]; c.MaxAge != int(d/time.Second) {
		t.Errorf("max-age %d, want %d", c.MaxAge, int(d/time.Second))
	}
	r.clock.advance(d - time.Hour)
	v.with(func(s *session.Session) {
		if s.User() != "ada" {
			t.Error("forgotten")
		}
	})
	r.clock.advance(2 * time.Hour)
	if v.alive() {
		t.Error("remembered for longer")
	}
	plain := r.visitor()
	resp = plain.with(func(s *session.Session) { s.Login("ada") })
	if c := resp.Cookies()[0]; c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("without Remember: max-age %d", c.MaxAge)
	}
}

// A LoginOption is an ordinary function: an application writes its own with the methods of the session.
func TestALoginOptionMayUseTheSession(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada", session.Remember(time.Hour)) })
	short := func(s *session.Session) {
		s.SetPersistent(false)
		s.SetIdleTimeout(time.Minute)
		s.Set("from", s.User())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.with(func(s *session.Session) { s.Login("ada", short) })
	}()
	waitFor(t, done, "Login waits for itself")
	v.with(func(s *session.Session) {
		if !s.ExpiresAt().Equal(r.clock.now().Add(time.Minute)) || s.Get("from") != "ada" {
			t.Errorf("expires %v, from %v", s.ExpiresAt(), s.Get("from"))
		}
	})
}

// A user name has 1 to 255 bytes of UTF-8 without control characters, and looks like no other one; anything else is
// refused everywhere, and told which rule it breaks.
func TestAnInvalidUserNameIsRefusedEverywhere(t *testing.T) {
	r := newRig(t)
	for user, rule := range map[string]string{
		"": "empty", "a\x00b": "control", "a\nb": "control", "\x7f": "control", "a\u0085b": "control", "\xff": "UTF-8",
		"ab\xc3":                 "UTF-8",
		strings.Repeat("x", 256): "255 bytes", strings.Repeat("ü", 128): "255 bytes",
		"   ": "blank", "ada ": "blank", " ada": "blank", "\u00a0ada": "blank", "ada\u3000": "blank", "\u2003": "blank",
		"a\u200bda": "invisible", "ad\u202ea": "invisible", "\ufeffada": "invisible", "ada\u00ad": "invisible",
		"a\u2066da": "invisible",
		"ada\ufe0f": "invisible", "ad\u3164a": "invisible", "ada\u2028": "invisible", "a\U000e0041da": "invisible",
	} {
		v := r.visitor()
		resp := v.with(func(s *session.Session) {
			s.Login(user)
			wantText(t, s.Err(), rule)
			if s.User() != "" || user != "" && strings.Contains(s.Err().Error(), user) {
				t.Errorf("Login(%q): Err %v, user %q", user, s.Err(), s.User())
			}
		})
		if resp.StatusCode != 500 || v.ticket() != "" {
			t.Errorf("Login(%q): status %d, cookie set %v", user, resp.StatusCode, v.ticket() != "")
		}
		if _, err := r.Sessions(t.Context(), user); err == nil {
			t.Errorf("Sessions(%q) accepts it", user)
		}
		if n, err := r.RevokeUser(t.Context(), user); err == nil || n != 0 {
			t.Errorf("RevokeUser(%q) = %d, %v", user, n, err)
		}
	}
	for _, user := range []string{"a", "ada@example.com", "ü", "用户", "a b", "../x", "'; DROP TABLE",
		strings.Repeat("x", 255), "%", "*"} {
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login(user) })
		infos, err := r.Sessions(t.Context(), user)
		if err != nil || len(infos) != 1 || infos[0].User != user {
			t.Errorf("Sessions(%q) = %v, %v", user, infos, err)
		}
	}
}

// DESIGN section 4: Open begins, opens and stores sessions without HTTP; only a failing store is an error.
func TestOpenWorksWithoutHTTP(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	s, err := r.Open(ctx, "")
	if err != nil || !s.IsNew() || r.store.total() != 0 {
		t.Fatalf("Open of nothing: %v, %d calls", err, r.store.total())
	}
	s.Login("ada")
	s.Set("x", 1)
	if err := s.Save(ctx); err != nil || s.Token() == "" {
		t.Fatalf("Save = %v", err)
	}
	again, err := r.node().Open(ctx, s.Token())
	if err != nil || again.User() != "ada" || again.Get("x") != int64(1) || again.ID() != s.ID() {
		t.Fatalf("Open = %v", err)
	}
	again.Logout()
	if err := again.Save(ctx); err != nil || again.Token() != "" {
		t.Errorf("Save after Logout = %v, token set %v", err, again.Token() != "")
	}
	s.Set("x", 2)
	if err := s.Save(ctx); !errors.Is(err, session.ErrEnded) {
		t.Errorf("Save of what ended = %v, want ErrEnded", err)
	}
	for _, bad := range []string{"nonsense", "v1.", s.ID(), strings.Repeat("x", 100_000), "v1.\x00"} {
		if s, err := r.Open(ctx, bad); err != nil || !s.IsNew() {
			t.Errorf("Open of a bad ticket = %v", err)
		}
	}
	v := r.visitor()
	v.with(put("x", 1))
	r.store.hook(func(string, string) error { return errDown })
	if s, err := r.Open(ctx, v.ticket()); !errors.Is(err, session.ErrUnavailable) || s != nil {
		t.Errorf("Open with a store that is down = %v, %v", s, err)
	}
}

// A record and a ticket under an older secret are made anew with the first one, and a removed secret opens nothing.
func TestRotationSignsAndSealsAnew(t *testing.T) {
	older, newer := session.NewSecret(), session.NewSecret()
	for _, seal := range []bool{false, true} {
		secrets := func(list ...session.Secret) func(*session.Options) {
			return func(o *session.Options) { o.Secrets, o.Seal = list, seal }
		}
		r := newRig(t, secrets(older))
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		first := v.ticket()
		both := r.node(secrets(newer, older))
		v.on(both.Manager).with(func(s *session.Session) {
			if s.User() != "ada" {
				t.Error("an older secret does not open")
			}
		})
		if v.ticket() == first {
			t.Error("the ticket is not signed anew")
		}
		both.store.reset()
		v.on(both.Manager).with(func(*session.Session) {})
		if n := both.store.total(); n != 1 {
			t.Errorf("%d calls after the rotation, want the load only", n)
		}
		v.on(r.node(secrets(newer)).Manager).with(func(s *session.Session) {
			if s.User() != "ada" {
				t.Error("the record is not sealed anew")
			}
		})
		v.on(r.node(secrets(older)).Manager).with(func(s *session.Session) {
			if !s.IsNew() {
				t.Error("the removed secret still opens")
			}
		})
	}
}

// Seal: values are not readable in the store; RequireSealed refuses what is not sealed; the next request seals it.
func TestSealAndRequireSealed(t *testing.T) {
	r := newRig(t)
	sealing := r.node(func(o *session.Options) { o.Seal = true })
	strict := r.node(func(o *session.Options) { o.RequireSealed = true })
	v := r.visitor()
	var id string
	v.with(func(s *session.Session) { s.Login("ada"); s.Set("canary-key", "canary-value"); id = s.ID() })
	reads := func() bool {
		rec, err := r.store.fullStore.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(rec.Data, []byte("canary"))
	}
	if !reads() {
		t.Error("an unsealed record is not readable: what is this test worth?")
	}
	v.on(strict.Manager).with(func(s *session.Session) {
		if !s.IsNew() || s.User() != "" {
			t.Error("RequireSealed opens an unsealed record")
		}
	})
	if strict.ev.count(session.EventRejected) != 1 {
		t.Error("no event")
	}
	v.on(sealing.Manager).with(func(s *session.Session) {
		if s.User() != "ada" {
			t.Error("Seal alone refuses an older record")
		}
	})
	if reads() {
		t.Error("the record is not sealed by the next request")
	}
	v.on(strict.Manager).with(func(s *session.Session) {
		if s.User() != "ada" || s.Get("canary-key") != "canary-value" {
			t.Error("RequireSealed refuses a sealed record")
		}
	})
}

// Promise 5: a row given to another user, moved to another id, or put back at another version does not open.
func TestARowThatWasTamperedWithDoesNotOpen(t *testing.T) {
	for _, seal := range []bool{false, true} {
		opt := func(o *session.Options) { o.Seal = seal }
		r := newRig(t, opt)
		ada, eve := r.visitor(), r.visitor()
		var adas, eves string
		ada.with(func(s *session.Session) { s.Login("ada"); s.Set("role", "admin"); adas = s.ID() })
		eve.with(func(s *session.Session) { s.Login("eve"); eves = s.ID() })
		a, _ := r.store.fullStore.Load(t.Context(), adas)
		e, _ := r.store.fullStore.Load(t.Context(), eves)
		for what, change := range map[string]func(*session.Record){
			"data of another":      func(rec *session.Record) { rec.Data = a.Data },
			"data and user":        func(rec *session.Record) { rec.Data, rec.User = a.Data, "ada" },
			"user alone":           func(rec *session.Record) { rec.User = "ada" },
			"no user":              func(rec *session.Record) { rec.User = "" },
			"another version":      func(rec *session.Record) { rec.Version++ },
			"the whole row but id": func(rec *session.Record) { id := rec.ID; *rec = *a.Clone(); rec.ID = id },
			"an alias to another": func(rec *session.Record) {
				rec.Kind, rec.Successor, rec.SeenAt = session.KindAlias, adas, r.clock.now()
			},
			"empty": func(rec *session.Record) { rec.Data = nil },
		} {
			rec := e.Clone()
			change(rec)
			forged := newRigOn(t, planted(t, rec), opt)
			eve.clone().on(forged.Manager).with(func(s *session.Session) {
				if s.User() != "" || s.Has("role") || !s.IsNew() {
					t.Errorf("seal=%v, %s: opens as %q with %v", seal, what, s.User(), s.All())
				}
			})
			if forged.ev.count(session.EventRejected) != 1 {
				t.Errorf("seal=%v, %s: no event", seal, what)
			}
		}
	}
}
