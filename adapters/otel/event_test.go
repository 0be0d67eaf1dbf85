package otelsession_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/coatcheck/session"
)

func TestSessionsAreCountedFromTheirBeginToTheirEnd(t *testing.T) {
	s := open(t, map[string]http.HandlerFunc{"/set": set, "/login": login, "/logout": logout})
	for _, path := range []string{"/set", "/login", "/logout", "/set"} {
		s.get(path)
	}
	s.wantMetrics("coatcheck.sessions.begun", map[string]int{"": 2})
	s.wantMetrics("coatcheck.sessions.ended", map[string]int{"logout": 1})
	s.wantMetrics("coatcheck.events", map[string]int{"renewed,none": 1})
}

func TestEventsCallsTheNextOne(t *testing.T) {
	var told []session.EventKind
	r := newRecorder(t)
	on := r.telemetry.Events(func(_ context.Context, e session.Event) { told = append(told, e.Kind) })
	on(t.Context(), session.Event{Kind: session.EventCreated})
	if len(told) != 1 || told[0] != session.EventCreated {
		t.Errorf("the next function was told %v, want the event", told)
	}
	r.wantMetrics("coatcheck.sessions.begun", map[string]int{"": 1})
}

// Whatever a site reports and clients send, the number of time series is bounded.
func TestTheNumberOfSeriesIsBounded(t *testing.T) {
	r := newRecorder(t, "moved house")
	on := r.telemetry.Events(nil)
	for i := range 1000 {
		name := fmt.Sprint("name ", i)
		for _, kind := range []session.EventKind{session.EventEnded, session.EventExpired, session.EventKind(name)} {
			on(t.Context(), session.Event{Kind: kind, ID: name, User: name, Reason: session.Reason(name), Actor: name,
				RemoteIP: netip.MustParseAddr("192.0.2.1"), Err: fmt.Errorf("error of %s", name)})
		}
	}
	on(t.Context(), session.Event{Kind: session.EventEnded, Reason: "moved house"})
	on(t.Context(), session.Event{Kind: session.EventEnded})
	r.wantMetrics("coatcheck.sessions.ended", map[string]int{"_OTHER": 1000, "moved house": 1, "none": 1})
	r.wantMetrics("coatcheck.events", map[string]int{"expired,_OTHER": 1000, "_OTHER,_OTHER": 1000})
}

// What exporters are given is searched for all that must stay in the house: the ticket, values, the user, the client,
// and what a driver says.
func TestNothingSecretIsExported(t *testing.T) {
	s := openWithCanaries(t)
	s.get("/in")
	at, err := url.Parse(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ticket := s.browser.Jar.Cookies(at)[0]
	for _, path := range []string{"/read", "/set", "/list"} {
		s.get(path)
	}
	s.store.saves.Store(true) // and the error names a server
	s.get("/set")
	s.store.saves.Store(false)
	s.get("/logout")
	s.browser.Jar.SetCookies(at, []*http.Cookie{{Name: ticket.Name, Value: "canary-forged"}})
	s.get("/read")

	all := s.exported()
	for _, word := range []string{"coatcheck commit", "session.id", "list_user", "coatcheck.requests", "rejected"} {
		if !strings.Contains(all, word) {
			t.Errorf("the export has no %q: the test would find no canary", word)
		}
	}
	secret := strings.Split(ticket.Value, ".")[1]
	for _, canary := range []string{secret, "canary", "10.0.0.7", "127.0.0.1"} {
		if strings.Contains(all, canary) {
			t.Errorf("%q is exported", canary)
		}
	}
}

// openWithCanaries starts a site with words that must not get out.
func openWithCanaries(t *testing.T) *site {
	t.Helper()
	var s *site
	s = open(t, map[string]http.HandlerFunc{
		"/in": func(_ http.ResponseWriter, r *http.Request) {
			load(r).Set("card", "canary-value")
			load(r).Login("canary-user")
		},
		"/set": set, "/read": read, "/logout": logout,
		"/list": func(_ http.ResponseWriter, r *http.Request) {
			if _, err := s.sessions.Sessions(r.Context(), "canary-user"); err != nil {
				t.Error(err)
			}
		},
	}, func(o *session.Options) { o.TouchEvery = -1 })
	s.browser.Transport = agent{s.browser.Transport}
	return s
}

// exported is all that was measured, as JSON.
func (r *recorder) exported() string {
	r.Helper()
	var metrics metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &metrics); err != nil {
		r.Fatal(err)
	}
	text, err := json.Marshal([]any{tracetest.SpanStubsFromReadOnlySpans(r.spans.Ended()), metrics})
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

// agent says in each request who the client is.
type agent struct{ http.RoundTripper }

func (a agent) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("User-Agent", "canary-agent")
	return a.RoundTripper.RoundTrip(r)
}
