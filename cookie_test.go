package session_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// askedAt sends what a handler is asked to a path.
func askedAt(path string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RequestURI = path
		h.ServeHTTP(w, r)
	})
}

// sessionCookie is the one cookie of ours in the response.
func sessionCookie(t *testing.T, resp *http.Response) *http.Cookie {
	t.Helper()
	cookies := resp.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies, want one: %d in the header", len(cookies), len(resp.Header["Set-Cookie"]))
	}
	return cookies[0]
}

// attributes is what stands behind name and value in Set-Cookie.
func attributes(resp *http.Response) string {
	_, rest, _ := strings.Cut(resp.Header.Get("Set-Cookie"), "; ")
	return rest
}

// Without options the cookie is the safe one, when it is set and when it is
// deleted.
func TestTheDefaultCookieIsTheSafeOne(t *testing.T) {
	v := newRig(t).visitor()
	resp := v.with(func(s *session.Session) { s.Set("x", 1) })
	if c := sessionCookie(t, resp); c.Name != "__Host-Http-session" ||
		attributes(resp) != "Path=/; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("set: %s with %q", c.Name, attributes(resp))
	}
	resp = v.with((*session.Session).Logout)
	want := "Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; Secure; SameSite=Lax"
	if c := sessionCookie(t, resp); c.Value != "" || c.Name != "__Host-Http-session" || attributes(resp) != want {
		t.Errorf("deleted: %q", resp.Header.Get("Set-Cookie"))
	}
}

// A browser drops a Secure cookie that comes over plain HTTP, and then every request is a new session. The log says so,
// once, and not where a proxy speaks HTTPS.
func TestASecureCookieOverPlainHTTPIsWarnedOf(t *testing.T) {
	for name, row := range map[string]struct {
		url    string
		header string
		change func(*session.Options)
		want   int
	}{
		"plain HTTP":         {"http://app.example.com/", "", func(*session.Options) {}, 1},
		"HTTPS":              {"https://app.example.com/", "", func(*session.Options) {}, 0},
		"behind a proxy":     {"http://app.example.com/", "X-Forwarded-Proto", func(*session.Options) {}, 0},
		"behind another":     {"http://app.example.com/", "Forwarded", func(*session.Options) {}, 0},
		"in a silent proxy":  {"http://app.example.com/", "X-Forwarded-For", func(*session.Options) {}, 0},
		"through a gateway":  {"http://app.example.com/", "Via", func(*session.Options) {}, 0},
		"on this machine":    {"http://localhost:8080/", "", func(*session.Options) {}, 0},
		"below localhost":    {"http://shop.LOCALHOST:8080/", "", func(*session.Options) {}, 0},
		"by its address":     {"http://127.0.0.1:8080/", "", func(*session.Options) {}, 0},
		"by its new address": {"http://[::1]/", "", func(*session.Options) {}, 0},
		"in the next room":   {"http://192.168.1.7:8080/", "", func(*session.Options) {}, 1},
		"like localhost":     {"http://localhost.example.com/", "", func(*session.Options) {}, 1},
		"without Secure":     {"http://app.example.com/", "", func(o *session.Options) { o.Cookie.Insecure = true }, 0},
		"without the cookie": {"http://app.example.com/", "",
			func(o *session.Options) { o.Transport = session.Header("X-Ticket") }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			r := newRig(t, row.change, func(o *session.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			h := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Set("x", 1) })
			for range 2 {
				req := httptest.NewRequest("GET", row.url, nil)
				if row.header != "" {
					req.Header.Set(row.header, "proto=https")
				}
				h.ServeHTTP(httptest.NewRecorder(), req)
			}
			if n := strings.Count(log.String(), "Cookie.Insecure"); n != row.want ||
				strings.Count(log.String(), "\n") != row.want {
				t.Errorf("%d warnings, want %d: %s", n, row.want, log.String())
			}
		})
	}
}

// Each attribute is as configured in all combinations, whether the
// ticket is set, renewed or deleted.
func TestEachAttributeIsAsConfigured(t *testing.T) {
	for _, c := range cookies() {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			r := newRig(t, func(o *session.Options) { o.Cookie = c })
			want := "Path=/"
			if c.Path != "" {
				want = "Path=" + c.Path
			}
			if c.Domain != "" {
				want += "; Domain=" + c.Domain
			}
			tail := ""
			if !c.ScriptAccess {
				tail += "; HttpOnly"
			}
			if !c.Insecure {
				tail += "; Secure"
			}
			tail += map[http.SameSite]string{0: "; SameSite=Lax", 2: "; SameSite=Lax", 3: "; SameSite=Strict",
				4: "; SameSite=None"}[c.SameSite]
			if c.Partitioned {
				tail += "; Partitioned"
			}
			age := ""
			if c.Persistent {
				age = "; Expires=" + r.clock.now().Add(24*time.Hour).Format(http.TimeFormat) + "; Max-Age=86400"
			}
			v, ticket := r.visitor(), ""
			send := func(what, want string, do func(*session.Session)) {
				t.Helper()
				resp := v.through(withTicket(c, ticket,
					askedAt(c.Path, v.m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
						do(s)
					}))), "GET")
				got := sessionCookie(t, resp)
				ticket = got.Value
				if attributes(resp) != want || got.Name != nameOf(c) {
					t.Errorf("%s: %s %q, want %s %q", what, got.Name, attributes(resp), nameOf(c), want)
				}
			}
			send("set", want+age+tail, func(s *session.Session) { s.Set("x", 1) })
			send("renewed", want+age+tail, func(s *session.Session) { s.Login("ada") })
			send("deleted", want+"; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0"+tail,
				func(s *session.Session) { s.Logout() })
		})
	}
}

func nameOf(c session.Cookie) string {
	switch {
	case c.Name != "":
		return c.Name
	case c.Insecure || c.Domain != "" || c.Path != "" && c.Path != "/":
		return "session"
	case c.ScriptAccess:
		return "__Host-session"
	}
	return "__Host-Http-session"
}

// withTicket gives the request the ticket, whatever its address.
func withTicket(c session.Cookie, ticket string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Cookie")
		if ticket != "" {
			r.Header.Set("Cookie", nameOf(c)+"="+ticket)
		}
		h.ServeHTTP(w, r)
	})
}

// cookies are all combinations that browsers accept.
func cookies() (list []session.Cookie) {
	for i := range 1 << 5 {
		on := func(bit int) bool { return i>>bit&1 == 1 }
		for _, where := range []session.Cookie{{}, {Name: "app"}, {Path: "/api"},
			{Domain: "example.com", Path: "/a b"}} {
			for _, site := range []http.SameSite{0, http.SameSiteLaxMode, http.SameSiteStrictMode,
				http.SameSiteNoneMode} {
				c := where
				c.SameSite, c.Insecure, c.ScriptAccess, c.Partitioned, c.Persistent = site, on(0), on(1), on(2), on(3)
				if on(4) || c.Insecure && (c.Partitioned || site == http.SameSiteNoneMode) {
					continue
				}
				list = append(list, c)
			}
		}
	}
	return list
}

// The names with a prefix that can be had.
func TestPrefixedNamesAreAccepted(t *testing.T) {
	for _, c := range []session.Cookie{
		{Name: "__Host-x"}, {Name: "__Secure-x", Domain: "example.com", Path: "/api"}, {Name: "__Host-Http-x"},
		{Name: "__Http-x", Path: "/api"},
		{Name: "__Hostx", Insecure: true}, {Name: "session", Domain: ".example.com"}, {Name: "a!#$%&'*+-.^_`|~1"},
	} {
		if _, err := session.New(newRig(t).store, session.Options{Secrets: []session.Secret{testSecret}, Cookie: c,
			SweepEvery: -1}); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// What browsers would drop, or would read as something else, is refused; what is accepted arrives as it was
// given.
func TestAHostileCookieIsRefusedOrArrivesAsGiven(t *testing.T) {
	hostile := []string{
		"", " ", "a", "a b", "a;b", "a; Domain=evil.com", "a\r\nSet-Cookie: b=c", "a\x00", "é", "\xff", "a=b", `"a"`,
		"/", "/a;b", "/\n", "/é", "a/", "/a ",
		"example.com", "example.com:80", "https://example.com", "*.example.com", "..example.com", "example..com",
		"-a.com", "a-.com", "a_b.com",
		"1.2.3", "123", "127.0.0.1", "[::1]", ".", "com.", strings.Repeat("a", 64) + ".com",
		strings.Repeat("a.", 200) + "com",
		"/" + strings.Repeat("a", 2000), strings.Repeat("a", 5000),
	}
	for _, text := range hostile {
		for what, c := range map[string]session.Cookie{"Name": {Name: text}, "Domain": {Domain: text},
			"Path": {Path: text}} {
			store := newRig(t).store
			m, err := session.New(store, session.Options{Secrets: []session.Secret{testSecret}, Cookie: c,
				SweepEvery: -1})
			if err != nil {
				if !strings.Contains(err.Error(), "Cookie."+what) {
					t.Errorf("%s %q: the error does not name it: %v", what, text, err)
				}
				continue
			}
			v := (&rig{t: t, Manager: m}).visitor()
			resp := v.with(func(s *session.Session) { s.Set("x", 1) })
			line := resp.Header.Get("Set-Cookie")
			got, err := http.ParseSetCookie(line)
			if err != nil || len(resp.Header) != 3 {
				t.Errorf("%s %q: %q in %v, %v", what, text, line, resp.Header, err)
				continue
			}
			if text != "" && !slices.Contains([]string{got.Name, got.Path, got.Domain}, text) &&
				got.Domain != strings.TrimPrefix(text, ".") {
				t.Errorf("%s %q was accepted, and the browser is told %q", what, text, attributes(resp))
			}
			if n := len(got.Name) + len(got.Value); n > 4096 {
				t.Errorf("%s of %d bytes was accepted: no browser keeps %d", what, len(text), n)
			}
		}
	}
}

// A persistent cookie lives as long as its session, and is sent again only when that moved.
func TestAPersistentCookieLivesAsLongAsItsSession(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Cookie.Persistent, o.IdleTimeout = true, time.Hour })
	v := r.visitor()
	expect := func(what string, want int, do func(*session.Session)) {
		t.Helper()
		var until time.Time
		resp := v.with(func(s *session.Session) { do(s); until = s.ExpiresAt() })
		if want < 0 {
			if resp.Header["Set-Cookie"] != nil {
				t.Errorf("%s: the cookie is sent again: %q", what, attributes(resp))
			}
			return
		}
		c := sessionCookie(t, resp)
		if want == 0 && c.MaxAge == 0 && c.Expires.IsZero() {
			return
		}
		if c.MaxAge != want || c.Expires.Sub(r.clock.now()).Round(time.Second) != time.Duration(want)*time.Second {
			t.Errorf("%s: Max-Age %d, Expires %v, want %d from %v (the session's end was %v)", what, c.MaxAge,
				c.Expires, want, r.clock.now(), until)
		}
	}
	read := func(s *session.Session) { s.Get("x") }
	expect("first save", 3600, func(s *session.Session) { s.Set("x", 1) })
	expect("read at once", -1, read)
	expect("write at once", -1, func(s *session.Session) { s.Set("x", 2) })
	r.clock.advance(30 * time.Second)
	expect("read before the touch", -1, read)
	r.clock.advance(30 * time.Second)
	expect("read with a touch", 3600, read)
	r.clock.advance(time.Second)
	expect("write", 3600, func(s *session.Session) { s.Set("x", 3) })
	expect("SetPersistent(false)", 0, func(s *session.Session) { s.SetPersistent(false) })
	r.clock.advance(10 * time.Minute)
	expect("read with a touch of a browser-session cookie", -1, read)
	expect("write of a browser-session cookie", -1, func(s *session.Session) { s.Set("x", 4) })
	expect("SetPersistent(true)", 3600, func(s *session.Session) { s.SetPersistent(true) })
	expect("SetIdleTimeout", 7200, func(s *session.Session) { s.SetIdleTimeout(2 * time.Hour) })
	expect("SetLifetime", 1800, func(s *session.Session) {
		s.SetLifetime(r.clock.now().Sub(s.CreatedAt()) + 30*time.Minute)
	})
}

// 6265bis: browsers cut at 400 days; the cookie says so itself, also of a session without end.
func TestAPersistentCookieLivesAtMost400Days(t *testing.T) {
	for name, opts := range map[string]func(*session.Options){
		"no end":    func(o *session.Options) { o.IdleTimeout, o.Lifetime = -1, -1 },
		"ten years": func(o *session.Options) { o.IdleTimeout, o.Lifetime = 87600*time.Hour, -1 },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, opts, func(o *session.Options) { o.Cookie.Persistent = true })
			c := sessionCookie(t, r.visitor().with(func(s *session.Session) { s.Set("x", 1) }))
			if c.MaxAge != 34_560_000 || c.Expires.After(r.clock.now().Add(400*24*time.Hour)) {
				t.Errorf("Max-Age %d, Expires %v", c.MaxAge, c.Expires)
			}
		})
	}
}

// A visitor who keeps coming stays signed in beyond the 400 days, and his cookie is sent once a day for it.
func TestACookieThatBrowsersCutIsRenewedByUse(t *testing.T) {
	for name, opts := range map[string]func(*session.Options){
		"no end":    func(o *session.Options) { o.IdleTimeout, o.Lifetime = -1, -1 },
		"ten years": func(o *session.Options) { o.IdleTimeout, o.Lifetime = -1, 87600*time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, opts, func(o *session.Options) { o.Cookie.Persistent = true })
			v := r.visitor()
			v.with(func(s *session.Session) { s.Set("x", 1) })
			for _, do := range []func(*session.Session){
				func(s *session.Session) { s.Get("x") },
				func(s *session.Session) { s.Set("x", 2) },
			} {
				r.clock.advance(24 * time.Hour)
				if c := sessionCookie(t, v.with(do)); c.MaxAge != 34_560_000 {
					t.Errorf("Max-Age %d, want 400 days", c.MaxAge)
				}
				r.clock.advance(time.Hour)
				if resp := v.with(do); resp.Header["Set-Cookie"] != nil {
					t.Error("the cookie is sent twice on one day")
				}
			}
		})
	}
}

// A visit in the last 400 days of a session sends the cookie that lasts as long as it.
func TestACookieThatBrowsersCutIsSentWhenItsEndIsNear(t *testing.T) {
	const day = 24 * time.Hour
	r := newRig(t, func(o *session.Options) {
		o.IdleTimeout, o.Lifetime, o.Cookie.Persistent = -1, 500*day, true
	})
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	r.clock.advance(150 * day)
	if c := sessionCookie(t, v.with(func(s *session.Session) { s.Get("x") })); c.MaxAge != int(350*day/time.Second) {
		t.Errorf("Max-Age %d, want 350 days", c.MaxAge)
	}
	r.clock.advance(2 * day)
	if resp := v.with(func(s *session.Session) { s.Get("x") }); resp.Header["Set-Cookie"] != nil {
		t.Error("the cookie is sent again although its end has not moved")
	}
}

// A browser-session cookie has no age, whatever is done, and a read never sends it again.
func TestABrowserSessionCookieHasNoAge(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	for i := range 5 {
		resp := v.with(func(s *session.Session) { s.Login(fmt.Sprint("user", i)) })
		if c := sessionCookie(t, resp); c.MaxAge != 0 || !c.Expires.IsZero() {
			t.Errorf("%q", attributes(resp))
		}
		r.clock.advance(time.Hour)
		if resp := v.with(func(s *session.Session) { s.Get("x") }); resp.Header["Set-Cookie"] != nil {
			t.Error("a read sends the cookie again")
		}
	}
}

// Remember makes this one session persistent.
func TestRememberMakesTheCookiePersistent(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	resp := v.with(func(s *session.Session) { s.Login("ada", session.Remember(14*24*time.Hour)) })
	if c := sessionCookie(t, resp); c.MaxAge != 14*86400 {
		t.Errorf("Max-Age %d, want two weeks", c.MaxAge)
	}
	resp = r.visitor().with(func(s *session.Session) { s.Login("bob") })
	if c := sessionCookie(t, resp); c.MaxAge != 0 {
		t.Error("another session is persistent too")
	}
}

// A cookie with a path is not sent elsewhere; a jar keeps two sessions apart.
func TestACookieWithAPathStaysThere(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Cookie.Path = "/api" })
	v := r.visitor()
	c := sessionCookie(t, v.through(askedAt("/api", r.HandlerFunc(
		func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Set("x", 1) })), "GET"))
	u := mustURL()
	v.jar.SetCookies(u, []*http.Cookie{c})
	for path, want := range map[string]int{"/": 0, "/apis": 0, "/other": 0, "/api": 1, "/api/x": 1} {
		u.Path = path
		if n := len(v.jar.Cookies(u)); n != want {
			t.Errorf("%s is sent %d cookies, want %d", path, n, want)
		}
	}
}

// A cookie with a domain reaches the subdomains.
func TestACookieWithADomainReachesSubdomains(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Cookie.Domain = "example.com" })
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	u := mustURL()
	for host, want := range map[string]int{"api.example.com": 1, "example.com": 1, "example.org": 0,
		"badexample.com": 0} {
		u.Host = host
		if n := len(v.jar.Cookies(u)); n != want {
			t.Errorf("%s is sent %d cookies, want %d", host, n, want)
		}
	}
}
