package cookiestore_test

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

// each runs a test with and without a list of revocations, packed, cut into pieces, and through a header.
func each(t *testing.T, fn func(*testing.T, *rig), change ...func(*session.Options)) {
	for name, opts := range map[string]cookiestore.Options{
		"alone": {}, "listed": listed(), "packed": {Compress: true}, "three cookies": {MaxChunks: 3},
	} {
		t.Run(name, func(t *testing.T) { fn(t, newRig(t, opts, change...)) })
	}
}

// What a request stores the next one reads, at another process with the same secret too, and the server keeps nothing.
func TestASessionTravelsInItsCookie(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		v := r.visitor()
		v.with(func(s *session.Session) {
			s.Set("cart.items", []string{"tea", "ü"})
			s.Set("n", int64(7))
		})
		id := ""
		v.with(func(s *session.Session) {
			id = s.ID()
			if got := s.Get("cart.items.1"); got != "ü" || s.IsNew() || len(id) != 64 {
				t.Errorf("cart = %v, new %v, id %q", got, s.IsNew(), id)
			}
		})
		elsewhere := v.on(r.manager(cookiestore.Options{MaxChunks: 3}, r.opts))
		elsewhere.wants("n", int64(7))
		elsewhere.with(func(s *session.Session) { s.Remove("n") })
		v.with(func(s *session.Session) {
			if s.Has("n") || s.ID() != id {
				t.Errorf("data %v, id %q, want %q", s.All(), s.ID(), id)
			}
		})
		if r.count(session.EventCreated) != 1 || r.count(session.EventRejected) != 0 {
			t.Errorf("events %v", r.events)
		}
	})
}

// A request that touches nothing sends no cookie; a read sends none either until a touch is due; a stranger gets none.
func TestReadingSendsNoCookieUntilATouchIsDue(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		v := r.visitor()
		if resp := v.with(read); len(resp.Cookies()) != 0 {
			t.Errorf("a stranger got %v", resp.Cookies())
		}
		v.with(set("x", 1))
		if resp := v.with(read); len(resp.Cookies()) != 0 || resp.Header.Get("Vary") != "Cookie" {
			t.Errorf("a read sent %v, vary %q", resp.Cookies(), resp.Header.Get("Vary"))
		}
		r.advance(time.Minute)
		if resp := v.with(read); len(resp.Cookies()) != 1 {
			t.Errorf("a due touch sent %d cookies", len(resp.Cookies()))
		}
		v.with(func(s *session.Session) {
			if !s.SeenAt().Equal(r.clock()) {
				t.Errorf("seen at %v, want %v", s.SeenAt(), r.clock())
			}
		})
	})
}

func TestFlashDataLiveForTheNextRequest(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		v := r.visitor()
		v.with(func(s *session.Session) { s.Flash("note", "saved") })
		v.wants("note", "saved")
		v.with(func(s *session.Session) {
			if s.Has("note") {
				t.Error("the flash is still there")
			}
		})
	})
}

// Signing in gives a new id and keeps what a stranger collected; the data of another user go.
func TestLoginChangesTheID(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		v := r.visitor()
		var before, after string
		v.with(func(s *session.Session) { s.Set("cart", 1); before = s.ID() })
		v.with(func(s *session.Session) { s.Login("ada"); after = s.ID() })
		v.with(func(s *session.Session) {
			if s.User() != "ada" || s.Get("cart") != int64(1) || s.ID() != after || before == after {
				t.Errorf("user %q, cart %v, id %q", s.User(), s.Get("cart"), s.ID())
			}
			s.Login("grace")
		})
		v.with(func(s *session.Session) {
			if s.User() != "grace" || s.Has("cart") || s.LoginAt().IsZero() {
				t.Errorf("user %q, data %v", s.User(), s.All())
			}
			s.Regenerate()
			after = s.ID()
		})
		v.with(func(s *session.Session) {
			if s.ID() != after || s.User() != "grace" {
				t.Errorf("after Regenerate: id %q, want %q, user %q", s.ID(), after, s.User())
			}
		})
	})
}

func TestLogoutDeletesTheCookie(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada") })
		resp := v.with((*session.Session).Logout)
		if got := resp.Header["Set-Cookie"]; len(v.cookies()) != 0 || !strings.Contains(got[0], "Max-Age=0") {
			t.Errorf("cookies %v, header %v", v.cookies(), got)
		}
		v.with(func(s *session.Session) {
			if s.User() != "" || !s.IsNew() {
				t.Errorf("user %q", s.User())
			}
			s.Set("x", 1)
		})
		v.with(func(s *session.Session) { s.Logout(); s.Set("y", 2) })
		v.with(func(s *session.Session) {
			if s.Has("x") || s.Get("y") != int64(2) {
				t.Errorf("data %v, want what was set after the logout", s.All())
			}
		})
	})
}

// What an older secret sealed opens, and is sealed anew; what a removed secret sealed does not open.
func TestAnOlderSecretOpensAndIsReplaced(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		v := r.visitor()
		v.with(set("x", 1))
		r.opts.Secrets = []session.Secret{session.NewSecret(), testSecret}
		both := r.manager(cookiestore.Options{}, r.opts)
		r.opts.Secrets = r.opts.Secrets[:1]
		fresh := r.manager(cookiestore.Options{}, r.opts)
		stolen := v.copied()
		if resp := v.on(both).with(read); len(resp.Cookies()) != 1 {
			t.Errorf("a read under an older secret sent %d cookies", len(resp.Cookies()))
		}
		v.on(fresh).wants("x", int64(1))
		stolen.on(fresh).wants("x", nil)
		if r.count(session.EventRejected) != 1 {
			t.Errorf("events %v", r.events)
		}
	})
}

func TestOpenWorksWithoutHTTP(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		ctx := t.Context()
		s, err := r.Open(ctx, "")
		if err != nil || s.Token() != "" {
			t.Fatalf("Open = %v, token of %d bytes", err, len(s.Token()))
		}
		s.Set("x", 1)
		if err := s.Save(ctx); err != nil {
			t.Fatal(err)
		}
		first := s.Token()
		again, err := r.Open(ctx, first)
		if err != nil || again.Get("x") != int64(1) || again.Token() != first || again.ID() != s.ID() {
			t.Fatalf("Open = %v, x = %v", err, again.Get("x"))
		}
		if err := again.Atomic(ctx, func(s *session.Session) error { s.Set("x", 2); return nil }); err != nil {
			t.Fatal(err)
		}
		if again.Token() == first {
			t.Error("the token is the old one after a change")
		}
		again.Set("x", 3)
		if err := again.Reload(ctx); err != nil || again.Get("x") != int64(2) {
			t.Errorf("Reload = %v, x = %v, want the last stored", err, again.Get("x"))
		}
		if s, err := r.Open(ctx, "e1.AAAA"); err != nil || !s.IsNew() {
			t.Errorf("a bad token: %v, new %v", err, s.IsNew())
		}
	})
}

func TestAHeaderCarriesTheSession(t *testing.T) {
	r := newRig(t, cookiestore.Options{}, func(o *session.Options) { o.Transport = session.Header("X-Session") })
	v := r.visitor()
	resp := v.with(set("x", 1))
	token := resp.Header.Get("X-Session")
	if token == "" || len(resp.Cookies()) != 0 {
		t.Fatalf("header of %d bytes, %d cookies", len(token), len(resp.Cookies()))
	}
	req := v.request()
	req.Header.Set("X-Session", "Bearer "+token)
	resp = v.send(req, func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		if s.Get("x") != int64(1) {
			t.Errorf("x = %v", s.Get("x"))
		}
		s.Logout()
	})
	if got := resp.Header["X-Session"]; !slices.Equal(got, []string{""}) {
		t.Errorf("after a logout the header is %q", got)
	}
	if resp := v.with(func(s *session.Session) { s.Set("x", noise(5000)) }); resp.StatusCode != 500 ||
		resp.Header["X-Session"] != nil {
		t.Errorf("status %d for a session that does not fit", resp.StatusCode)
	}
}

func TestNewRefusesWrongOptions(t *testing.T) {
	inner, _ := cookiestore.New(cookiestore.Options{})
	listing, _ := cookiestore.New(listed())
	for name, opts := range map[string]cookiestore.Options{
		"MaxChunks: -1": {MaxChunks: -1}, "MaxChunks: 9": {MaxChunks: 9},
		"Revocations: *cookiestore":                         {Revocations: inner},
		"Revocations: *memstore":                            {Revocations: (*memstore.Store)(nil)},
		"Revocations: *cookiestore.Store leaves":            {Revocations: listing},
		"Revocations: struct { *cookiestore.Store } leaves": {Revocations: struct{ *cookiestore.Store }{listing}},
	} {
		if _, err := cookiestore.New(opts); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A cancelled context gives an error from the store itself, as from any other.
func TestTheStoreHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	store, _ := cookiestore.New(cookiestore.Options{})
	_, load := store.Load(ctx, "x")
	for name, err := range map[string]error{"load": load, "save": store.Save(ctx, &session.Record{ID: "x"}),
		"delete": store.Delete(ctx, "x")} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// No list shows the client of a session that is in its cookie, so nobody looks for it.
func TestNobodyLooksForTheClientOfACookie(t *testing.T) {
	r := newRig(t, listed(), func(o *session.Options) {
		o.OnEvent = nil // which is told of the client
		o.ClientIP = func(*http.Request) (ip netip.Addr) {
			t.Error("a request was asked for its client")
			return ip
		}
	})
	v := r.visitor()
	v.with(set("x", 1))
	v.with(set("x", 2))
	v.wants("x", int64(2))
}
