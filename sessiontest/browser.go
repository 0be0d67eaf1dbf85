package sessiontest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Browser is a browser with one site: it has cookies, and it binds sessions to a key of its own, as Chromium does and
// package devicebound wants it (ECDSA with P-256). It does so before a response is returned, so that a test needs no
// waiting. It is safe for concurrent use, but for its fields, which are set before the first request.
type Browser struct {
	// Hold keeps registrations back until Register is called, as a slow device does.
	Hold bool
	// Deaf makes it a browser that knows nothing of device-bound sessions.
	Deaf bool
	// Quoted makes it send structured strings in quotes, as the draft says. Chromium sends them without.
	Quoted bool
	// Proof, if set, may change each proof before it is signed, for a browser that lies.
	Proof func(*Proof)
	// Alter, if set, may change each request of the protocol before it is sent.
	Alter func(*http.Request)

	t    testing.TB
	site string
	send http.RoundTripper
	now  func() time.Time

	refreshing sync.Mutex // one at a time
	mu         sync.Mutex // guards what follows; not held while a request is under way
	cookies    map[string]*keptCookie
	bound      []*boundSession
	offers     []offer
	log        []string
}

// keptCookie is a cookie with the time at which it ends, zero for never.
type keptCookie struct {
	*http.Cookie
	until time.Time
}

// Site is where a Browser of NewBrowser believes the handler to be.
const Site = "https://app.example.com"

// NewBrowser returns a browser whose requests a handler serves, at [Site]. now is its clock, such as Manager.Now.
func NewBrowser(t testing.TB, now func() time.Time, h http.Handler) *Browser {
	return NewRemoteBrowser(t, now, Site, serving{h})
}

// NewRemoteBrowser returns a browser of the site with that origin, such as "https://app.example.com". send sends its
// requests.
func NewRemoteBrowser(t testing.TB, now func() time.Time, origin string, send http.RoundTripper) *Browser {
	return &Browser{t: t, site: origin, send: send, now: now, cookies: map[string]*keptCookie{}}
}

// serving answers requests by a handler.
type serving struct{ http.Handler }

func (s serving) RoundTrip(r *http.Request) (*http.Response, error) {
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	in.RequestURI, in.Header = r.URL.RequestURI(), r.Header.Clone()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, in) // which panics in the test that asked
	return w.Result(), nil
}

// Copy is another browser with the same cookies and without the keys: a thief.
func (b *Browser) Copy() *Browser {
	b.mu.Lock()
	defer b.mu.Unlock()
	thief := NewRemoteBrowser(b.t, b.now, b.site, b.send)
	for name, c := range b.cookies {
		thief.cookies[name] = c
	}
	return thief
}

// Get sends a request as a page of the site does by a script.
func (b *Browser) Get(path string) *http.Response {
	b.t.Helper()
	return b.Do(httptest.NewRequest(http.MethodGet, b.site+path, nil))
}

// Post sends an empty form as a page of the site does.
func (b *Browser) Post(path string) *http.Response {
	b.t.Helper()
	return b.Do(Form(b.site+path, nil))
}

// Follow opens a page that is linked from another site, or from this one if elsewhere is false, and goes where it
// leads: by redirects, and by the header Refresh when that is to be at once. It returns the last response.
func (b *Browser) Follow(path string, elsewhere bool) *http.Response {
	b.t.Helper()
	method, address := http.MethodGet, b.site+path
	for range 20 {
		r := httptest.NewRequest(method, address, nil)
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Accept", "text/html,*/*;q=0.8")
		if elsewhere {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		resp := b.Do(r)
		switch location := resp.Header.Get("Location"); {
		case location != "" && resp.StatusCode/100 == 3:
			next, err := r.URL.Parse(location)
			if err != nil || next.Scheme+"://"+next.Host != b.site {
				b.t.Fatalf("sessiontest: Follow: %s leads to %q, which is another site", path, location)
			}
			address = next.String()
		case resp.Header.Get("Refresh") == "0":
			elsewhere = false
		default:
			return resp
		}
	}
	b.t.Fatalf("sessiontest: Follow: %s leads on and on", path)
	return nil
}

// Do sends a request with the cookies of the browser, after it has shown the keys of sessions whose cookies are
// missing, and takes what comes back. It follows nothing, but for a 307 to the same address. A request without
// Sec-Fetch-Site gets same-origin.
func (b *Browser) Do(r *http.Request) *http.Response {
	b.t.Helper()
	if r.Header.Get("Sec-Fetch-Site") == "" {
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body) // of a test, in memory
	}
	for range 20 {
		resp, err := b.once(r, body)
		if err != nil {
			b.t.Fatalf("sessiontest: %s %s: %v", r.Method, r.URL, err)
		}
		again := resp.StatusCode == http.StatusTemporaryRedirect && resp.Header.Get("Location") == r.URL.RequestURI()
		if !again {
			return resp
		}
	}
	b.t.Fatalf("sessiontest: %s %s leads to itself on and on", r.Method, r.URL)
	return nil
}

func (b *Browser) once(r *http.Request, body []byte) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.Body, out.ContentLength, out.RequestURI = http.NoBody, int64(len(body)), ""
	if len(body) > 0 {
		out.Body = io.NopCloser(bytes.NewReader(body))
	}
	if !b.Deaf {
		b.prove(out)
	}
	resp, err := b.exchange(out)
	if err == nil && !b.Hold {
		b.Register()
	}
	return resp, err
}

// exchange sends one request with cookies, and keeps what the response says.
func (b *Browser) exchange(r *http.Request) (*http.Response, error) {
	b.addCookies(r)
	resp, err := b.send.RoundTrip(r)
	line := r.Method + " " + r.URL.Path
	if err != nil {
		b.note(line + ": no answer")
		return nil, err
	}
	b.note(line + ": " + strconv.Itoa(resp.StatusCode))
	resp.Request = r
	b.take(r.URL, resp)
	return resp, nil
}

func (b *Browser) note(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, line)
}

// Log returns the requests since it was called last, as "POST /device-bound/refresh: 403".
func (b *Browser) Log() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	log := b.log
	b.log = nil
	return log
}

// take keeps what a response says of cookies and device-bound sessions.
func (b *Browser) take(from *url.URL, resp *http.Response) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clearing := resp.Header.Get("Clear-Site-Data")
	if strings.Contains(clearing, `"cookies"`) {
		clear(b.cookies)
	}
	for _, c := range resp.Cookies() {
		b.keep(c)
	}
	if b.Deaf {
		return
	}
	if strings.Contains(clearing, `"cookies"`) || strings.Contains(clearing, `"storage"`) {
		b.bound = nil
	}
	b.takeOffers(from, resp.Header)
	b.takeChallenges(resp.Header)
}
