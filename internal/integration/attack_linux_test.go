package integration_test

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/redisstore"
)

// attacked is a store that the attack suite runs on. Each call of open gives a fresh place.
type attacked struct {
	name string
	open func(t *testing.T) session.Store
}

// attackedStores are all stores that keep sessions, and cookiestore with a list of revocations.
var attackedStores = []attacked{
	{"memory", func(*testing.T) session.Store { return memstore.New(memstore.Options{}) }},
	{"file", func(t *testing.T) session.Store { return filesIn(t, filepath.Join(t.TempDir(), "sessions")) }},
	{"SQLite", func(t *testing.T) session.Store { return migrated(t, openSQLite(t, sqliteFile(t)), "") }},
	{"PostgreSQL", func(t *testing.T) session.Store { return onServer(t, sqlServers[0]) }},
	{"MySQL", func(t *testing.T) session.Store { return onServer(t, sqlServers[1]) }},
	{"Redis", func(t *testing.T) session.Store {
		client := redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t)})
		return redisStore(t, client, redisstore.Options{Prefix: newPrefix()})
	}},
	{"cookie", func(t *testing.T) session.Store {
		store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
		if err != nil {
			t.Fatal(err)
		}
		return store
	}},
}

func filesIn(t *testing.T, dir string) *filestore.Store {
	t.Helper()
	store, err := filestore.New(dir, filestore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func onServer(t *testing.T, s server) session.Store {
	t.Helper()
	return s.store(t, s.open(t), s.table())
}

// victim is a site on a store, with a clock that stands until it is moved, and its events.
type victim struct {
	*session.Manager
	t     *testing.T
	store session.Store

	mu     sync.Mutex
	now    time.Time
	events map[session.EventKind]int
}

var attackSecret = session.NewSecret()

func newVictim(t *testing.T, store session.Store, change ...func(*session.Options)) *victim {
	t.Helper()
	v := &victim{t: t, store: store, now: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC),
		events: map[session.EventKind]int{}}
	opts := session.Options{Secrets: []session.Secret{attackSecret}, Seal: true, SweepEvery: -1, Now: v.clock,
		OnEvent: v.event}
	opts.Logger = slog.New(slog.NewTextHandler((*victimLog)(v), &slog.HandlerOptions{Level: slog.LevelDebug}))
	for _, c := range change {
		c(&opts)
	}
	m, err := session.New(store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	v.Manager = m
	return v
}

func (v *victim) clock() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

func (v *victim) advance(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = v.now.Add(d)
}

// victimLog reads what a victim logs, errors of drivers included. Nothing there is a ticket, half of one, or a carried
// session; ids have 64 characters.
type victimLog victim

var looksSecret = regexp.MustCompile(`(?:^|[^A-Za-z0-9_-])[A-Za-z0-9_-]{43}(?:$|[^A-Za-z0-9_-])|e1\.[A-Za-z0-9_-]{60}`)

func (l *victimLog) Write(p []byte) (int, error) {
	if looksSecret.Match(p) {
		l.t.Errorf("the log shows a ticket: %s", p)
	}
	return len(p), nil
}

func (v *victim) event(_ context.Context, e session.Event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.events[e.Kind]++
}

// guest is a client with its cookies.
type guest struct {
	v   *victim
	jar http.CookieJar
}

var attackedSite = &url.URL{Scheme: "https", Host: "app.example.com", Path: "/"}

func (v *victim) guest(cookies ...*http.Cookie) *guest {
	jar, _ := cookiejar.New(nil)
	jar.SetCookies(attackedSite, cookies)
	return &guest{v, jar}
}

// copied is the browser of somebody who stole the cookies.
func (b *guest) copied() *guest { return b.v.guest(b.jar.Cookies(attackedSite)...) }

func (b *guest) visit(fn func(*session.Session)) *http.Response {
	b.v.t.Helper()
	req := httptest.NewRequest("POST", attackedSite.String(), nil)
	for _, c := range b.jar.Cookies(attackedSite) {
		req.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.v.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { fn(s) }).ServeHTTP(w, req)
	b.jar.SetCookies(attackedSite, w.Result().Cookies())
	return w.Result()
}

// ticket is the value of the browser's session cookie.
func (b *guest) ticket() string {
	for _, c := range b.jar.Cookies(attackedSite) {
		return c.Value
	}
	return ""
}

// isNobody fails the test when the browser is let into a session.
func (b *guest) isNobody(what string) {
	b.v.t.Helper()
	b.visit(func(s *session.Session) {
		if s.User() != "" || len(s.All()) != 0 || !s.IsNew() {
			b.v.t.Errorf("%s: it is let in as %q, new %v", what, s.User(), s.IsNew())
		}
	})
}

func login(s *session.Session) { s.Login("ada"); s.Set("role", "admin") }

func look(*session.Session) {}

// records lists everything in a store.
func (v *victim) records() []*session.Record {
	v.t.Helper()
	lister, ok := v.store.(session.Lister)
	if !ok {
		return nil
	}
	list, err := lister.Page(context.Background(), "", 1000)
	if err != nil {
		v.t.Fatal(err)
	}
	return list
}

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
