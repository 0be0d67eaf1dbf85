package devicebound_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/sessiontest"
)

func TestAWrongOptionIsNamed(t *testing.T) {
	for _, tt := range []struct {
		opts devicebound.Options
		want string
	}{
		{devicebound.Options{Policy: 3}, "Policy"},
		{devicebound.Options{Lifetime: -1}, "Lifetime"},
		{devicebound.Options{Lifetime: time.Second - 1}, "Lifetime"},
		{devicebound.Options{Lifetime: 24*time.Hour + 1}, "Lifetime"},
		{devicebound.Options{Lifetime: 1<<63 - 1}, "Lifetime"},
		{devicebound.Options{Lifetime: time.Minute, Grace: time.Minute + 1}, "Grace"},
		{devicebound.Options{PendingFor: -1}, "PendingFor"},
		{devicebound.Options{PendingFor: 5*time.Minute + 1}, "PendingFor"},
		{devicebound.Options{RegisterPath: "start"}, "RegisterPath"},
		{devicebound.Options{RegisterPath: "//evil.example"}, "RegisterPath"},
		{devicebound.Options{RegisterPath: "https://evil.example/a"}, "RegisterPath"},
		{devicebound.Options{RegisterPath: "/a?b"}, "RegisterPath"},
		{devicebound.Options{RegisterPath: "/a#b"}, "RegisterPath"},
		{devicebound.Options{RegisterPath: "/a/../b"}, "RegisterPath"},
		{devicebound.Options{RegisterPath: "/"}, "RegisterPath"},
		{devicebound.Options{RefreshPath: "/a b"}, "RefreshPath"},
		{devicebound.Options{RefreshPath: "/a\"b"}, "RefreshPath"},
		{devicebound.Options{RefreshPath: "/a\r\nX: y"}, "RefreshPath"},
		{devicebound.Options{RefreshPath: "/a", RegisterPath: "/a"}, "RefreshPath"},
		{devicebound.Options{Exclude: []string{"/ok", "static"}}, "Exclude"},
		{devicebound.Options{Exclude: []string{"/"}}, "Exclude"},
		{devicebound.Options{Exclude: []string{""}}, "Exclude"},
		{devicebound.Options{CookieName: "bound"}, "CookieName"},
		{devicebound.Options{CookieName: "__Host-a b"}, "CookieName"},
		{devicebound.Options{CookieName: "__Host-" + strings.Repeat("a", 4096)}, "CookieName"},
		{devicebound.Options{CookieName: "__Host-Http-bound"}, "CookieName"},
		{devicebound.Options{CookieName: "__host-http-bound"}, "CookieName"},
		{devicebound.Options{SameSite: 1}, "SameSite"},
		{devicebound.Options{SameSite: 9}, "SameSite"},
		{devicebound.Options{RefreshInitiators: []string{"a b"}}, "RefreshInitiators"},
		{devicebound.Options{RefreshInitiators: []string{"https://a"}}, "RefreshInitiators"},
		{devicebound.Options{Origin: "http://app.example.com"}, "Origin"},
		{devicebound.Options{Origin: "https://app.example.com/"}, "Origin"},
		{devicebound.Options{Origin: "app.example.com"}, "Origin"},
	} {
		b, err := devicebound.New(sessiontest.NewManager(t), tt.opts)
		if b != nil || err == nil || !strings.HasPrefix(err.Error(), "devicebound: "+tt.want+": ") {
			t.Errorf("New(%+v) = %v, want an error that names %s", tt.opts, err, tt.want)
		}
	}
}

func TestTheGraceMayBeAsShortAsATestWantsIt(t *testing.T) {
	if _, err := devicebound.New(sessiontest.NewManager(t), devicebound.Options{Grace: time.Nanosecond}); err != nil {
		t.Errorf("New = %v", err)
	}
}

func TestTheBoundCookieIsNotTheSessions(t *testing.T) {
	m := sessiontest.NewManager(t, func(o *session.Options) { o.Cookie.Name = "__Host-bound" })
	if _, err := devicebound.New(m, devicebound.Options{}); err == nil || !strings.Contains(err.Error(), "CookieName") {
		t.Errorf("New = %v, want an error that names CookieName", err)
	}
}

func TestAManagerThatCannotBeBoundIsRefused(t *testing.T) {
	if _, err := devicebound.New(nil, devicebound.Options{}); err == nil || !strings.Contains(err.Error(), "nil") {
		t.Errorf("New(nil) = %v", err)
	}
	for _, transport := range []session.Transport{session.Header("X-Ticket")} {
		m := sessiontest.NewManager(t, func(o *session.Options) { o.Transport = transport })
		if _, err := devicebound.New(m, devicebound.Options{}); err == nil || !strings.Contains(err.Error(), "cookie") {
			t.Errorf("New for tickets in a header = %v", err)
		}
	}
	for _, change := range []func(*session.Options){
		func(*session.Options) {},
		func(o *session.Options) { o.Transport = session.Transports(nil, session.Bearer("X-Ticket")) },
	} {
		m := sessiontest.NewManager(t, change, func(o *session.Options) {
			o.Cookie.Partitioned, o.Cookie.SameSite = true, http.SameSiteNoneMode
		})
		_, err := devicebound.New(m, devicebound.Options{})
		if err == nil || !strings.Contains(err.Error(), "Cookie.Partitioned") {
			t.Errorf("New for a partitioned cookie = %v", err)
		}
	}
	m := sessiontest.NewManager(t)
	if _, err := devicebound.New(m, devicebound.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := devicebound.New(m, devicebound.Options{}); err == nil {
		t.Error("a second binder is not refused")
	}
}

// What the browser is told of the cookie is what the cookie has, or it would ask for another one for ever.
func TestTheInstructionsFitTheCookie(t *testing.T) {
	for _, opts := range []devicebound.Options{
		{},
		{SameSite: http.SameSiteNoneMode, CookieName: "__Host-b", RefreshPath: "/r/x", Exclude: []string{"/static"}},
		{SameSite: http.SameSiteStrictMode, RefreshInitiators: []string{"*.example.com"}},
	} {
		s := newSite(t, opts)
		b := s.browser()
		b.Hold = true
		b.Get("/login")
		resp := registration(b)
		line := resp.Header.Get("Set-Cookie")
		text := body(t, resp)
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatal(err)
		}
		c.Value, c.MaxAge = "x", 0
		_, attributes, _ := strings.Cut(c.String(), "; ")
		want := `"credentials":[{"type":"cookie","name":"` + c.Name + `","attributes":"` + attributes + `"}]`
		if !strings.Contains(text, want) || !strings.Contains(attributes, "Path=/; HttpOnly; Secure; SameSite=") {
			t.Errorf("the instructions are %s, and the cookie is %s", text, line)
		}
		const scope = `"scope":{"include_site":false,"scope_specification":[{"type":"exclude","domain":"*","path":"/`
		if !strings.Contains(text, scope) {
			t.Errorf("the instructions are %s", text)
		}
	}
}

// registration makes the browser register, and returns the answer.
func registration(b *sessiontest.Browser) (answer *http.Response) {
	var sent *http.Request
	b.Alter = func(r *http.Request) {
		sent = r.Clone(r.Context())
		r.Method = http.MethodGet
	}
	b.Register()
	b.Alter = nil
	return b.Do(sent)
}
