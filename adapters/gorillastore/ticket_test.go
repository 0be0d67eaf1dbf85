package gorillastore_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/sessions"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/gorillastore"
	"github.com/coatcheck/session/cookiestore"
)

// saved is the value of the cookie that a session of that name has got, and its ticket.
func (s *site) saved(name string) (value, ticket string) {
	s.Helper()
	r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
	g, err := s.store.Get(r, name)
	if err != nil {
		s.Fatal(err)
	}
	g.Values["user"] = "ada"
	if err := g.Save(r, w); err != nil || len(w.Result().Cookies()) != 1 {
		s.Fatalf("Save = %v with the cookies %v", err, w.Result().Cookies())
	}
	return w.Result().Cookies()[0].Value, gorillastore.Of(g).Token()
}

// opens reports whether a store takes the value of a cookie of that name.
func opens(t *testing.T, store *gorillastore.Store, name, value string) bool {
	t.Helper()
	g, err := store.Get(requestWith(name, value), name)
	if err != nil || g.IsNew == (len(g.Values) > 0) {
		t.Errorf("Get = %+v, %v", g, err)
	}
	return !g.IsNew
}

// "pending" may be of somebody whose second factor is still due.
func TestACookieIsGoodForItsNameOnly(t *testing.T) {
	s := open(t, gorillastore.Options{User: userOf}, func(o *session.Options) {
		o.Transport = session.Transports(nil, session.Bearer("X-Session"))
	})
	value, ticket := s.saved("pending")
	if !opens(t, s.store, "pending", value) {
		t.Error("the session does not open")
	}
	own, err := s.sessions.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	own.Set("user", "ada")
	if err := own.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct{ name, value string }{
		"the cookie under another name": {"auth", value}, "the ticket": {"pending", ticket},
		"a ticket of the manager": {"auth", own.Token()}, "in capitals": {"pending", strings.ToUpper(value)},
	} {
		if opens(t, s.store, c.name, c.value) {
			t.Errorf("%s opens a session", what)
		}
	}
	for _, name := range []string{"Cookie", "Authorization"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set(name, map[string]string{"Cookie": ours + "=", "Authorization": "Bearer "}[name]+value)
		if info, err := s.sessions.Peek(r); err != nil || info.ID != "" {
			t.Errorf("by %s the manager takes it for its own: %+v, %v", name, info, err)
		}
	}
}

const ours = "__Host-Http-session"

func TestNoCharacterOfACookieCanBeChanged(t *testing.T) {
	s := open(t, gorillastore.Options{})
	value, _ := s.saved("app")
	for i := range value {
		c := "A"
		if value[i] == 'A' {
			c = "B"
		}
		if changed := value[:i] + c + value[i+1:]; opens(t, s.store, "app", changed) {
			t.Errorf("with character %d changed it opens", i)
		}
	}
}

func TestACookieOutlivesTheChangeOfASecret(t *testing.T) {
	old, fresh := session.NewSecret(), session.NewSecret()
	s := open(t, gorillastore.Options{}, func(o *session.Options) { o.Secrets = []session.Secret{old} })
	value, _ := s.saved("app")
	if err := s.sessions.SetSecrets([]session.Secret{fresh, old}); err != nil {
		t.Fatal(err)
	}
	r, w := requestWith("app", value), httptest.NewRecorder()
	g, err := s.store.Get(r, "app")
	if err != nil || g.IsNew {
		t.Fatalf("Get = %+v, %v", g, err)
	}
	g.Values["n"] = 1
	if err := g.Save(r, w); err != nil {
		t.Fatal(err)
	}
	if err := s.sessions.SetSecrets([]session.Secret{fresh}); err != nil {
		t.Fatal(err)
	}
	if !opens(t, s.store, "app", w.Result().Cookies()[0].Value) || opens(t, s.store, "app", value) {
		t.Error("without the old secret the session has the old cookie")
	}
}

// storeOf is a store on a manager of its own.
func storeOf(t *testing.T, records session.Store, cookie string, secret session.Secret) *gorillastore.Store {
	t.Helper()
	m, err := session.New(records, session.Options{Secrets: []session.Secret{secret}, SweepEvery: session.Never,
		Logger: slog.New(slog.DiscardHandler), Cookie: session.Cookie{Name: cookie}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() }) // which has no error
	store, err := gorillastore.New(m, gorillastore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestAnotherManagerOnTheStoreRefusesTheCookie(t *testing.T) {
	secret := session.NewSecret()
	s := open(t, gorillastore.Options{}, func(o *session.Options) { o.Secrets = []session.Secret{secret} })
	value, _ := s.saved("app")
	if other := storeOf(t, s.records, "other", secret); opens(t, other, "app", value) {
		t.Error("the session of one manager opens with another")
	}
	if same := storeOf(t, s.records, "", secret); !opens(t, same, "app", value) {
		t.Error("the session does not open on another node")
	}
}

// Browsers drop a cookie that is too large without a word.
func TestACookieThatIsTooLargeIsAnError(t *testing.T) {
	records, err := cookiestore.New(cookiestore.Options{MaxChunks: 4})
	if err != nil {
		t.Fatal(err)
	}
	store := storeOf(t, records, "", session.NewSecret())
	var cookie string
	for _, size := range []int{1000, 5000} {
		fits := size < 3000
		r, w := requestWith("app", cookie), httptest.NewRecorder()
		g, _ := store.Get(r, "app")
		g.Values["a"] = strings.Repeat("x", size)
		err := g.Save(r, w)
		switch c := w.Result().Cookies(); {
		case fits && (err != nil || len(c) != 1 || !opens(t, store, "app", c[0].Value)):
			t.Errorf("%d bytes: Save = %v with the cookies %v", size, err, c)
		case !fits && (!errors.Is(err, session.ErrTooLarge) || len(c) != 0 || !opens(t, store, "app", cookie)):
			t.Errorf("%d bytes: Save = %v with the cookies %v, want ErrTooLarge and a good cookie", size, err, c)
		case fits:
			cookie = c[0].Value
		}
	}
}

// The session of the manager's own cookie is the same in old pages and in new ones, so its ticket is, too.
func TestTheCookieOfTheManagerIsSharedUnderItsNameOnly(t *testing.T) {
	s := open(t, gorillastore.Options{}, func(o *session.Options) { o.Cookie.Name = "app" })
	value, ticket := s.saved("app")
	if value != ticket || opens(t, s.store, "other", value) {
		t.Error("the cookie of the manager is not its ticket, or it opens under another name")
	}
	pending, _ := s.saved("pending")
	if opens(t, s.store, "app", pending) {
		t.Error("a session of another name opens as the manager's")
	}
	var g *sessions.Session
	s.mux.Handle("/", s.sessions.HandlerFunc(func(w http.ResponseWriter, r *http.Request, n *session.Session) {
		g, _ = s.store.Get(r, "other")
	}))
	r := requestWith("app", ticket)
	r.AddCookie(&http.Cookie{Name: "other", Value: ticket})
	s.mux.ServeHTTP(httptest.NewRecorder(), r)
	if g == nil || !g.IsNew {
		t.Errorf("the manager's ticket opens as %+v", g)
	}
}
