package cookiestore_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
)

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

// A session that one call kept is not kept by the next one, whatever the clock of the node that makes it shows.
func TestRevokeUserEndsWhatAnEarlierOneKept(t *testing.T) {
	for name, moves := range map[string]time.Duration{
		"the clock goes on": time.Microsecond, "the clock stands": 0, "the clock ticks by less than a microsecond": 1,
		"the clock goes back": -time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, listed())
			kept, keep := r.visitor(), ""
			kept.with(func(s *session.Session) { s.Login("ada"); keep = s.ID() })
			r.advance(hour)
			if _, err := r.RevokeUser(t.Context(), "ada", keep); err != nil {
				t.Fatal(err)
			}
			kept.with(set("x", 1)) // which seals that it was kept
			kept.wants("x", int64(1))
			r.advance(moves)
			if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
				t.Fatal(err)
			}
			kept.with(func(s *session.Session) {
				if s.User() != "" {
					t.Error("the session is not ended")
				}
			})
		})
	}
}

// signedIn checks who is signed in, for each of the browsers.
func signedIn(t *testing.T, want string, visitors ...*visitor) {
	t.Helper()
	for _, v := range visitors {
		v.with(func(s *session.Session) {
			if s.User() != want {
				t.Errorf("user %q, want %q", s.User(), want)
			}
		})
	}
}

// A page that sends several requests renews the session that was kept with the first of them. The others still have the
// ticket that was kept.
func TestAKeptSessionIsKeptForEachRequestThatMeetsItsRenewal(t *testing.T) {
	r := newRig(t, listed(), renewing)
	v, other, keep := r.visitor(), r.visitor(), ""
	v.with(func(s *session.Session) { s.Login("ada"); keep = s.ID() })
	other.with(func(s *session.Session) { s.Login("ada") })
	r.advance(hour)
	if _, err := r.RevokeUser(t.Context(), "ada", keep); err != nil {
		t.Fatal(err)
	}
	late, under := v.copied(), v.copied()
	resp := under.with(func(s *session.Session) {
		v.with(read) // which renews it
		s.Set("x", 1)
	})
	if resp.StatusCode != http.StatusOK {
		t.Errorf("a request that was under way has status %d", resp.StatusCode)
	}
	if late.with(set("y", 1)).StatusCode != http.StatusOK {
		t.Error("a request that began then is refused")
	}
	signedIn(t, "ada", v, under, late)
	r.advance(hour)
	signedIn(t, "ada", v)
	signedIn(t, "", other)
}

// The session that is to be kept may get another id from a parallel request just before the others are ended, however
// often.
func TestRevokeUserKeepsASessionThatAnotherRequestMoved(t *testing.T) {
	moves := map[string]func(r *rig, v *visitor){
		"renewal":    func(_ *rig, v *visitor) { v.with(read) },
		"Regenerate": func(_ *rig, v *visitor) { v.with((*session.Session).Regenerate) },
		"both": func(r *rig, v *visitor) {
			v.with(read)
			r.advance(time.Second)
			v.with((*session.Session).Regenerate)
		},
	}
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, listed(), renewing)
			v, other := r.visitor(), r.visitor()
			v.with(func(s *session.Session) { s.Login("ada") })
			other.with(func(s *session.Session) { s.Login("ada") })
			r.advance(hour)
			v.copied().with(func(s *session.Session) {
				move(r, v)
				if _, err := r.RevokeUser(t.Context(), "ada", s.ID()); err != nil {
					t.Error(err)
				}
			})
			signedIn(t, "ada", v)
			r.advance(hour)
			signedIn(t, "ada", v)
			signedIn(t, "", other)
			if _, err := r.RevokeUser(t.Context(), "ada"); err != nil {
				t.Fatal(err)
			}
			signedIn(t, "", v)
		})
	}
}

// A renewal may have begun before the others are ended, and be stored afterwards.
func TestRevokeUserKeepsASessionThatIsBeingRenewed(t *testing.T) {
	list := &during{Store: memstore.New(memstore.Options{})}
	r := newRig(t, cookiestore.Options{Revocations: list}, renewing)
	v, keep := r.visitor(), ""
	v.with(func(s *session.Session) { s.Login("ada"); keep = s.ID() })
	r.advance(hour)
	list.save = func() {
		if _, err := r.RevokeUser(t.Context(), "ada", keep); err != nil {
			t.Error(err)
		}
	}
	v.with(read)
	signedIn(t, "ada", v)
	r.advance(hour)
	signedIn(t, "ada", v)
}

// What was signed in anew after a logout is no session to keep, though it followed one.
func TestRevokeUserKeepsNothingThatALogoutLeft(t *testing.T) {
	r := newRig(t, listed())
	v, keep := r.visitor(), ""
	v.with(func(s *session.Session) { s.Login("ada"); keep = s.ID() })
	v.with(func(s *session.Session) { s.Logout(); s.Login("ada") })
	r.advance(time.Second)
	if _, err := r.RevokeUser(t.Context(), "ada", keep); err != nil {
		t.Fatal(err)
	}
	signedIn(t, "", v)
}

// during is a store that does something once, before it saves.
type during struct {
	session.Store
	save func()
}

func (d *during) Save(ctx context.Context, rec *session.Record) error {
	if save := d.save; save != nil {
		d.save = nil
		save()
	}
	return d.Store.Save(ctx, rec)
}
