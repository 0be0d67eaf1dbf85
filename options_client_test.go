package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/coatcheck/session"
)

// Only proxies at the given addresses are believed, from the right, past each other, and no further.
func TestClientIPFromBelievesTrustedProxiesOnly(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32"), {}}
	find := session.ClientIPFrom(trusted...)
	trusted[0] = netip.MustParsePrefix("0.0.0.0/0") // which is the caller's business
	const proxy, client = "10.0.0.1:1234", "192.0.2.7"
	rows := []struct {
		name, peer string
		xff        []string
		forwarded  []string
		want       string
	}{
		{"no header", client + ":5", nil, nil, client},
		{"a stranger who claims", client + ":5", []string{"8.8.8.8"}, []string{"for=8.8.8.8"}, client},
		{"a proxy without header", proxy, nil, nil, "10.0.0.1"},
		{"one proxy", proxy, []string{client}, nil, client},
		{"the client claims another", proxy, []string{"8.8.8.8, " + client}, nil, client},
		{"the client claims a trusted one", proxy, []string{"10.9.9.9, " + client}, nil, client},
		{"two proxies", proxy, []string{client + ", 10.0.0.2"}, nil, client},
		{"two lines", proxy, []string{client, "10.0.0.2"}, nil, client},
		{"the client's own line", proxy, []string{"8.8.8.8", client}, nil, client},
		{"all trusted", proxy, []string{"10.0.0.3, 10.0.0.2"}, nil, "10.0.0.3"},
		{"no address", proxy, []string{"8.8.8.8, unknown"}, nil, "10.0.0.1"},
		{"no address behind a proxy", proxy, []string{"8.8.8.8, <script>, 10.0.0.2"}, nil, "10.0.0.2"},
		{"an empty entry", proxy, []string{client + ", "}, nil, "10.0.0.1"},
		{"an empty header", proxy, []string{""}, nil, "10.0.0.1"},
		{"a port", proxy, []string{client + ":8080"}, nil, client},
		{"IPv6", proxy, []string{"2001:4860::1"}, nil, "2001:4860::1"},
		{"IPv6 in brackets", proxy, []string{"[2001:4860::1]:99"}, nil, "2001:4860::1"},
		{"a mapped address", "[::ffff:10.0.0.1]:99", []string{"::ffff:" + client}, nil, client},
		{"a zone", proxy, []string{"fe80::1%eth0"}, nil, "fe80::1"},
		{"an octal", proxy, []string{"192.0.2.010"}, nil, "10.0.0.1"},
		{"a number", proxy, []string{"3221225991"}, nil, "10.0.0.1"},
		{"Forwarded", proxy, nil, []string{`for=192.0.2.7;proto=https;by=10.0.0.1`}, client},
		{"Forwarded in capitals", proxy, nil, []string{`Proto=https; FOR="192.0.2.7:80"`}, client},
		{"Forwarded IPv6", proxy, nil, []string{`for="[2001:4860::1]:4711"`}, "2001:4860::1"},
		{"Forwarded, a claim", proxy, nil, []string{`for=8.8.8.8, for=192.0.2.7, for=10.0.0.2`}, client},
		{"Forwarded, obfuscated", proxy, nil, []string{`for=8.8.8.8, for=_hidden`}, "10.0.0.1"},
		{"Forwarded without for", proxy, nil, []string{`for=8.8.8.8, proto=https`}, "10.0.0.1"},
		{"Forwarded, an open quote", proxy, nil, []string{`for="8.8.8.8, for=192.0.2.7`}, client},
		{"Forwarded, a quote about the proxy", proxy, nil, []string{`for=8.8.8.8;x=", for=192.0.2.7`}, client},
		{"both agree", proxy, []string{client}, []string{"for=" + client}, client},
		{"both differ", proxy, []string{client}, []string{"for=8.8.8.8"}, "10.0.0.1"},
		{"no peer", "", []string{client}, nil, "invalid IP"},
		{"a socket", "@", []string{client}, nil, "invalid IP"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = row.peer
			r.Header["X-Forwarded-For"], r.Header["Forwarded"] = row.xff, row.forwarded
			r.Header.Set("X-Real-Ip", "8.8.8.8")
			r.Header.Set("True-Client-Ip", "8.8.8.8")
			if got := find(r).String(); got != row.want {
				t.Errorf("ClientIP = %s, want %s", got, row.want)
			}
			if got := session.ClientIPFrom()(r); got != peer(row.peer) {
				t.Errorf("with nobody trusted: %s, want the peer", got)
			}
		})
	}
}

func peer(addr string) netip.Addr {
	ap, _ := netip.ParseAddrPort(addr)
	return ap.Addr().Unmap()
}

// info is what is known of the client of ada's one session.
func (r *rig) info() session.Info {
	r.t.Helper()
	infos, err := r.Sessions(context.Background(), "ada")
	if err != nil || len(infos) != 1 {
		r.t.Fatalf("%d sessions, %v", len(infos), err)
	}
	return infos[0]
}

func (r *rig) from(addr, ua string, fn handler) {
	r.t.Helper()
	req := httptest.NewRequest("GET", "/", nil)
	req.RemoteAddr = addr
	req.Header["User-Agent"] = []string{ua}
	req.Header.Set("X-Forwarded-For", "8.8.8.8")
	r.HandlerFunc(fn).ServeHTTP(httptest.NewRecorder(), req)
}

// The peer's address and the user agent are noted when a session is stored, by the middleware or by Save, and
// never from a header by itself.
func TestTheClientIsNoted(t *testing.T) {
	for how, store := range map[string]func(*session.Session) error{
		"by the middleware": func(*session.Session) error { return nil },
		"by Save":           func(s *session.Session) error { return s.Save(context.Background()) },
		"by Atomic": func(s *session.Session) error {
			return s.Atomic(context.Background(), func(s *session.Session) error { s.Set("x", 1); return nil })
		},
	} {
		t.Run(how, func(t *testing.T) {
			r := newRig(t)
			r.from("[::ffff:192.0.2.7]:99", "Test/1.0", func(_ http.ResponseWriter, _ *http.Request,
				s *session.Session) {
				s.Login("ada")
				if err := store(s); err != nil {
					t.Error(err)
				}
			})
			if got := r.info(); got.RemoteIP.String() != "192.0.2.7" || got.UserAgent != "Test/1.0" {
				t.Errorf("RemoteIP %s, UserAgent %q", got.RemoteIP, got.UserAgent)
			}
		})
	}
}

// A user agent is at most 256 bytes of whole runes, without control and bidirectional characters.
func TestAUserAgentIsCleaned(t *testing.T) {
	for ua, want := range map[string]string{
		"Mozilla/5.0 (X11)":                   "Mozilla/5.0 (X11)",
		"":                                    "",
		"a\r\nSet-Cookie: x\x00\x1b[31m\x7f":  "aSet-Cookie: x[31m",
		"a\u202eb\u2066c\u200fd\u061ce\ufeff": "abcde",
		"a\u2028b\u2029c\u0085d":              "abcd",
		"a\xffb\xc3":                          "ab",
		strings.Repeat("x", 300):              strings.Repeat("x", 256),
		strings.Repeat("x", 255) + "é":        strings.Repeat("x", 255),
		strings.Repeat("x", 254) + "éé":       strings.Repeat("x", 254) + "é",
		strings.Repeat("é", 64<<10):           strings.Repeat("é", 128),
		strings.Repeat("\u202e", 300) + "x":   "x",
		"<script>alert(1)</script>":           "<script>alert(1)</script>",
	} {
		r := newRig(t)
		r.from("192.0.2.7:1", ua, func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Login("ada") })
		got := r.info().UserAgent
		if got != want {
			t.Errorf("%.40q (%d bytes): %.40q (%d bytes), want %.40q (%d bytes)", ua, len(ua), got, len(got), want,
				len(want))
		}
		if len(got) > 256 || !utf8.ValidString(got) ||
			strings.ContainsFunc(got, func(c rune) bool {
				return unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)
			}) {
			t.Errorf("%.40q is not clean", got)
		}
	}
}

// The header's name is found in any spelling, a value exactly, and "*" is any value.
func TestSkipHeader(t *testing.T) {
	for _, row := range []struct {
		name, value string
		header      http.Header
		want        bool
	}{
		{"x-skip", "yes", http.Header{"X-Skip": {"yes"}}, true},
		{"X-SKIP", "yes", http.Header{"X-Skip": {"no", "yes"}}, true},
		{"X-Skip", "yes", http.Header{"X-Skip": {"no"}}, false},
		{"X-Skip", "yes", http.Header{"X-Skip": {"YES"}}, false},
		{"X-Skip", "yes", http.Header{"X-Skip": {"*"}}, false},
		{"X-Skip", "yes", http.Header{}, false},
		{"X-Skip", "yes", http.Header{"X-Skip2": {"yes"}}, false},
		{"X-Skip", "*", http.Header{"X-Skip": {""}}, true},
		{"X-Skip", "*", http.Header{"X-Skip": {"anything"}}, true},
		{"X-Skip", "*", http.Header{}, false},
		{"X-Skip", "", http.Header{"X-Skip": {"a"}}, false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header = row.header
		if got := session.SkipHeader(row.name, row.value)(r); got != row.want {
			t.Errorf("SkipHeader(%q, %q) with %v = %v, want %v", row.name, row.value, row.header, got, row.want)
		}
	}
}

// A callback that looks at the request is called without a lock held.
func TestClientIPMayUseTheSession(t *testing.T) {
	var current *session.Session
	r := newRig(t, func(o *session.Options) {
		o.ClientIP = func(*http.Request) netip.Addr {
			if current != nil {
				_ = current.User()
			}
			return netip.MustParseAddr("192.0.2.9")
		}
	})
	r.from("10.0.0.1:1", "x", func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		current = s
		s.Login("ada")
	})
	if got := r.info().RemoteIP.String(); got != "192.0.2.9" {
		t.Errorf("RemoteIP %s", got)
	}
}
