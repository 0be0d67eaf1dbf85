package session_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// sharedCache is a cache as simple as RFC 9111 allows: it stores what is public or has no rule, unless it is told not
// to, and honours Vary. A CDN's own headers win over Cache-Control. Cookies are stored like any other header.
type sharedCache struct {
	next   http.Handler
	stored []cachedPage
	hits   int
}

type cachedPage struct {
	url   string
	asked http.Header
	resp  *httptest.ResponseRecorder
}

func (c *sharedCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, p := range c.stored {
		if p.url == r.URL.String() && p.matches(r.Header) {
			c.hits++
			p.send(w)
			return
		}
	}
	page := cachedPage{r.URL.String(), r.Header.Clone(), httptest.NewRecorder()}
	c.next.ServeHTTP(page.resp, r)
	h := page.resp.Result().Header
	rule := strings.ToLower(h.Get("CDN-Cache-Control") + h.Get("Surrogate-Control"))
	if rule == "" {
		rule = strings.ToLower(strings.Join(h["Cache-Control"], ","))
	}
	if r.Method == "GET" && !strings.Contains(rule, "no-store") && !strings.Contains(rule, "private") &&
		!slices.Contains(h["Vary"], "*") {
		c.stored = append(c.stored, page)
	}
	page.send(w)
}

func (p cachedPage) matches(h http.Header) bool {
	for _, line := range p.resp.Result().Header["Vary"] {
		for name := range strings.SplitSeq(line, ",") {
			name = http.CanonicalHeaderKey(strings.TrimSpace(name))
			if !slices.Equal(p.asked[name], h[name]) {
				return false
			}
		}
	}
	return true
}

func (p cachedPage) send(w http.ResponseWriter) {
	for name, values := range p.resp.Result().Header {
		w.Header()[name] = values
	}
	w.WriteHeader(p.resp.Code)
	w.Write(p.resp.Body.Bytes())
}

// A shared cache before an application that calls everything public hands nobody the page or the
// cookie of somebody else, and still serves what has nothing to do with sessions.
func TestASharedCacheMixesUpNobody(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.RenewEvery = time.Millisecond })
	pages := map[string]handler{
		"/login": func(_ http.ResponseWriter, req *http.Request, s *session.Session) {
			s.Login(req.Header.Get("X-User"))
		},
		"/read": func(http.ResponseWriter, *http.Request, *session.Session) {},
		"/write": func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			counter.Update(s, func(n int) int { return n + 1 })
		},
		"/logout": func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Logout() },
	}
	mux := http.NewServeMux()
	public := func(h http.Header) {
		h.Set("Cache-Control", "public, max-age=600")
		h.Set("CDN-Cache-Control", "max-age=600")
		h.Set("Surrogate-Control", "max-age=600")
		h.Set("Vary", "Accept-Encoding")
	}
	for path, fn := range pages {
		mux.Handle(path, r.HandlerFunc(func(w http.ResponseWriter, req *http.Request, s *session.Session) {
			public(w.Header())
			if path == "/read" { // a page that depends on the visitor, by an application that trusts in Vary
				w.Header().Del("CDN-Cache-Control")
				w.Header().Del("Surrogate-Control")
			}
			fn(w, req, s)
			fmt.Fprintf(w, "page of %q", s.User())
		}))
	}
	mux.Handle("/static", r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		public(w.Header())
		io.WriteString(w, "static")
	})))
	cache := &sharedCache{next: mux}
	owner, signedIn := map[string]string{}, map[string]string{}
	users := []string{"ada", "bob", "cyd", ""}
	jars := map[string]*visitor{}
	for _, u := range users {
		jars[u] = r.visitor()
	}
	for _, path := range []string{"/static", "/read", "/login", "/read", "/write", "/read", "/write", "/static",
		"/read", "/logout", "/read"} {
		for _, user := range users {
			if path == "/login" && user == "" {
				continue
			}
			v := jars[user]
			before := v.ticket()
			resp := v.through(at(path, user, cache), "GET")
			body, _ := io.ReadAll(resp.Body)
			want := fmt.Sprintf("page of %q", signedIn[user])
			if path == "/login" {
				want = fmt.Sprintf("page of %q", user)
				signedIn[user] = user
			} else if path == "/logout" {
				want = `page of ""`
				signedIn[user] = ""
			}
			if s := string(body); s != "static" && s != want {
				t.Errorf("%s: %q is shown the %s", path, user, s)
			}
			if now := v.ticket(); now != before && now != "" {
				if o, taken := owner[now]; taken && o != user {
					t.Errorf("%s: %q is handed the ticket of %q", path, user, o)
				}
				owner[now] = user
			}
		}
		r.clock.advance(1000)
	}
	if cache.hits == 0 {
		t.Error("the cache served nothing")
	}
}

// at sends the request to the path.
func at(path, user string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = path
		r.Header.Set("X-User", user)
		h.ServeHTTP(w, r)
	})
}

// A response with the ticket is no-store, whatever the handler says, and Vary wherever the session was read.
func TestCachingHeaders(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	for _, row := range []struct {
		name        string
		do          func(*session.Session)
		vary, want  []string
		cacheHeader string
	}{
		{"a read", func(s *session.Session) { s.Get("x") }, nil, []string{"Cookie"}, "public, max-age=60"},
		{"a write", func(s *session.Session) { s.Set("x", 2) }, nil, []string{"Cookie"}, "public, max-age=60"},
		{"a read with Vary", func(s *session.Session) { s.Get("x") }, []string{"Accept"}, []string{"Accept", "Cookie"},
			"public, max-age=60"},
		{"a read with ours", func(s *session.Session) { s.Get("x") }, []string{"Accept, cookie"},
			[]string{"Accept, cookie"}, "public, max-age=60"},
		{"a read with *", func(s *session.Session) { s.Get("x") }, []string{"*"}, []string{"*"}, "public, max-age=60"},
		{"a renewal", func(s *session.Session) { s.Regenerate() }, nil, []string{"Cookie"}, "no-store"},
		{"a logout", func(s *session.Session) { s.Logout() }, nil, []string{"Cookie"}, "no-store"},
		{"a first save", func(s *session.Session) { s.Set("x", 1) }, []string{"Accept"}, []string{"Accept", "Cookie"},
			"no-store"},
	} {
		resp := v.do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			h := w.Header()
			h.Set("Cache-Control", "public, max-age=60")
			h.Set("CDN-Cache-Control", "max-age=60")
			h.Set("Surrogate-Control", "max-age=60")
			h.Set("Expires", "Fri, 01 Jan 2027 00:00:00 GMT")
			h["Vary"] = row.vary
			row.do(s)
			io.WriteString(w, "hello")
		})
		h := resp.Header
		if !slices.Equal(h["Vary"], row.want) || !slices.Equal(h["Cache-Control"], []string{row.cacheHeader}) {
			t.Errorf("%s: Vary %q, Cache-Control %q", row.name, h["Vary"], h["Cache-Control"])
		}
		gone := h["Cdn-Cache-Control"] == nil && h["Surrogate-Control"] == nil && h["Expires"] == nil
		if told := h["Set-Cookie"] != nil; gone != told || told != (row.cacheHeader == "no-store") {
			t.Errorf("%s: with a cookie %v, without the CDN's headers %v", row.name, told, gone)
		}
	}
}

// A cache on the way reads its vendor's header before Cache-Control, and does not care how the handler spelled the
// name.
func TestNoHeaderOfAVendorLetsACacheKeepATicket(t *testing.T) {
	names := []string{
		"CDN-Cache-Control", "Cdn-Cache-Control", "Cloudflare-CDN-Cache-Control", "Vercel-CDN-Cache-Control",
		"Netlify-CDN-Cache-Control",
		"surrogate-control", "X-Accel-Expires", "cache-control", "expires",
	}
	forHandler := func(w http.ResponseWriter) {
		for _, name := range names {
			w.Header()[name] = []string{"public, max-age=60"}
		}
	}
	r := newRig(t)
	for what, resp := range map[string]*http.Response{
		"a first save": r.visitor().do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			forHandler(w)
			s.Set("x", 1)
		}),
		"a failure": r.visitor().do(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
			forHandler(w)
			s.Set("", 1)
		}),
	} {
		if got := resp.Header["Cache-Control"]; !slices.Equal(got, []string{"no-store"}) {
			t.Errorf("%s: Cache-Control %q", what, got)
		}
		for _, name := range names {
			if resp.Header[name] != nil {
				t.Errorf("%s has the header %s", what, name)
			}
		}
	}
}

// What a handler says when the store is down is for this visitor, and not for everybody.
func TestAResponseWhoseSessionCouldNotBeLoadedVaries(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Set("x", 1) })
	r.store.hook(func(string, string) error { return errDown })
	resp := v.through(r.Middleware(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if _, err := session.Load(req.Context()); err == nil {
			t.Error("the store is not down")
		}
		io.WriteString(w, "hello, stranger")
	})), "GET")
	if got := resp.Header["Vary"]; !slices.Equal(got, []string{"Cookie"}) || resp.Header["Set-Cookie"] != nil {
		t.Errorf("Vary %q, %d cookies", got, len(resp.Header["Set-Cookie"]))
	}
}
