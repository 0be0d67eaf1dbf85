package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// twoWays is a manager for browsers and apps.
func twoWays(t *testing.T, change ...func(*session.Options)) *rig {
	return newRig(t, append([]func(*session.Options){func(o *session.Options) {
		o.Transport = session.Transports(nil, session.Bearer("x-session"), session.Header("X-Old-App"))
	}}, change...)...)
}

// askOver sends one request with these headers to a server, over either protocol, and returns the response.
func askOver(t *testing.T, h http.Handler, http2 bool, headers http.Header) *http.Response {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = http2
	server.StartTLS()
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = headers.Clone()
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if (resp.ProtoMajor == 2) != http2 {
		t.Errorf("the response came over %s", resp.Proto)
	}
	return resp
}

func headed(name, value string) http.Header { return http.Header{name: {value}} }

func TestTheReplyGoesTheWayTheTicketCame(t *testing.T) {
	r := twoWays(t, func(o *session.Options) { o.Cookie.SameSite, o.Cookie.Persistent = http.SameSiteStrictMode, true })
	renew := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		if s.User() == "" {
			s.Login("ada")
		}
		s.Regenerate()
	})
	leave := r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Logout() })
	for _, http2 := range []bool{false, true} {
		// A stranger gets the first.
		cookie := onlyCookie(t, askOver(t, renew, http2, nil))
		if cookie.SameSite != http.SameSiteStrictMode || cookie.MaxAge <= 0 || !cookie.Secure || !cookie.HttpOnly {
			t.Errorf("the cookie is %v, want the attributes of the options", cookie)
		}
		first := cookie.Value
		second := onlyCookie(t, askOver(t, renew, http2, headed("Cookie", cookie.Name+"="+first))).Value
		if r.opens(first) || !r.opens(second) {
			t.Error("the cookie was not renewed")
		}
		// The ticket is the same for an app, and an app gets its own in a header.
		third := onlyHeader(t, askOver(t, renew, http2, headed("Authorization", "Bearer "+second)), "X-Session")
		fourth := onlyHeader(t, askOver(t, renew, http2, headed("X-Old-App", third)), "X-Old-App")
		if r.opens(third) || !r.opens(fourth) {
			t.Error("the headers were not renewed")
		}
		for _, came := range []http.Header{headed("Authorization", "Bearer "+fourth), headed("X-Old-App", "again")} {
			resp := askOver(t, leave, http2, came)
			if !slices.Equal(resp.Header["Vary"], []string{"Cookie", "Authorization", "X-Old-App"}) ||
				len(resp.Cookies()) != 0 {
				t.Errorf("Vary %q, cookies %v", resp.Header["Vary"], resp.Cookies())
			}
		}
		if r.opens(fourth) {
			t.Error("the logout by a header ended nothing")
		}
	}
}

func onlyCookie(t *testing.T, resp *http.Response) *http.Cookie {
	t.Helper()
	if len(resp.Cookies()) != 1 || resp.Header["X-Session"] != nil || resp.Header["X-Old-App"] != nil {
		t.Fatalf("the response has %d cookies, want the ticket in one and in no header", len(resp.Cookies()))
	}
	return resp.Cookies()[0]
}

func onlyHeader(t *testing.T, resp *http.Response, name string) string {
	t.Helper()
	for _, other := range []string{"X-Session", "X-Old-App", "Set-Cookie"} {
		if want := other == name; (len(resp.Header[other]) == 1) != want {
			t.Fatalf("the response has %d of %s, want the ticket in %s alone", len(resp.Header[other]), other, name)
		}
	}
	return resp.Header.Get(name)
}

func TestTheFirstTicketOfARequestCounts(t *testing.T) {
	r := twoWays(t)
	ada, _ := r.signIn("ada")
	bob, _ := r.signIn("bob")
	cookie, bearer := newName+"="+ada.ticket(), "Bearer "+bob.ticket()
	twice := cookie + "; " + cookie
	for name, c := range map[string]struct {
		headers http.Header
		want    string
		reply   string // where a new ticket goes
	}{
		"cookie and bearer":   {http.Header{"Cookie": {cookie}, "Authorization": {bearer}}, "ada", "Set-Cookie"},
		"another cookie":      {http.Header{"Cookie": {"theme=dark"}, "Authorization": {bearer}}, "bob", "X-Session"},
		"lower case":          {http.Header{"Authorization": {"bearer   " + bob.ticket()}}, "bob", "X-Session"},
		"doubled cookie":      {http.Header{"Cookie": {twice}, "Authorization": {bearer}}, "", "Set-Cookie"},
		"forged cookie":       {http.Header{"Cookie": {newName + "=x"}, "Authorization": {bearer}}, "", "Set-Cookie"},
		"basic":               {http.Header{"Authorization": {"Basic " + bob.ticket()}}, "", "Set-Cookie"},
		"no scheme":           {http.Header{"Authorization": {bob.ticket()}}, "", "Set-Cookie"},
		"empty bearer":        {http.Header{"Authorization": {"Bearer "}}, "", "Set-Cookie"},
		"a forged bearer":     {http.Header{"Authorization": {"Bearer x"}}, "", "X-Session"},
		"two bearers":         {http.Header{"Authorization": {bearer, bearer}}, "", "X-Session"},
		"bearer and a header": {http.Header{"X-Old-App": {"x"}, "Authorization": {bearer}}, "bob", "X-Session"},
		"the response header": {http.Header{"X-Session": {bob.ticket()}}, "", "Set-Cookie"},
	} {
		t.Run(name, func(t *testing.T) {
			user := "nobody"
			resp := askOver(t, r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				if user = s.User(); user == "" {
					s.Set("x", 1)
				}
			}), false, c.headers)
			if user != c.want || (resp.Header[c.reply] != nil) != (user == "") {
				t.Errorf("user %q, want %q; headers %v, want a new ticket in %s", user, c.want, namesOf(resp.Header),
					c.reply)
			}
		})
	}
}

func namesOf(h http.Header) (names []string) {
	for name := range h {
		names = append(names, name)
	}
	return names
}

// Who has run two managers on one store moves to one, and nobody is signed out.
func TestTicketsOfTheSeparateManagersAreTaken(t *testing.T) {
	web := newRig(t)
	app := web.node(func(o *session.Options) { o.Transport = session.Header("X-Old-App") })
	one := web.node(func(o *session.Options) {
		o.Transport = session.Transports(session.Header("X-Old-App"), nil)
		o.Cookie.FormerNames = []string{"sid"}
	})
	former := web.node(func(o *session.Options) { o.Cookie.Name, o.Cookie.Insecure = "sid", true })
	for name, c := range map[string]struct {
		from   *rig
		header func(ticket string) http.Header
		reply  string
	}{
		"cookie": {web, func(ticket string) http.Header { return headed("Cookie", newName+"="+ticket) }, ""},
		"header": {app, func(ticket string) http.Header { return headed("X-Old-App", ticket) }, ""},
		"former": {former, func(ticket string) http.Header { return headed("Cookie", "sid="+ticket) }, "Set-Cookie"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := c.from.Open(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			s.Login("ada")
			if err := s.Save(t.Context()); err != nil {
				t.Fatal(err)
			}
			user := ""
			resp := askOver(t, one.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				user = s.User()
			}), false, c.header(s.Token()))
			told := resp.Header["Set-Cookie"] != nil
			if user != "ada" || told != (c.reply != "") || resp.Header["X-Old-App"] != nil {
				t.Errorf("user %q, headers %v", user, namesOf(resp.Header))
			}
		})
	}
}

// A session that is its ticket goes both ways too.
func TestACarriedSessionHasSeveralTransports(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{MaxChunks: 3})
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.New(store, session.Options{
		Secrets: []session.Secret{testSecret}, Transport: session.Transports(nil, session.Bearer("X-Session")),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	h := m.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		n := session.Key[int]("n")
		n.Update(s, func(n int) int { return n + 1 })
		s.Set("text", strings.Repeat("abcdefgh", 700))
		w.Header().Set("N", fmt.Sprint(n.Or(s, 0)))
	})
	resp := askOver(t, h, false, nil)
	if len(resp.Cookies()) < 2 {
		t.Fatalf("%d cookies, want the pieces", len(resp.Cookies()))
	}
	var pairs []string
	for _, c := range resp.Cookies() {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	again := askOver(t, h, true, headed("Cookie", strings.Join(pairs, "; ")))
	if again.Header.Get("N") != "2" || len(again.Cookies()) < 2 {
		t.Errorf("by cookie: n = %s, %d cookies", again.Header.Get("N"), len(again.Cookies()))
	}
	for token, want := "x", 1; want < 4; want++ { // the first one is none
		app := askOver(t, h, true, headed("Authorization", "Bearer "+token))
		if token = onlyHeader(t, app, "X-Session"); app.Header.Get("N") != fmt.Sprint(want) {
			t.Errorf("by header: n = %s, want %d", app.Header.Get("N"), want)
		}
	}
}

func TestWrongTransportsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		transport session.Transport
		says      string
	}{
		"cookie twice":  {session.Transports(nil, session.Bearer("X-Session"), nil), "cookie"},
		"header twice":  {session.Transports(session.Header("X-A"), session.Header("x-a")), "X-A"},
		"nested twice":  {session.Transports(nil, session.Transports(nil)), "cookie"},
		"bad header":    {session.Transports(nil, session.Header("X A")), "X A"},
		"taken":         {session.Transports(nil, session.Bearer("Set-Cookie")), "Set-Cookie"},
		"bearer empty":  {session.Bearer(""), "not the name of a header"},
		"bearer length": {session.Bearer("content-length"), "Content-Length"},
	} {
		_, err := session.New(newRig(t).store, session.Options{
			Secrets: []session.Secret{testSecret}, SweepEvery: session.Never, Transport: c.transport,
		})
		if wantText(t, err, "Transport"); err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want one that says %q", name, err, c.says)
		}
	}
}

func TestByHeaderTellsWhereTheTicketCame(t *testing.T) {
	r := twoWays(t)
	for name, c := range map[string]struct {
		headers http.Header
		want    bool
	}{
		"nothing":   {nil, false},
		"cookie":    {http.Header{"Cookie": {newName + "=x"}, "Authorization": {"Bearer x"}}, false},
		"bearer":    {headed("Authorization", "Bearer x"), true},
		"header":    {headed("X-Old-App", "x"), true},
		"a browser": {headed("X-Old-App", "Basic YQ=="), false},
		"basic":     {headed("Authorization", "Basic YQ=="), false},
	} {
		req := httptest.NewRequest("GET", "/", nil)
		req.Header = c.headers
		if got := r.ByHeader(req); got != c.want {
			t.Errorf("%s: ByHeader = %v", name, got)
		}
	}
}
