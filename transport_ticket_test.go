package session_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// cookieRequest sends the cookie lines as they are.
func (r *rig) cookieRequest(fn handler, lines ...string) *http.Response {
	r.t.Helper()
	req := httptest.NewRequest("GET", "/", nil)
	req.Header["Cookie"] = lines
	w := httptest.NewRecorder()
	r.HandlerFunc(fn).ServeHTTP(w, req)
	return w.Result()
}

// flip changes one character to another of the alphabet.
func flip(text string, i int) string {
	c := byte('A')
	if text[i] == 'A' {
		c = 'B'
	}
	return text[:i] + string(c) + text[i+1:]
}

// A ticket that is not ours in every byte gives an empty new session and
// an event. The store is not asked, the answer is no error, and what is stored gets an id and a ticket of its own.
func TestAHostileTicketGivesAnEmptySession(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	var id string
	v.with(func(s *session.Session) { s.Login("ada"); id = s.ID() })
	good := v.ticket()
	parts := strings.Split(good, ".")
	last := func(s string) string { // the same bytes with other stray bits at the end
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		i := strings.IndexByte(alphabet, s[len(s)-1])
		return s[:len(s)-1] + string(alphabet[i^1])
	}
	foreign := newRig(t, func(o *session.Options) { o.Secrets = []session.Secret{session.NewSecret()} }).visitor()
	foreign.with(func(s *session.Session) { s.Set("x", 1) })
	renamed := newRig(t, func(o *session.Options) { o.Cookie.Name = "other-session" }).visitor()
	renamed.with(func(s *session.Session) { s.Set("x", 1) })
	name := "__Host-Http-session="
	hostile := map[string][]string{
		"one character":           {name + "x"},
		"no version":              {name + parts[1] + "." + parts[2]},
		"another version":         {name + "v2." + parts[1] + "." + parts[2]},
		"upper case":              {name + "V1." + parts[1] + "." + parts[2]},
		"no MAC":                  {name + "v1." + parts[1]},
		"an empty MAC":            {name + "v1." + parts[1] + "."},
		"a cut MAC":               {name + good[:len(good)-1]},
		"a longer MAC":            {name + good + "A"},
		"the MAC as random":       {name + "v1." + parts[2] + "." + parts[1]},
		"the id":                  {name + id},
		"standard base64":         {name + strings.NewReplacer("-", "+", "_", "/").Replace(good) + "="},
		"padding":                 {name + "v1." + parts[1] + "=." + parts[2] + "="},
		"stray bits in random":    {name + "v1." + last(parts[1]) + "." + parts[2]},
		"stray bits in MAC":       {name + "v1." + parts[1] + "." + last(parts[2])},
		"line break":              {name + "v1." + parts[1][:10] + "\n" + parts[1][11:] + "." + parts[2]},
		"quoted":                  {name + `"` + good + `"`},
		"percent":                 {name + strings.Replace(good, ".", "%2E", 1)},
		"NUL":                     {name + good + "\x00"},
		"a path":                  {name + "../../etc/passwd"},
		"very long":               {name + strings.Repeat("A", 1<<20)},
		"another secret":          {name + foreign.ticket()},
		"another name's":          {name + renamed.ticket()},
		"well formed and unknown": {name + "v1." + strings.Repeat("A", 43) + "." + strings.Repeat("A", 43)},
		"twice":                   {name + good + "; " + name + good},
		"twice with another":      {name + "x; " + name + good},
		"twice in two lines":      {name + good, name + "x"},
		"a MAC of zeros": {name + "v1." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte,
			32))},
	}
	for what, lines := range hostile {
		t.Run(what, func(t *testing.T) {
			r.store.reset()
			before := r.ev.count(session.EventRejected)
			look := func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
				if !s.IsNew() || s.User() != "" || s.ID() != "" || s.Expired() || s.Token() != "" {
					t.Errorf("new %v, user %q, id %q, expired %v", s.IsNew(), s.User(), s.ID(), s.Expired())
				}
			}
			resp := r.cookieRequest(look, lines...)
			if resp.StatusCode != 200 || resp.Header["Set-Cookie"] != nil || r.store.total() != 0 {
				t.Errorf("status %d, %d cookies, %d calls", resp.StatusCode, len(resp.Header["Set-Cookie"]),
					r.store.total())
			}
			if n := r.ev.count(session.EventRejected) - before; n != 1 {
				t.Errorf("%d events rejected, want 1", n)
			}
			resp = r.cookieRequest(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { s.Set("x", 1) },
				lines...)
			ticket := ticketOf(t, resp)
			if strings.Contains(strings.Join(lines, " "), ticket) || strings.Contains(ticket, parts[1]) ||
				r.sees(ticket) != int64(1) {
				t.Error("the new session has the ticket of the client")
			}
		})
	}
	v.with(func(s *session.Session) {
		if s.User() != "ada" {
			t.Error("the real session was touched")
		}
	})
}

// A genuine ticket whose record is gone is never adopted.
func TestAGenuineTicketWithoutARecordIsNeverAdopted(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	var id, again string
	v.with(func(s *session.Session) { s.Set("x", 1); id = s.ID() })
	old := v.ticket()
	if err := r.store.fullStore.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	v.with(func(s *session.Session) {
		if !s.IsNew() {
			t.Error("the session is not new")
		}
		s.Set("x", 2)
		again = s.ID()
	})
	if again == id || v.ticket() == old || r.sees(v.ticket()) != int64(2) || r.ev.count(session.EventRejected) != 1 {
		t.Errorf("the lost id is used again: %v, the ticket: %v", again == id, v.ticket() == old)
	}
}

// Other cookies, however their names look, are none of ours.
func TestOtherCookieNamesAreIgnored(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	ticket := v.ticket()
	for _, name := range []string{
		"__host-http-session", "__HOST-HTTP-SESSION", "__%48ost-Http-session", `"__Host-Http-session"`,
		"..Host-Http-session", "\u2000__Host-Http-session", "\u0085__Host-Http-session",
		"__Host-Http-session\u00a0", "session", "__Host-Http-sessio", "__Host-Http-session2", "x__Host-Http-session",
		"", "=__Host-Http-session", "$Version=1, __Host-Http-session", "__Host-Http-session[]",
	} {
		resp := r.cookieRequest(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			if s.User() != "" {
				t.Errorf("the cookie %q opens the session", name)
			}
		}, name+"="+ticket)
		if resp.StatusCode != 200 {
			t.Errorf("%q: status %d", name, resp.StatusCode)
		}
		r.cookieRequest(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			if s.User() != "ada" {
				t.Errorf("beside the cookie %q the session does not open", name)
			}
		}, name+"=evil; __Host-Http-session="+ticket)
	}
	for _, lines := range [][]string{{"a=1;__Host-Http-session=" + ticket + ";b=2"},
		{"a=1", " __Host-Http-session=" + ticket + " "}, {"; ;\t__Host-Http-session=" + ticket + ";"}} {
		r.cookieRequest(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
			if s.User() != "ada" {
				t.Errorf("%d lines: the session does not open", len(lines))
			}
		}, lines...)
	}
}

// A ticket comes from the cookie alone.
func TestATicketInAnotherPlaceIsIgnored(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.with(func(s *session.Session) { s.Login("ada") })
	req := httptest.NewRequest("POST", "/?session="+v.ticket()+"&__Host-Http-session="+v.ticket(),
		strings.NewReader("__Host-Http-session="+v.ticket()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+v.ticket())
	req.Header.Set("Set-Cookie", "__Host-Http-session="+v.ticket())
	r.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) {
		if s.User() != "" {
			t.Error("the session opens")
		}
	}).ServeHTTP(httptest.NewRecorder(), req)
}

// A ticket of an older secret is accepted and signed anew; one of a removed secret is nothing.
func TestAnOldSecretIsAcceptedAndSignedAnew(t *testing.T) {
	older, newer := session.NewSecret(), session.NewSecret()
	with := func(secrets ...session.Secret) func(*session.Options) {
		return func(o *session.Options) { o.Secrets = secrets }
	}
	r := newRig(t, with(older))
	both, after := r.node(with(newer, older)), r.node(with(newer))
	v := r.visitor()
	var id string
	v.with(func(s *session.Session) { s.Login("ada"); id = s.ID() })
	old := v.clone()
	resp := v.on(both.Manager).with(func(s *session.Session) {
		if s.User() != "ada" || s.IsNew() {
			t.Error("the old secret's ticket does not open")
		}
	})
	ticketOf(t, resp)
	if old.ticket()[:46] != v.ticket()[:46] || old.ticket() == v.ticket() {
		t.Error("want the same ticket under a new signature")
	}
	v.on(after.Manager).with(func(s *session.Session) {
		if s.User() != "ada" || s.ID() != id {
			t.Errorf("after the old secret was removed: user %q, id kept %v", s.User(), s.ID() == id)
		}
	})
	if resp := v.on(both.Manager).with(func(s *session.Session) { s.Get("x") }); resp.Header["Set-Cookie"] != nil {
		t.Error("the ticket of the new secret is sent again")
	}
	resp = old.on(after.Manager).with(func(s *session.Session) {
		if s.User() != "" {
			t.Error("the removed secret's ticket opens the session")
		}
	})
	if resp.Header["Set-Cookie"] != nil || after.ev.count(session.EventRejected) != 1 {
		t.Errorf("%d events rejected", after.ev.count(session.EventRejected))
	}
}

// ASVS 7.2.2: each session has an id of its own, and the cookie has one size and holds nothing but the ticket.
func TestTicketsAreUniqueAndOfOneSize(t *testing.T) {
	r := newRig(t)
	shape := regexp.MustCompile(`^v1\.[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}$`)
	handle := regexp.MustCompile(`^[0-9a-f]{64}$`)
	ids, tickets := map[string]bool{}, map[string]bool{}
	const n = 1_000
	for i := range n {
		s, _ := r.Open(t.Context(), "")
		s.Set("data", strings.Repeat("x", i%100))
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !shape.MatchString(s.Token()) || !handle.MatchString(s.ID()) {
			t.Fatalf("the ticket or the id %q has another shape", s.ID())
		}
		ids[s.ID()], tickets[s.Token()] = true, true
	}
	if len(ids) != n || len(tickets) != n {
		t.Errorf("%d ids and %d tickets, want %d", len(ids), len(tickets), n)
	}
}
