package sessionconfig_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
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

// The first document's configuration gives the cookie that its table describes.
func TestTheConfigurationOfNexios(t *testing.T) {
	s := open(t, document(t, "nexios-flat.yaml"))
	c := s.first(t)
	if c.Name != "nexios_session" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 0 ||
		!c.Expires.IsZero() {
		t.Errorf("cookie %s, Secure %v, HttpOnly %v, Max-Age %d", c.Name, c.Secure, c.HttpOnly, c.MaxAge)
	}
	resp, cookie := s.visit(t, &http.Cookie{Name: c.Name, Value: c.Value},
		func(sess *session.Session) { steps.Or(sess, 0) })
	if len(resp.Cookies()) != 0 {
		t.Errorf("a request that only reads gets %d cookies, want none", len(resp.Cookies()))
	}
	s.now = s.now.Add(24*time.Hour - time.Minute)
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("a minute before the end there are %d steps, want 1", n)
	}
	s.now = s.now.Add(time.Minute)
	if n := s.count(t, cookie); n != 0 {
		t.Errorf("after 1440 minutes there are %d steps, want none, whatever was read meanwhile", n)
	}
}

// Permanent gives the cookie an end; refresh_each_request moves it, and that on the server, with every request.
func TestPermanentAndRefreshedSessionsOfNexios(t *testing.T) {
	s := opened(t, "preset: nexios\nsession_expiration_time: 1440\nsession_permanent: "+
		"true\nsession_refresh_each_request: true\n")
	c := s.first(t)
	if c.MaxAge != 86400 || !c.Expires.Equal(s.now.Add(24*time.Hour)) {
		t.Errorf("Max-Age %d, Expires %v, want a day", c.MaxAge, c.Expires)
	}
	cookie := &http.Cookie{Name: c.Name, Value: c.Value}
	for range 3 {
		s.now = s.now.Add(20 * time.Hour)
		resp, _ := s.visit(t, cookie, func(sess *session.Session) { steps.Or(sess, 0) })
		if list := resp.Cookies(); len(list) != 1 || !list[0].Expires.Equal(s.now.Add(24*time.Hour)) {
			t.Errorf("a request that only reads gets %v, want the cookie with a new end", list)
		}
	}
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("after 60 hours with requests there are %d steps, want 1", n)
	}
	s.now = s.now.Add(24 * time.Hour)
	if n := s.count(t, cookie); n != 0 {
		t.Errorf("a day after the last request there are %d steps, want none", n)
	}
	long := load(t, yaml(t, "preset: nexios\nsession_expiration_time: 86400\nsession_refresh_each_request: true"))
	if long.Options.Lifetime < 60*24*time.Hour {
		t.Errorf("60 days of rest end after %v", long.Options.Lifetime)
	}
}

// The class with its upper-case names, and the defaults that the third document gives.
func TestTheUpperCaseNamesOfNexios(t *testing.T) {
	class, bare := load(t, "testdata/nexios-class.yaml"), load(t, yaml(t, "preset: nexios"))
	for _, cfg := range []*sessionconfig.Config{class, bare} {
		t.Chdir(t.TempDir())
		c := open(t, cfg).first(t)
		if c.Name != "sessionid" || c.Secure || !c.HttpOnly || c.Domain != "" || c.Path != "/" ||
			c.SameSite != http.SameSiteLaxMode || c.Partitioned {
			t.Errorf("cookie %s; Domain %s; Path %s; Secure %v; HttpOnly %v", c.Name, c.Domain, c.Path, c.Secure,
				c.HttpOnly)
		}
	}
	t.Setenv("SESSION_COOKIE_NAME", "from_env")
	t.Setenv("SESSION_COOKIE_SECURE", "True")
	for _, content := range []string{"preset: nexios\nsession_cookie_name: x",
		"store: memory\ncookie: {name: x, insecure: true}"} {
		if c := load(t, yaml(t, content)).Options.Cookie; c.Name != "from_env" || c.Insecure {
			t.Errorf("%q with upper-case variables gives %+v", content, c)
		}
	}
}

// SECRET_KEY is read by the preset nexios, from a file or the environment, and by nobody else.
func TestTheSecretKeyOfNexios(t *testing.T) {
	t.Setenv("SECRET_KEY", strings.Repeat("a strong and random one ", 2))
	cfg, err := sessionconfig.Load(yaml(t, "preset: nexios"))
	if err != nil {
		t.Fatal(err)
	}
	if secrets, err := cfg.Secrets(t.Context()); err != nil || string(secrets[0]) != os.Getenv("SECRET_KEY") {
		t.Errorf("Secrets gives %v, %v", secrets, err)
	}
	cfg, err = sessionconfig.Load(yaml(t, "store: memory"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cfg.Secrets(t.Context()); err == nil {
		t.Error("without the preset SECRET_KEY is read")
	}
}

// Files are the default, in the folder session_dir, which is made for its owner alone; session_manager is the store.
func TestTheStoresOfNexios(t *testing.T) {
	s := opened(t, "preset: nexios\nsession_dir: kept\n")
	s.first(t)
	info, err := os.Stat("kept")
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v, want mode 0700", info, err)
	}
	opened(t, "preset: nexios").first(t)
	if _, err := os.Stat("sessions/records"); err != nil {
		t.Errorf("without session_dir: %v, want files in sessions", err)
	}
	for manager, want := range map[string]string{"file": "file", "cookies": "cookies", "memory": "memory",
		"dict": "memory"} {
		if cfg := load(t, yaml(t, "preset: nexios\nsession_manager: "+manager)); cfg.Store != want {
			t.Errorf("session_manager %s is the store %s", manager, cfg.Store)
		}
	}
	wants(t, refused(t, "preset: nexios\nsession_manager: cookie"), "did you mean cookies?")
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
		{"path: /dashboard", "session Path=/dashboard HttpOnly Secure SameSite=Lax"},
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

// The constructor of the document is there, with its defaults.
func TestTheArgumentsOfAuthX(t *testing.T) {
	cfg := load(t, "testdata/authx.yaml")
	if cfg.Store != "memory" || cfg.Object != "session" || len(cfg.Warnings()) == 0 {
		t.Errorf("store %s, object %s, warnings %v", cfg.Store, cfg.Object, cfg.Warnings())
	}
	if c := open(t, cfg).first(t); c.Name != "sid" || c.Secure || !c.HttpOnly || c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("cookie %s, Secure %v, HttpOnly %v, Max-Age %d", c.Name, c.Secure, c.HttpOnly, c.MaxAge)
	}
	if c := opened(t, "preset: authx").first(t); c.Name != "sid" || !c.Secure || !c.HttpOnly || c.MaxAge != 0 {
		t.Errorf("by default the cookie is %s, Secure %v, HttpOnly %v, Max-Age %d", c.Name, c.Secure, c.HttpOnly,
			c.MaxAge)
	}
	wants(t, strings.Join(cfg.Warnings(), "\n"), "store: memory", "cookie.insecure")
}

// A cookie that was made with another key opens nothing.
func TestAnotherKeyMakesAnotherSession(t *testing.T) {
	path := yaml(t, "store: file\nstores: {file: {path: kept}}")
	s := open(t, load(t, path))
	_, cookie := s.visit(t, nil, step)
	t.Setenv("SESSION_SECRETS", strings.Replace(secret, secret[7:20], "AAAAAAAAAAAAA", 1))
	other, err := sessionconfig.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("under the key there are %d steps", n)
	}
	if n := open(t, other).count(t, cookie); n != 0 {
		t.Errorf("under another key there are %d steps", n)
	}
}

// The key max_age is the end of the cookie, and of the record for a client that keeps the cookie.
func TestMaxAgeEndsTheSession(t *testing.T) {
	s := opened(t, "preset: authx\nmax_age: 90")
	c := s.first(t)
	if c.MaxAge != 90 {
		t.Errorf("Max-Age %d", c.MaxAge)
	}
	cookie := &http.Cookie{Name: c.Name, Value: c.Value}
	s.now = s.now.Add(89 * time.Second)
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("after 89 s there are %d steps", n)
	}
	s.now = s.now.Add(time.Second)
	_, cookie = s.visit(t, cookie, step)
	if n := s.count(t, cookie); n != 1 {
		t.Errorf("after 90 s the counter is %d, want it to begin again", n)
	}
	wants(t, refused(t, "preset: authx\nmax_age: -1"), "max_age", "more than nothing")
	if cfg := load(t, yaml(t, "preset: authx\nmax_age: 1h")); cfg.Options.Lifetime != time.Hour {
		t.Errorf("1h is %v", cfg.Options.Lifetime)
	}
	if cfg := load(t, yaml(t, "preset: authx\nmax_age: 604800")); cfg.Options.Lifetime != 7*24*time.Hour ||
		cfg.Options.IdleTimeout > 0 {
		t.Errorf("a week ends after %v, or %v without a request", cfg.Options.Lifetime, cfg.Options.IdleTimeout)
	}
}

// The header switches sessions off in each of its forms, in any case of letters; by default none does.
func TestTheSkipHeaderInAllItsForms(t *testing.T) {
	for form, row := range map[string]struct{ hit, miss []string }{
		"X-Skip":        {hit: []string{"x-skip", "whatever"}, miss: []string{"X-Other", "1"}},
		"{X-Skip: '1'}": {hit: []string{"X-SKIP", "1"}, miss: []string{"X-Skip", "2"}},
		"{X-Skip: '*'}": {hit: []string{"X-Skip", ""}},
		"{header_name: X-Skip, header_value: skip}": {hit: []string{"X-Skip", "skip"},
			miss: []string{"X-Skip", "other"}},
		"{header_name: X-Skip, header_value: '*'}":             {hit: []string{"X-Skip", "other"}},
		"[X-A, {X-B: b}, {header_name: X-C, header_value: c}]": {hit: []string{"X-C", "c"}, miss: []string{"X-B", "c"}},
	} {
		for _, key := range []string{"preset: authx\nskip_session_header: ", "store: memory\nskip_headers: "} {
			s := opened(t, key+form)
			if resp, _ := s.visit(t, nil, step, row.hit...); len(resp.Cookies()) != 0 {
				t.Errorf("%s%s: a request with %v has a session", key, form, row.hit)
			}
			if resp, _ := s.visit(t, nil, step, row.miss...); len(resp.Cookies()) != 1 {
				t.Errorf("%s%s: a request with %v has no session", key, form, row.miss)
			}
			if resp, _ := s.visit(t, nil, step); len(resp.Cookies()) != 1 {
				t.Errorf("%s%s: a request without headers has no session", key, form)
			}
		}
	}
	s := opened(t, "store: memory\nskip_headers: X-Skip")
	s.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := session.Load(r.Context()); err == nil {
			t.Error("Load in a skipped request gives a session")
		}
	})).ServeHTTP(httptest.NewRecorder(), func() *http.Request {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Skip", "1")
		return r
	}())
	if load(t, yaml(t, "preset: authx")).Options.Skip != nil {
		t.Error("a header is skipped by default")
	}
}

// A logger can be had by a key, and an own one gets the events, with ids only.
func TestTheLoggerGetsTheEvents(t *testing.T) {
	for content, want := range map[string]bool{"logger: true": true, "logger: json": true, "logger: false": false,
		"logger: null": false} {
		cfg := load(t, yaml(t, "preset: authx\n"+content))
		l := cfg.Options.Logger
		if writes := l != nil && l.Enabled(t.Context(), slog.LevelError); writes != want {
			t.Errorf("%s gives a logger that writes: %v", content, writes)
		}
	}
	cfg := load(t, yaml(t, "store: memory"))
	var kinds []session.EventKind
	cfg.Options.OnEvent = func(_ context.Context, e session.Event) { kinds = append(kinds, e.Kind) }
	s := open(t, cfg)
	_, cookie := s.visit(t, nil, step)
	s.visit(t, cookie, (*session.Session).Logout)
	if !slices.Equal(kinds, []session.EventKind{session.EventCreated, session.EventEnded}) {
		t.Errorf("events %v", kinds)
	}
}

// The preset expanse keeps sessions in a database, for 120 minutes without a request.
func TestTheConfigurationOfExpanse(t *testing.T) {
	cfg := document(t, "expanse.yaml")
	if cfg.Store != "database" || cfg.Options.IdleTimeout != 2*time.Hour {
		t.Errorf("store %s, idle timeout %v", cfg.Store, cfg.Options.IdleTimeout)
	}
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
	wants(t, refused(t, "preset: expanse\nstore: dict\nlifetime: 0"), "lifetime", "more than nothing")
}
