package sessiontest

import (
	"cmp"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// NewManager returns a manager on a new store in memory, with a secret of its own and without a sweeper. It is closed
// when the test ends. Each change is applied to the options first, for example to set a clock or a transport.
func NewManager(t testing.TB, change ...func(*session.Options)) *session.Manager {
	t.Helper()
	opts := session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1}
	for _, c := range change {
		c(&opts)
	}
	m, err := session.New(memstore.New(memstore.Options{}), opts)
	if err != nil {
		t.Fatalf("sessiontest: NewManager: %v", err)
	}
	t.Cleanup(func() { _ = m.Close() }) // which has no error
	return m
}

// Request returns r as a client that has a session sends it. fill is given the session and decides what is in it, for
// example with a Login, and the session is stored. If r has a session already, fill goes on with that one. r itself is
// not changed, and its body is left for the returned request.
//
// The session is made by a request like r, so it has the same address and User-Agent, and Options.OnEvent hears of it.
// Like all helpers here, Request knows the cookie of Options.Cookie, [session.Header], and any [session.Transport] that
// reads the header that it writes and varies on it.
func Request(t testing.TB, m *session.Manager, r *http.Request, fill func(*session.Session)) *http.Request {
	t.Helper()
	filling := r.Clone(r.Context())
	filling.Body = http.NoBody
	var filled *session.Session
	w := httptest.NewRecorder()
	m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		fill(s)
		filled = s
	}).ServeHTTP(w, filling)
	if filled == nil {
		t.Fatalf("sessiontest: Request: the session of the request could not be loaded: the answer is %d", w.Code)
	}
	// The middleware has saved it, and told its error to nobody who could tell us. Whatever it could not do is done
	// again.
	if err := filled.Save(r.Context()); err != nil {
		t.Fatalf("sessiontest: Request: %v", cmp.Or(errors.Unwrap(err), err)) // with what the store said
	}
	if filled.Token() == "" {
		t.Fatalf("sessiontest: Request: nothing was stored: fill must set something or sign somebody in, and neither " +
			"Options.Skip nor the store may forget it")
	}
	return carrierOf(m).follow(r, w.Result())
}

// Form returns a POST of a form, as a browser sends it from a page of the same site. Its header Sec-Fetch-Site:
// same-origin is what guard.CSRF and [http.CrossOriginProtection] want to see. Give it to [Request] for somebody who is
// signed in. The target is that of [httptest.NewRequest].
func Form(target string, fields url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	return r
}

// After returns the session that the client's next request will find after r was answered with resp: with the ticket
// that the response sent, or with that of r if it sent none. A session that is over, or was never stored, is an empty
// one whose IsNew is true. After itself stores nothing, so flash data is still there.
func After(t testing.TB, m *session.Manager, r *http.Request, resp *http.Response) *session.Session {
	t.Helper()
	c := carrierOf(m)
	s, err := m.Open(t.Context(), c.ticket(c.follow(r, resp)))
	if err != nil {
		t.Fatalf("sessiontest: After: %v", cmp.Or(errors.Unwrap(err), err))
	}
	return s
}

// SetsTicket reports an error unless the response gives the client a ticket, as it does after a Login or the first Set.
func SetsTicket(t testing.TB, m *session.Manager, resp *http.Response) {
	t.Helper()
	wantDone(t, m, resp, "gives the client a ticket")
}

// DeletesTicket reports an error unless the response tells the client to forget its ticket, as it does after a Logout.
func DeletesTicket(t testing.TB, m *session.Manager, resp *http.Response) {
	t.Helper()
	wantDone(t, m, resp, "deletes the client's ticket")
}

// LeavesTicket reports an error unless the response says nothing about a ticket, so that the client keeps what it has.
func LeavesTicket(t testing.TB, m *session.Manager, resp *http.Response) {
	t.Helper()
	wantDone(t, m, resp, "leaves the client's ticket alone")
}

func wantDone(t testing.TB, m *session.Manager, resp *http.Response, want string) {
	t.Helper()
	done := "leaves the client's ticket alone"
	switch _, ticket, ok := carrierOf(m).sent(resp); {
	case ok && ticket == "":
		done = "deletes the client's ticket"
	case ok:
		done = "gives the client a ticket"
	}
	if done != want {
		t.Errorf("the response (status %d) %s, want one that %s", resp.StatusCode, done, want)
	}
}

// carrier is what is known from outside about the transport of a manager.
type carrier struct {
	m      *session.Manager
	header string // "Cookie", or the header of the ticket
	reply  string // the header of a new one
}

func carrierOf(m *session.Manager) carrier {
	first, _, _ := strings.Cut(m.VaryOn(), ",")
	c := carrier{m: m, header: http.CanonicalHeaderKey(first)}
	probe := http.Header{}
	m.Transport().Write(probe, "ticket", time.Time{}, m.Now())
	for name := range probe {
		c.reply = name
	}
	return c
}

// owns reports whether a cookie is the manager's. That is the one which the application may not sign.
func (c carrier) owns(name string) bool {
	cookie := &http.Cookie{Name: name, Path: "/", Secure: true, HttpOnly: true, MaxAge: -1}
	return c.m.SetSigned(httptest.NewRecorder(), cookie) != nil
}

// sent returns the ticket in a response, "" for one that deletes it, and the name of its cookie.
func (c carrier) sent(resp *http.Response) (cookie, ticket string, ok bool) {
	if c.header != "Cookie" {
		values := resp.Header.Values(c.reply)
		if len(values) == 0 {
			return "", "", false
		}
		return "", values[0], true
	}
	for _, sent := range resp.Cookies() {
		if c.owns(sent.Name) {
			cookie, ticket, ok = sent.Name, sent.Value, true
		}
	}
	return cookie, ticket, ok
}

// ticket is the ticket that comes with a request, "" for none.
func (c carrier) ticket(r *http.Request) string {
	if c.header != "Cookie" {
		value := strings.TrimSpace(r.Header.Get(c.header))
		if scheme, rest, ok := strings.Cut(value, " "); ok && strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(rest)
		}
		return value
	}
	for _, cookie := range r.Cookies() {
		if c.owns(cookie.Name) {
			return cookie.Value
		}
	}
	return ""
}

// follow returns r as the client sends it after that response.
func (c carrier) follow(r *http.Request, resp *http.Response) *http.Request {
	next := r.Clone(r.Context())
	name, ticket, ok := c.sent(resp)
	switch {
	case !ok:
		return next
	case c.header != "Cookie":
		next.Header.Del(c.header)
		if ticket != "" {
			next.Header.Set(c.header, "Bearer "+ticket)
		}
		return next
	}
	next.Header.Del("Cookie")
	for _, cookie := range r.Cookies() {
		if cookie.Name != name {
			next.AddCookie(cookie)
		}
	}
	if ticket != "" {
		next.AddCookie(&http.Cookie{Name: name, Value: ticket})
	}
	return next
}
