package integration_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// attacks are tried on every store. Their names carry the labels of the threats.
var attacks = []struct {
	name  string
	carry bool // also where the record is in the cookie
	try   func(t *testing.T, v *victim)
}{
	{"T-FIX-1 a ticket that was never given out becomes no session", true, neverGivenOut},
	{"T-FIX-2 every change of identity makes the old ticket useless", true, oldIdentity},
	{"T-FIX-4 no empty id loads or saves", true, emptyID},
	{"T-RACE-1 a request under way revives no session", true, underWay},
	{"T-RACE-1 an id that was retired is not saved again", false, retiredID},
	{"T-EXP-1 both deadlines hold whatever the browser keeps", true, deadlines},
	{"T-EXP-2 a cookie is worth nothing after the logout", true, afterLogout},
	{"T-DOS-1 strangers leave nothing", true, strangers},
	{"T-DOS-4 a session above MaxBytes is refused whole", true, tooLarge},
	{"T-NS-1 two names on one store are two sites", true, twoNames},
	{"T-DB-1 T-CRY-5 what moves to another row or user does not open", false, movedRows},
	{"T-DB-1 T-CRY-3 a key from the store is no cookie", false, keyAsCookie},
	{"T-ENC-1 T-CRY-1 data that were cut or changed do not open", false, changedData},
}

// The attack suite: every attack on every store that it touches.
func TestAttacks(t *testing.T) {
	for _, s := range attackedStores {
		t.Run(s.name, func(t *testing.T) {
			for _, a := range attacks {
				if s.name == "cookie" && !a.carry { // there is no record in the store
					continue
				}
				t.Run(a.name, func(t *testing.T) {
					a.try(t, newVictim(t, s.open(t)))
				})
			}
		})
	}
}

func neverGivenOut(t *testing.T, v *victim) {
	other := newVictim(t, memstore.New(memstore.Options{})) // with the same secret, so that its tickets verify
	for range 100 {
		b := other.guest()
		b.visit(login)
		given := b.ticket()
		b = v.guest(&http.Cookie{Name: "__Host-Http-session", Value: given})
		b.isNobody("a ticket of another store")
		if resp := b.visit(look); len(resp.Cookies()) != 0 {
			t.Error("a ticket that is unknown got an answer")
		}
		b.visit(func(s *session.Session) { s.Set("x", 1) })
		if b.ticket() == given {
			t.Error("the client's own ticket was taken over")
		}
	}
	if v.events[session.EventRejected] < 200 {
		t.Errorf("%d events rejected", v.events[session.EventRejected])
	}
	if _, ok := v.store.(session.Lister); ok && len(v.records()) != 100 {
		t.Errorf("%d records, want those of the sessions that began", len(v.records()))
	}
}

func oldIdentity(t *testing.T, v *victim) {
	for name, change := range map[string]func(*session.Session){
		"login": login, "remembered login": func(s *session.Session) { s.Login("ada", session.Remember(time.Hour)) },
		"another user": func(s *session.Session) { s.Login("grace") }, "regenerate": (*session.Session).Regenerate,
		"invalidate": (*session.Session).Invalidate, "logout": (*session.Session).Logout,
	} {
		b := v.guest()
		b.visit(login)
		old := b.copied()
		before, after := "", ""
		b.visit(func(s *session.Session) { before = s.ID(); change(s); after = s.ID() })
		if before == after || b.ticket() == old.ticket() {
			t.Errorf("%s: the id or the ticket is the old one", name)
		}
		old.visit(func(s *session.Session) {
			if s.User() != "" || s.Has("role") {
				t.Errorf("%s: the old ticket is let in at once", name)
			}
		})
		v.advance(time.Minute)
		old.isNobody(name + ", later")
	}
}

func emptyID(t *testing.T, v *victim) {
	for _, value := range []string{"", "v1..", "e1.", "v1." + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43),
		strings.Repeat("0", 64)} {
		v.guest(&http.Cookie{Name: "__Host-Http-session", Value: value}).isNobody("an empty ticket")
	}
	if s, err := v.Open(t.Context(), ""); err != nil || !s.IsNew() || s.ID() != "" {
		t.Errorf("Open of nothing: %v", err)
	}
	if _, err := v.Revoke(t.Context(), "", strings.Repeat("0", 64)); err != nil {
		t.Errorf("Revoke: %v", err)
	}
}

func underWay(t *testing.T, v *victim) {
	for name, end := range map[string]func(*session.Session){"logout": (*session.Session).Logout, "login": login,
		"regenerate": (*session.Session).Regenerate} {
		b := v.guest()
		b.visit(login)
		slow := b.copied()
		resp := slow.visit(func(s *session.Session) {
			b.visit(end)
			s.Set("role", "thief")
		})
		if resp.StatusCode != http.StatusConflict || len(resp.Cookies()) != 0 {
			t.Errorf("%s: the slow request got status %d and %d cookies", name, resp.StatusCode, len(resp.Cookies()))
		}
		slow.visit(func(s *session.Session) {
			if s.User() != "" || s.Has("role") {
				t.Errorf("%s: the session is back", name)
			}
		})
	}
}

func retiredID(t *testing.T, v *victim) {
	b := v.guest()
	id := ""
	b.visit(login)
	b.visit(func(s *session.Session) { id = s.ID() })
	rec := loaded(t, v.store, id)
	if err := v.store.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if err := v.store.Save(t.Context(), rec); err == nil {
		t.Error("a record that was deleted is saved again")
	}
	b.isNobody("after the delete")
}

func deadlines(t *testing.T, v *victim) {
	idle, absolute := v.guest(), v.guest()
	absolute.visit(func(s *session.Session) {
		s.Login("ada")
		s.SetLifetime(2 * time.Hour)
		s.SetIdleTimeout(time.Hour)
	})
	idle.visit(func(s *session.Session) { s.Login("ada"); s.SetIdleTimeout(time.Hour); s.SetPersistent(true) })
	for range 2 {
		v.advance(40 * time.Minute)
		absolute.visit(func(s *session.Session) { s.Set("x", v.clock().Unix()) })
	}
	v.advance(40 * time.Minute)
	idle.isNobody("after the idle timeout")
	absolute.isNobody("after the lifetime")
}

func afterLogout(t *testing.T, v *victim) {
	b := v.guest()
	b.visit(login)
	stolen := b.copied()
	b.visit((*session.Session).Logout)
	if b.ticket() != "" {
		t.Error("the cookie is not deleted")
	}
	for range 2 {
		stolen.copied().visit(func(s *session.Session) {
			if s.User() != "" || s.Has("role") {
				t.Error("a stolen cookie is let in after the logout")
			}
		})
		v.advance(time.Minute)
		if _, err := v.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func strangers(t *testing.T, v *victim) {
	for i := range 100 {
		b := v.guest()
		resp := b.visit(func(s *session.Session) {
			s.Get("x")
			s.Now("notice", "hello")
			if i%2 == 0 {
				s.Logout()
			}
		})
		if len(resp.Cookies()) != 0 {
			t.Fatal("a stranger got a cookie")
		}
	}
	if list := v.records(); len(list) != 0 {
		t.Errorf("%d records", len(list))
	}
}

func tooLarge(t *testing.T, v *victim) {
	small := newVictim(t, v.store, func(o *session.Options) { o.MaxBytes = 1000 })
	b := small.guest()
	b.visit(func(s *session.Session) { s.Set("x", "kept") })
	if resp := b.visit(func(s *session.Session) { s.Set("y", strings.Repeat("z", 1000)) }); resp.StatusCode != 500 {
		t.Errorf("status %d", resp.StatusCode)
	}
	b.visit(func(s *session.Session) {
		if s.Get("x") != "kept" || s.Has("y") {
			t.Errorf("data %v", s.All())
		}
	})
}

func twoNames(t *testing.T, v *victim) {
	b := v.guest()
	b.visit(login)
	other := newVictim(t, v.store, func(o *session.Options) { o.Cookie.Name = "__Host-other" })
	other.guest(&http.Cookie{Name: "__Host-other", Value: b.ticket()}).isNobody("under another name")
}

// pair signs two users in, and returns their browsers and records.
func pair(t *testing.T, v *victim) (ada, grace *guest, a, g *session.Record) {
	t.Helper()
	ada, grace = v.guest(), v.guest()
	ids := map[string]string{}
	ada.visit(login)
	grace.visit(func(s *session.Session) { s.Login("grace") })
	for _, b := range []*guest{ada, grace} {
		b.visit(func(s *session.Session) { ids[s.User()] = s.ID() })
	}
	return ada, grace, loaded(t, v.store, ids["ada"]), loaded(t, v.store, ids["grace"])
}

func movedRows(t *testing.T, v *victim) {
	for name, forge := range map[string]func(a, g *session.Record){
		"data of another row": func(a, g *session.Record) { g.Data = a.Data },
		"a row of another one": func(a, g *session.Record) {
			id, version := g.ID, g.Version
			*g = *a.Clone()
			g.ID, g.Version = id, version
		},
		"another user":    func(_, g *session.Record) { g.User = "ada" },
		"no user":         func(_, g *session.Record) { g.User = "" },
		"another version": func(_, g *session.Record) {}, // the save raises it
	} {
		_, grace, a, g := pair(t, v)
		forge(a, g)
		if err := v.store.Save(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		before := v.events[session.EventRejected]
		grace.isNobody(name)
		if v.events[session.EventRejected] == before {
			t.Errorf("%s: there is no event", name)
		}
	}
}

func keyAsCookie(t *testing.T, v *victim) {
	_, _, a, _ := pair(t, v)
	for _, value := range []string{a.ID, "v1." + a.ID, hex.EncodeToString(a.Data), strings.ToUpper(a.ID), a.User} {
		v.guest(&http.Cookie{Name: "__Host-Http-session", Value: value}).isNobody("a key of the store")
	}
}

func changedData(t *testing.T, v *victim) {
	ada, _, a, _ := pair(t, v)
	good := a.Data
	changes := [][]byte{nil, {}, []byte(`{"role":"admin"}`), append(append([]byte{}, good...), 0)}
	for i := 0; i < len(good); i += 7 {
		flipped := append([]byte{}, good...)
		flipped[i] ^= 1 << (i % 8)
		changes = append(changes, good[:i], flipped)
	}
	for _, data := range changes {
		a.Data = data
		if err := v.store.Save(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		a.Version++
		ada.isNobody("changed data")
	}
	if rec := loaded(t, v.store, a.ID); rec.Version != a.Version {
		t.Error("the record did not stay where it was")
	}
}
