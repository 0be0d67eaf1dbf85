package guard_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

func TestTheFormOfAnAnswerIsWhatTheClientLikesBest(t *testing.T) {
	r := newRig(t, guard.Options{})
	for accept, want := range map[string]string{
		"application/json":                             "application/problem+json",
		"application/vnd.api+json":                     "application/problem+json",
		"application/json;q=0.5, text/html;q=0.4":      "application/problem+json",
		"text/html;q=0.5, application/json;q=0.5":      "text/html; charset=utf-8",
		"application/xml":                              "text/html; charset=utf-8",
		"image/svg+json":                               "text/html; charset=utf-8",
		"text/html;q=0.5, application/json;q=7":        "text/html; charset=utf-8",
		"text/html;q=0.5, application/json;q=-1":       "text/html; charset=utf-8",
		"text/html;q=0.5, application/json;q=NaN":      "text/html; charset=utf-8",
		"text/html;q=0.5, application/json;q=1":        "application/problem+json",
		"text/html;q=0.5, application/json;q=whatever": "text/html; charset=utf-8",
	} {
		w := r.visitor().get(r.User(inside), "/", "Accept: "+accept)
		if got := w.Header().Get("Content-Type"); got != want {
			t.Errorf("Accept: %s is answered with %q, want %q", accept, got, want)
		}
	}
}

// A WWW-Authenticate belongs to a 401, and a redirect is none.
func TestTheWayToTheLoginPageAsksForNoAuthentication(t *testing.T) {
	r := newRig(t, guard.Options{LoginPage: "/login"})
	w := r.visitor().get(r.User(inside), "/private", asPage)
	if w.Code != http.StatusSeeOther || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("status %d, %v, want a redirect and no WWW-Authenticate", w.Code, w.Header())
	}
}

func TestARefusalSaysWhatItIsToCachesAndPrograms(t *testing.T) {
	r := newRig(t, guard.Options{})
	nobody := r.visitor().get(r.User(inside), "/", asJSON).Header()
	stranger := r.signIn("ada").get(r.Role("admin")(inside), "/", asJSON).Header()
	if nobody.Get("WWW-Authenticate") != "Session" || stranger.Get("WWW-Authenticate") != "" {
		t.Errorf("WWW-Authenticate is wrong: %v with a 401, %v with a 403", nobody, stranger)
	}
	for _, h := range []http.Header{nobody, stranger} {
		if h.Get("Retry-After") != "" || h.Get("X-Content-Type-Options") != "nosniff" || !varies(h, "Accept") {
			t.Errorf("the headers are %v, want no Retry-After, nosniff, and Vary: Accept", h)
		}
	}
}

func varies(h http.Header, name string) bool {
	return slices.Contains(strings.Split(strings.Join(h.Values("Vary"), ", "), ", "), name)
}

func TestAPageIsNotSniffedAndKeepsThePolicyThatIsSet(t *testing.T) {
	r := newRig(t, guard.Options{})
	const policy = "default-src 'self'"
	strict := http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		r.User(inside).ServeHTTP(w, req)
	})
	h := r.visitor().get(strict, "/", asPage).Header()
	if got := h.Get("Content-Security-Policy"); got != policy {
		t.Errorf("the policy is %q, want the one of the site, %q", got, policy)
	}
	if got := h.Get("X-Content-Type-Options"); got != "nosniff" {
		t.Errorf("X-Content-Type-Options: %q, want nosniff", got)
	}
	if got := h.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("Referrer-Policy: %q, want same-origin", got)
	}
}

// What the page of sessions answers is about one person, whatever it answers.
func TestNoCacheKeepsWhatThePageOfSessionsAnswers(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	h := r.Sessions()
	for name, w := range map[string]*httptest.ResponseRecorder{
		"the list as a page":   v.get(h, "/", asPage),
		"the list as JSON":     v.get(h, "/", asJSON),
		"an end":               v.post(h, "/", url.Values{"id": {strings.Repeat("0", 64)}}, asJSON, same),
		"a wrong order":        v.post(h, "/", nil, asJSON, same),
		"a wrong order's page": v.post(h, "/", nil, asPage, same),
	} {
		if got := w.Header().Values("Cache-Control"); len(got) != 1 || got[0] != "no-store" {
			t.Errorf("%s: status %d, Cache-Control %q, want no-store once", name, w.Code, got)
		}
	}
	if h := v.get(h, "/", asJSON).Header(); !varies(h, "Accept") {
		t.Errorf("Vary: %q, want Accept among them", h.Values("Vary"))
	}
	if got := v.get(h, "/?style").Header().Get("Cache-Control"); got != "max-age=3600" {
		t.Errorf("the style sheet: Cache-Control %q, want max-age=3600", got)
	}
}

func TestAProgramIsToldOfAWrongOrderInJSON(t *testing.T) {
	r := newRig(t, guard.Options{})
	w := r.signIn("ada").post(r.Sessions(), "/", url.Values{"id": {"x"}, "others": {"1"}}, asJSON, same)
	if got := w.Header().Get("Content-Type"); w.Code != http.StatusBadRequest || got != "application/problem+json" {
		t.Errorf("status %d, %q, want a 400 in JSON", w.Code, got)
	}
	wantPage(t, r.signIn("ada").post(r.Sessions(), "/", nil, asPage, same), http.StatusBadRequest)
}

func TestTheEndOfTheOwnSessionIsCounted(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	if got := decode(t, v.post(r.Sessions(), "/", url.Values{"id": {v.id()}}, asJSON, same)).Ended; got != 1 {
		t.Errorf("ended %d, want 1", got)
	}
}

// partly is a store of which some calls fail once it is down.
type partly struct {
	*memstore.Store
	down bool
}

func (p *partly) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	if p.down {
		return nil, errors.New("down")
	}
	return p.Store.ByUser(ctx, user)
}

func (p *partly) Save(ctx context.Context, rec *session.Record) error {
	if p.down {
		return errors.New("down")
	}
	return p.Store.Save(ctx, rec)
}

// A store that is down is no empty list, no session that ended, and no request that is under the limit.
func TestAnOutageIsA503WhateverWasAsked(t *testing.T) {
	store := &partly{Store: memstore.New(memstore.Options{})}
	r := newRigOn(t, store, &clock{t: time.Unix(1e9, 0).UTC()}, guard.Options{})
	v := r.signIn("ada")
	other := r.signIn("ada").id()
	store.down = true
	for name, w := range map[string]*httptest.ResponseRecorder{
		"the list":       v.get(r.Sessions(), "/", asJSON),
		"the end of one": v.post(r.Sessions(), "/", url.Values{"id": {other}}, asJSON, same),
		"of all others":  v.post(r.Sessions(), "/", url.Values{"others": {"1"}}, asJSON, same),
		"a count":        v.get(r.Rate(guard.Limit{Requests: 3, Per: time.Hour})(inside), "/", asJSON),
	} {
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d, %s, want 503", name, w.Code, w.Body)
		}
	}
}
