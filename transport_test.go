package session_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// Adapters give the transport tickets of their own making. None of them may say more than its value.
func TestATicketAddsNoAttributes(t *testing.T) {
	m := newRig(t).Manager
	for ticket, want := range map[string]string{"v1.ab-_": "v1.ab-_", "x; Domain=example.org": `"x Domain=example.org"`,
		"x\r\nSet-Cookie: y=1": `"xSet-Cookie: y=1"`} {
		h := http.Header{}
		m.Transport().Write(h, ticket, time.Time{}, m.Now())
		want = "__Host-Http-session=" + want + "; Path=/; HttpOnly; Secure; SameSite=Lax"
		if got := h["Set-Cookie"]; !slices.Equal(got, []string{want}) {
			t.Errorf("the ticket %q makes %q, want %q", ticket, got, want)
		}
	}
}

// The ticket in a header: with or without Bearer, a new one in the response, an empty one after the logout.
func TestTheHeaderCarriesTheTicket(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Transport = session.Header("x-session") })
	do := func(fn func(*session.Session), values ...string) http.Header {
		t.Helper()
		req := httptest.NewRequest("GET", "/", nil)
		req.Header["X-Session"] = values
		w := httptest.NewRecorder()
		r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { fn(s) }).ServeHTTP(w, req)
		h := w.Result().Header
		if h["Set-Cookie"] != nil || !slices.Equal(h["Vary"], []string{"X-Session"}) {
			t.Errorf("%d cookies, Vary %q", len(h["Set-Cookie"]), h["Vary"])
		}
		return h
	}
	is := func(user string) func(*session.Session) {
		return func(s *session.Session) {
			t.Helper()
			if s.User() != user {
				t.Errorf("user %q, want %q", s.User(), user)
			}
		}
	}
	if h := do(is("")); h["X-Session"] != nil {
		t.Errorf("a stranger gets a ticket")
	}
	h := do(func(s *session.Session) { s.Login("ada") })
	ticket := h.Get("X-Session")
	if len(h["X-Session"]) != 1 || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%d tickets, Cache-Control %q", len(h["X-Session"]), h.Get("Cache-Control"))
	}
	for _, prefix := range []string{"", "Bearer ", "bearer ", "BEARER   ", "  "} {
		if h := do(is("ada"), prefix+ticket); h["X-Session"] != nil {
			t.Errorf("with %q: the ticket is sent again", prefix)
		}
	}
	for _, values := range [][]string{{"Basic " + ticket}, {"Bearer"}, {"Bearer" + ticket}, {ticket, ticket},
		{ticket + ", " + ticket}, {"x"}, {`"` + ticket + `"`}} {
		before := r.ev.count(session.EventRejected)
		do(is(""), values...)
		if n := r.ev.count(session.EventRejected) - before; n != 1 {
			t.Errorf("%d values of %d bytes: %d events rejected, want 1", len(values), len(values[0]), n)
		}
	}
	for _, empty := range []string{"", " ", "Bearer "} {
		do(is(""), empty)
	}
	h = do(func(s *session.Session) { s.Logout() }, ticket)
	if v, ok := h["X-Session"]; !ok || !slices.Equal(v, []string{""}) {
		t.Errorf("after the logout: %q, want one empty value", v)
	}
	do(is(""), ticket)
}

// The name of the carrier is signed: a ticket of the cookie is none of the header, nor of another header.
func TestATicketBelongsToItsCarrier(t *testing.T) {
	cookie := newRig(t)
	one := cookie.node(func(o *session.Options) { o.Transport = session.Header("X-Session") })
	two := cookie.node(func(o *session.Options) { o.Transport = session.Header("Authorization") })
	rigs := []*rig{cookie, one, two}
	for i, from := range rigs {
		s, _ := from.Open(t.Context(), "")
		s.Set("x", 1)
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		for j, to := range rigs {
			if opens := to.sees(s.Token()) != nil; opens != (i == j) {
				t.Errorf("manager %d opens the ticket of manager %d: %v", j, i, opens)
			}
		}
	}
}

// A header of the handler with the name of the transport's does not stand beside the ticket.
func TestTheHeaderHasOneTicket(t *testing.T) {
	r := newRig(t, func(o *session.Options) { o.Transport = session.Header("X-Session") })
	w := httptest.NewRecorder()
	r.HandlerFunc(func(w http.ResponseWriter, _ *http.Request, s *session.Session) {
		w.Header().Add("x-session", "something")
		s.Set("x", 1)
	}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if values := w.Result().Header["X-Session"]; len(values) != 1 || r.sees(values[0]) != int64(1) {
		t.Errorf("%d values, want the ticket", len(values))
	}
}
