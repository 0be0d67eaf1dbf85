package sessionconfig_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// document loads a configuration of testdata, in a folder of the test's own.
func document(t *testing.T, name string) *sessionconfig.Config {
	t.Helper()
	t.Chdir(t.TempDir())
	return load(t, configOf(t, name))
}

// The flat keys of one document and the nested ones of the other say the same.
func TestFlatAndNestedKeysSayTheSame(t *testing.T) {
	flat, nested := load(t, "testdata/nexios-flat.yaml"), load(t, "testdata/nexios-nested.yaml")
	if a, b := fmt.Sprintf("%+v", flat.Options), fmt.Sprintf("%+v", nested.Options); a != b {
		t.Errorf("flat %s\nnested %s", a, b)
	}
	short := load(t, yaml(t, "preset: nexios\nsession: {cookie_name: nexios_session, cookie_secure: true, "+
		"cookie_httponly: true, expiration_time: 1440, permanent: false}"))
	if a, b := fmt.Sprintf("%+v", flat.Options), fmt.Sprintf("%+v", short.Options); a != b {
		t.Errorf("flat %s\nwithout session_ %s", a, b)
	}
}

// Partitioned makes the cookie Secure; what a browser would drop is refused.
func TestPartitionedNeedsSecure(t *testing.T) {
	if c := opened(t, "preset: nexios\nsession_cookie_partitioned: true").first(t); !c.Partitioned || !c.Secure {
		t.Errorf("Partitioned %v, Secure %v, want both", c.Partitioned, c.Secure)
	}
	if c := opened(t, "store: memory").first(t); c.Partitioned {
		t.Error("the cookie is Partitioned by itself")
	}
	wants(t, refused(t, "preset: nexios\nsession_cookie_partitioned: true\nsession_cookie_secure: false"),
		"cookie.partitioned", "needs Secure")
	wants(t, refused(t, "preset: nexios\nsession_cookie_samesite: None"), "cookie.same_site", "None needs Secure")
	wants(t, refused(t, "store: memory\ncookie: {same_site: none, insecure: true}"), "cookie.same_site",
		"None needs Secure")
	if c := opened(t, "store: memory\ncookie: {same_site: none}").first(t); c.SameSite != http.SameSiteNoneMode ||
		!c.Secure {
		t.Errorf("SameSite %v, Secure %v", c.SameSite, c.Secure)
	}
}

// Each attribute is on the cookie when its key says so, and only then.
func TestTheAttributesOfTheCookie(t *testing.T) {
	for _, row := range []struct {
		keys string
		want string
	}{
		{"", "__Host-Http-session Path=/ HttpOnly Secure SameSite=Lax"},
		{"name: shop", "shop Path=/ HttpOnly Secure SameSite=Lax"},
		{"insecure: true", "session Path=/ HttpOnly SameSite=Lax"},
		{"script_access: true", "__Host-session Path=/ Secure SameSite=Lax"},
		{"domain: example.com", "session Path=/ Domain=example.com HttpOnly Secure SameSite=Lax"},
		{"path: /shop", "session Path=/shop HttpOnly Secure SameSite=Lax"},
		{"same_site: Strict", "__Host-Http-session Path=/ HttpOnly Secure SameSite=Strict"},
		{"partitioned: true", "__Host-Http-session Path=/ HttpOnly Secure SameSite=Lax Partitioned"},
		{"persistent: true", "__Host-Http-session Path=/ Expires=Sat, 02 May 2026 12:00:00 GMT Max-Age=86400 " +
			"HttpOnly Secure SameSite=Lax"},
	} {
		c := opened(t, "store: memory\ncookie: {"+row.keys+"}").first(t)
		_, attributes, _ := strings.Cut(c.Raw, "; ")
		if got := c.Name + " " + strings.ReplaceAll(attributes, "; ", " "); got != row.want {
			t.Errorf("%s gives %s, want %s", row.keys, got, row.want)
		}
	}
}

// A cookie with a path is not sent elsewhere, and is deleted under the path that it has.
func TestAPathKeepsSessionsApart(t *testing.T) {
	s := opened(t, "store: memory\ncookie: {path: /dashboard}")
	jar, _ := cookiejar.New(nil)
	ask := func(path string, fn func(*session.Session)) *http.Response {
		u := &url.URL{Scheme: "https", Host: "app.example.com", Path: path}
		req := httptest.NewRequest(http.MethodGet, u.String(), nil)
		for _, c := range jar.Cookies(u) {
			req.AddCookie(c)
		}
		w := httptest.NewRecorder()
		s.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, sess *session.Session) { fn(sess) }).ServeHTTP(w,
			req)
		jar.SetCookies(u, w.Result().Cookies())
		return w.Result()
	}
	ask("/dashboard", step)
	ask("/dashboard/more", func(sess *session.Session) {
		if steps.Or(sess, 0) != 1 {
			t.Error("the session is not there below its path")
		}
	})
	ask("/other", func(sess *session.Session) {
		if !sess.IsNew() {
			t.Error("the session is there outside its path")
		}
	})
	if c := ask("/dashboard", (*session.Session).Logout).Cookies(); len(c) != 1 || c[0].MaxAge >= 0 ||
		c[0].Path != "/dashboard" {
		t.Errorf("the logout sends %v, want a deletion under the path", c)
	}
}

// Two managers with cookies of their own are independent, in one chain and on one host.
func TestTwoCookiesAreTwoSessions(t *testing.T) {
	a := opened(t, "preset: authx\nsession_cookie: one\nsession_object: first")
	cfg := load(t, yaml(t, "preset: authx\nsession_cookie: two\nsession_object: second"))
	b := open(t, cfg)
	if cfg.Object != "second" {
		t.Errorf("Object is %q", cfg.Object)
	}
	req := httptest.NewRequest(http.MethodGet, "/", nil)
	w := httptest.NewRecorder()
	a.Middleware(b.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		set := func(m *session.Manager, v string) *session.Session {
			s, err := m.Load(r.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.Set("x", v)
			return s
		}
		first, second := set(a.Manager, "1"), set(b.Manager, "2")
		if first.Get("x") != "1" || second.Get("x") != "2" {
			t.Errorf("the sessions have %v and %v", first.Get("x"), second.Get("x"))
		}
	}))).ServeHTTP(w, req)
	var cookies []string
	for _, c := range w.Result().Cookies() {
		cookies = append(cookies, c.Name)
	}
	slices.Sort(cookies)
	if !slices.Equal(cookies, []string{"one", "two"}) {
		t.Errorf("the cookies are %v", cookies)
	}
}

// The preset expanse keeps sessions in a database, for 120 minutes without a request.
func TestTheConfigurationOfExpanse(t *testing.T) {
	cfg := document(t, "expanse.yaml")
	if cfg.Store != "database" || cfg.Options.IdleTimeout != 2*time.Hour {
		t.Errorf("store %s, idle timeout %v", cfg.Store, cfg.Options.IdleTimeout)
	}
	cfg.Store = "memory"
	s := open(t, cfg)
	if c := s.first(t); c.Name != "expanse_session" || c.MaxAge != 7200 || !c.Secure {
		t.Errorf("cookie %s, Max-Age %d, Secure %v", c.Name, c.MaxAge, c.Secure)
	}
	all := load(t, yaml(t, "preset: expanse\nstore: dict\nlifetime: 45\nclear_with_browser: true\nname: "+
		"shop\nhttp_only: false\nsame_site: strict"))
	if o := all.Options; all.Store != "memory" || o.IdleTimeout != 45*time.Minute || o.Cookie.Persistent ||
		o.Cookie.Name != "shop" || !o.Cookie.ScriptAccess {
		t.Errorf("store %s, options %+v", all.Store, o)
	}
	t.Setenv("SESSION_LIFETIME", "10")
	t.Setenv("SESSION_NAME", "by_env")
	if o := load(t, yaml(t, "preset: expanse\nstore: dict")).Options; o.IdleTimeout != 10*time.Minute ||
		o.Cookie.Name != "by_env" {
		t.Errorf("with variables: %v, %s", o.IdleTimeout, o.Cookie.Name)
	}
	wants(t, refused(t, "preset: expanse\nstore: dict\nlifetime: 0"), "lifetime", "more than zero")
}

// Our own keys stand beside those of a preset, and win over what follows from them.
func TestOurOwnKeysWinOverThoseOfAPreset(t *testing.T) {
	for content, holds := range map[string]func(session.Options) bool{
		"preset: authx\nmax_age: 3600\nidle_timeout: 5m": func(o session.Options) bool {
			return o.IdleTimeout == 5*time.Minute && o.Lifetime == time.Hour && o.Cookie.Persistent
		},
		"preset: authx\nmax_age: 3600\nlifetime: 30m": func(o session.Options) bool {
			return o.Lifetime == 30*time.Minute
		},
		"preset: authx\nmax_age: 3600\ncookie: {persistent: false}": func(o session.Options) bool {
			return !o.Cookie.Persistent
		},
		"preset: authx\nsecure: false\ncookie: {insecure: false}": func(o session.Options) bool {
			return !o.Cookie.Insecure
		},
		"preset: nexios\nsession_cookie_secure: false\ncookie: {insecure: false}": func(o session.Options) bool {
			return !o.Cookie.Insecure
		},
		"preset: nexios\nsession_expiration_time: 1440\nidle_timeout: 10m": func(o session.Options) bool {
			return o.IdleTimeout == 10*time.Minute && o.Lifetime == 24*time.Hour
		},
		"preset: expanse\nstore: dict\nlifetime: 120\nidle_timeout: 10m": func(o session.Options) bool {
			return o.IdleTimeout == 10*time.Minute
		},
	} {
		if o := load(t, yaml(t, content)).Options; !holds(o) {
			t.Errorf("%q gives an idle timeout of %v, a lifetime of %v and the cookie %+v", content, o.IdleTimeout,
				o.Lifetime, o.Cookie)
		}
	}
	t.Setenv("SESSION_MAX_AGE", "60")
	o := load(t, yaml(t, "preset: authx\nidle_timeout: 5s")).Options
	if o.IdleTimeout != 5*time.Second || o.Lifetime != time.Minute {
		t.Errorf("with SESSION_MAX_AGE the idle timeout is %v, and the lifetime %v", o.IdleTimeout, o.Lifetime)
	}
}
