package takeover_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/takeover"
	"github.com/coatcheck/session/memstore"
)

// oldWith is an scs site with one session, and its cookie.
func oldWith(t *testing.T, m *scs.SessionManager, fill func(ctx context.Context)) (oldSite, *http.Cookie) {
	t.Helper()
	m.Cookie.Name = "old"
	w := httptest.NewRecorder()
	m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m.Put(r.Context(), "user", "ada")
		fill(r.Context())
	})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	return scsSite(t, m), w.Result().Cookies()[0]
}

// moved takes a session over, and opens what has become of it.
func (s *newSite) moved(cookie *http.Cookie) *session.Session {
	s.Helper()
	_, set := s.ask(0, "/", cookie)
	if set[ours] == nil {
		s.Fatalf("nothing moved: the response sets %v", set)
	}
	m, err := s.sessions.Open(s.Context(), set[ours].Value)
	if err != nil {
		s.Fatal(err)
	}
	return m
}

func TestAllDataMove(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m := scs.New()
	old, cookie := oldWith(t, m, func(ctx context.Context) {
		m.Put(ctx, "string", "a")
		m.Put(ctx, "int64", int64(1<<40))
		m.Put(ctx, "float", 1.5)
		m.Put(ctx, "bool", true)
		m.Put(ctx, "bytes", []byte{0, 255})
		m.Put(ctx, "strings", []string{"a", "b"})
		m.Put(ctx, "a.dotted.key", "b")
		m.Put(ctx, "time", at)
		m.Put(ctx, "cart", cart{[]string{"hat"}})
	})
	s := open(t, old, 1, takeover.Options{}).moved(cookie)
	if s.Get("string") != "a" || s.Get("int64") != int64(1<<40) || s.Get("float") != 1.5 || s.Get("bool") != true ||
		s.Get(session.Path("a.dotted.key")) != "b" {
		t.Errorf("the session has %v", s.All())
	}
	bytes, _ := session.Key[[]byte]("bytes").Get(s)
	texts, _ := session.Key[[]string]("strings").Get(s)
	if then, _ := session.Key[time.Time]("time").Get(s); len(bytes) != 2 || len(texts) != 2 || !then.Equal(at) {
		t.Errorf("the session has %v", s.All())
	}
	if c, ok := session.Key[cart]("cart").Get(s); !ok || len(c.Items) != 1 {
		t.Errorf("the cart is %v", c)
	}
}

func TestChangeSaysWhatBecomesOfValues(t *testing.T) {
	m := scs.New()
	old, cookie := oldWith(t, m, func(ctx context.Context) { m.Put(ctx, "basket", cart{[]string{"hat", "coat"}}) })
	at := time.Now().Add(-3 * time.Hour).Truncate(time.Second)
	s := open(t, old, 1, takeover.Options{Change: func(o *takeover.Old) {
		o.Values["items"] = len(o.Values["basket"].(cart).Items)
		delete(o.Values, "basket")
		o.User, o.LoginAt = strings.ToUpper(o.User), at
	}}).moved(cookie)
	if s.User() != "ADA" || s.Get("items") != int64(2) || s.Has("basket") || !s.LoginAt().Equal(at) {
		t.Errorf("the session is of %q since %v, with %v", s.User(), s.LoginAt(), s.All())
	}
}

// A value that cannot move costs itself, and neither the sign-in nor the other values.
func TestAValueThatCannotMoveCostsItselfAlone(t *testing.T) {
	var told []string
	m := scs.New()
	old, cookie := oldWith(t, m, func(ctx context.Context) {
		m.Put(ctx, "kept", "a")
		m.Put(ctx, "large", strings.Repeat("x", 5000))
		m.Put(ctx, "coatcheck:roles", []string{"admin"})
		m.Put(ctx, "", "no key")
	})
	s := open(t, old, 1, takeover.Options{Change: func(o *takeover.Old) { o.Values["channel"] = make(chan int) }},
		func(o *session.Options) {
			o.MaxBytes = 4096
			o.OnEvent = func(_ context.Context, e session.Event) {
				if e.Kind == session.EventUndecodable {
					told = append(told, e.Err.Error())
				}
			}
		}).moved(cookie)
	if s.User() != "ada" || s.Get("kept") != "a" || len(s.All()) != 2 || len(told) != 4 {
		t.Errorf("the session of %q has %v; told: %q", s.User(), s.All(), told)
	}
	if roles, given := session.Key[[]string]("coatcheck:roles").Get(s); given {
		t.Errorf("the old session gave itself the roles %v", roles)
	}
	for _, text := range told {
		if strings.Contains(text, "xxxx") || strings.Contains(text, "admin") || strings.Contains(text, cookie.Value) {
			t.Errorf("the event %q tells a value", text)
		}
	}
}

func TestDeadlinesAndTheCookieMove(t *testing.T) {
	for name, tt := range map[string]struct {
		change     func(*scs.SessionManager)
		remember   bool
		idle       time.Duration // how long it lasts unused
		persistent bool
	}{
		"by default": {func(*scs.SessionManager) {}, false, 24 * time.Hour, true},
		"idle":       {func(m *scs.SessionManager) { m.IdleTimeout = time.Hour }, false, time.Hour, true},
		"not kept":   {func(m *scs.SessionManager) { m.Cookie.Persist = false }, false, 24 * time.Hour, false},
		"remembered": {func(m *scs.SessionManager) { m.Cookie.Persist = false }, true, 24 * time.Hour, true},
		"long": {func(m *scs.SessionManager) { m.Lifetime = 90 * 24 * time.Hour }, false, 90 * 24 * time.Hour,
			true},
		"hashed tokens": {func(m *scs.SessionManager) { m.HashTokenInStore = true }, false, 24 * time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := scs.New()
			tt.change(m)
			old, cookie := oldWith(t, m, func(ctx context.Context) {
				if tt.remember {
					m.RememberMe(ctx, true)
				}
			})
			s := open(t, old, 1, takeover.Options{}, func(o *session.Options) { o.IdleTimeout = 2 * time.Hour })
			moved := s.moved(cookie)
			if left := time.Until(moved.ExpiresAt()); left > tt.idle || left < tt.idle-time.Minute {
				t.Errorf("it ends in %v, want %v", left, tt.idle)
			}
			infos, err := s.sessions.Sessions(t.Context(), "ada")
			if err != nil || len(infos) != 1 || infos[0].Persistent != tt.persistent || moved.Has("__rememberMe") {
				t.Errorf("Sessions = %+v, %v", infos, err)
			}
			if since := time.Since(moved.LoginAt()); since < 0 || since > time.Minute {
				t.Errorf("it is signed in since %v", moved.LoginAt())
			}
			if n := old.left(); n != 0 {
				t.Errorf("the old library still has %d sessions", n)
			}
			for _, later := range []time.Duration{tt.idle - time.Minute, tt.idle + time.Minute} {
				s.ahead.Store(int64(later))
				again, err := s.sessions.Open(t.Context(), moved.Token())
				if err != nil || again.IsNew() != (later > tt.idle) {
					t.Errorf("after %v it is over: %v, %v", later, again.IsNew(), err)
				}
			}
		})
	}
}

func TestAnOldSessionThatIsOverDoesNotMove(t *testing.T) {
	m := scs.New()
	old, cookie := oldWith(t, m, func(context.Context) {})
	s := open(t, old, 1, takeover.Options{})
	s.ahead.Store(int64(25 * time.Hour))
	if body, set := s.ask(0, "/", cookie); body != nobody || len(set) != 0 {
		t.Errorf("%q with the cookies %v", body, set)
	}
}

func TestALoginThatIsUnknownCountsAsLongAgo(t *testing.T) {
	old := oldCookies(t)
	s := open(t, old, 1, takeover.Options{Lasts: 48 * time.Hour})
	if at := s.moved(old.signIn("ada")).LoginAt(); time.Since(at) < 47*time.Hour {
		t.Errorf("it is signed in since %v", at)
	}
}

// A site sets the age of its cookies to the most that there is, so that nobody is ever signed out.
func TestCookiesOfGorillaThatNeverEndMove(t *testing.T) {
	store := sessions.NewCookieStore([]byte("0123456789abcdef"))
	store.MaxAge(math.MaxInt)
	opts := session.Options{Secrets: []session.Secret{session.NewSecret()}}
	m, err := session.New(memstore.New(memstore.Options{}), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	source := takeover.Gorilla(store, "old")
	if _, lasts := source.Cookie(); lasts < math.MaxInt32*time.Second {
		t.Errorf("they last %v", lasts)
	}
	nobody := func(map[string]any) string { return "" }
	if _, err := takeover.New(m, source, takeover.Options{User: nobody}); err != nil {
		t.Error(err)
	}
}

// unreadable is a codec for sessions whose types are not registered any more.
type unreadable struct{ scs.Codec }

func (unreadable) Decode([]byte) (time.Time, map[string]any, error) {
	return time.Time{}, nil, errors.New("gob: name not registered")
}

func TestASessionThatCannotBeReadIsNobody(t *testing.T) {
	m := scs.New()
	old, cookie := oldWith(t, m, func(context.Context) {})
	m.Codec = unreadable{m.Codec}
	s := open(t, old, 1, takeover.Options{})
	if body, set := s.ask(0, "/", cookie); body != nobody || len(set) != 0 || old.left() != 1 {
		t.Errorf("%q with the cookies %v, and %d old sessions are left", body, set, old.left())
	}
}

func TestAUserWhoHasTooManySessionsIsAStranger(t *testing.T) {
	old := oldSCS(t)
	s := open(t, old, 1, takeover.Options{}, func(o *session.Options) {
		o.MaxPerUser, o.Overflow = 1, session.RefuseNew
	})
	first, second := old.signIn("ada"), old.signIn("ada")
	_, set := s.ask(0, "/", first)
	for range 2 {
		if body, set := s.ask(0, "/", second); body != nobody || len(set) != 0 {
			t.Errorf("the second device: %q with the cookies %v", body, set)
		}
	}
	s.ask(0, "/logout", set[ours])
	if body, _ := s.ask(0, "/", second); body != whole("ada") {
		t.Errorf("when there is room the second device is %q", body)
	}
}

func TestTwoOldLibrariesMoveIntoOne(t *testing.T) {
	first := oldSCS(t)
	s := open(t, first, 1, takeover.Options{})
	store := sessions.NewCookieStore([]byte("0123456789abcdef"))
	other, err := takeover.New(s.sessions, takeover.Gorilla(store, "older"), takeover.Options{User: userOf})
	if err != nil {
		t.Fatal(err)
	}
	both := httptest.NewServer(other.Middleware(s.takeover.Middleware(s.sessions.Preload(http.HandlerFunc(page)))))
	defer both.Close()
	s.nodes[0], both = both, s.nodes[0]
	defer both.Close()
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	g, _ := store.Get(r, "older")
	g.Values["user"] = "bob"
	if err := g.Save(r, w); err != nil {
		t.Fatal(err)
	}
	if body, _ := s.ask(0, "/", w.Result().Cookies()[0]); !strings.HasPrefix(body, `"bob"`) {
		t.Errorf("the older library: %q", body)
	}
	if body, _ := s.ask(0, "/", first.signIn("ada")); body != whole("ada") {
		t.Errorf("the old library: %q", body)
	}
}

// lossy is a store whose answers get lost, at a count.
type lossy struct {
	*memstore.Store
	calls, at atomic.Int64
}

func (l *lossy) lose(err error) error {
	if l.calls.Add(1) == l.at.Load() {
		return errDown
	}
	return err
}

func (l *lossy) Load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := l.Store.Load(ctx, id)
	return rec, l.lose(err)
}

func (l *lossy) Save(ctx context.Context, rec *session.Record) error {
	return l.lose(l.Store.Save(ctx, rec))
}
func (l *lossy) Delete(ctx context.Context, id string) error { return l.lose(l.Store.Delete(ctx, id)) }

// Whichever answer of the new store gets lost, the visitor moves in the end, once, and a logout is final.
func TestALostAnswerLosesNobody(t *testing.T) {
	for at := int64(1); at <= 9; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			var ahead atomic.Int64
			store := &lossy{Store: memstore.New(memstore.Options{})}
			m, err := session.New(store, session.Options{Secrets: []session.Secret{secret}, SweepEvery: session.Never,
				Logger: slog.New(slog.DiscardHandler),
				Now:    func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			old := oldFiles(t)
			tk, err := takeover.New(m, old.source, takeover.Options{User: userOf})
			if err != nil {
				t.Fatal(err)
			}
			h := tk.Middleware(m.Preload(http.HandlerFunc(page)))
			cookie := old.signIn("ada")
			ask := func(jar map[string]*http.Cookie) *http.Response {
				r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
				for _, c := range jar {
					r.AddCookie(c)
				}
				h.ServeHTTP(w, r)
				for _, c := range w.Result().Cookies() {
					jar[c.Name] = c
					if c.MaxAge < 0 {
						delete(jar, c.Name)
					}
				}
				return w.Result()
			}
			jar := map[string]*http.Cookie{"old": cookie}
			store.at.Store(at)
			resp := ask(jar)
			store.at.Store(0)
			if resp.StatusCode != 200 {
				ahead.Store(int64(11 * time.Second)) // a claim whose release was lost is over by then
				resp = ask(jar)
			}
			infos, err := m.Sessions(t.Context(), "ada")
			if resp.StatusCode != 200 || err != nil || len(infos) != 1 || old.left() != 0 || jar[ours] == nil {
				t.Fatalf("status %d, %+v, %v, and %d old sessions", resp.StatusCode, infos, err, old.left())
			}
			if n, err := m.RevokeUser(t.Context(), "ada"); n != 1 || err != nil {
				t.Errorf("RevokeUser = %d, %v", n, err)
			}
			ask(map[string]*http.Cookie{"old": cookie})
			if infos, err := m.Sessions(t.Context(), "ada"); err != nil || len(infos) != 0 {
				t.Errorf("the old cookie signs in again: %+v, %v", infos, err)
			}
		})
	}
}
