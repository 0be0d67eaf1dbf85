package oidcsession_test

import (
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"github.com/coatcheck/session"
	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// No middleware stands around the endpoints of this node: the site is told all the same who did what, and from where.
// Whoever sends a token that nobody has signed is not the provider.
func TestAnEventOfTheProviderSaysWhoAndFromWhere(t *testing.T) {
	p := newProvider(t)
	n := newNode(t, p, memstore.New(memstore.Options{}), oidcsession.Options{})
	newBrowser(t).signIn(n, "ada", "sid 1")
	newBrowser(t).signIn(n, "ada", "sid 2")
	for name, row := range map[string]struct {
		do   func()
		kind session.EventKind
		by   string
	}{
		"a logout": {func() { n.logsOut(p.logoutToken(t, "ada", "sid 1")) }, session.EventEnded, p.URL},
		"an event": {func() { n.pushes(p.event(sessionRevoked, object{}, object{"format": "opaque", "id": "sid 2"})) },
			session.EventEnded, p.URL},
		"a subject of somebody else": {func() { n.pushes(p.event(sessionRevoked, object{}, object{"format": "did"})) },
			session.EventRefused, p.URL},
		"no logout token": {func() { n.logout("x") }, session.EventRefused, ""},
		"no event token":  {func() { n.push("x") }, session.EventRefused, ""},
		"a GET":           {func() { _, _ = http.Get(n.URL + "/events") }, "", ""},
	} {
		n.told()
		row.do()
		var want, got []session.Event
		if row.kind != "" {
			want = []session.Event{{Kind: row.kind, Actor: row.by, RemoteIP: netip.MustParseAddr("127.0.0.1")}}
		}
		for _, e := range n.told() {
			got = append(got, session.Event{Kind: e.Kind, Actor: e.Actor, RemoteIP: e.RemoteIP})
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: events %v, want %v", name, got, want)
		}
	}
}

// Login has stored the session before the response begins.
func TestASignInByTheProviderTellsOfANewDevice(t *testing.T) {
	p := newProvider(t)
	n := newNode(t, p, memstore.New(memstore.Options{}), oidcsession.Options{})
	g, err := guard.New(n.sessions, guard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	nobody := func(*http.Request) string { return "" }
	n.Config.Handler = g.SignIn(nobody)(n.sessions.HandlerFunc(n.signIn))
	laptop := newBrowser(t)
	for i, b := range []*browser{laptop, laptop, newBrowser(t)} {
		n.told()
		b.signIn(n, "ada", "sid")
		told := slices.DeleteFunc(n.told(), func(e session.Event) bool { return e.Kind != session.EventNewDevice })
		if isNew := i != 1; isNew && (len(told) != 1 || told[0].User != "ada") || !isNew && len(told) != 0 {
			t.Errorf("sign-in %d: the site is told of %+v", i+1, told)
		}
	}
}

// told is what the site was told since it was last asked.
func (n *node) told() []session.Event {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.events
	n.events = nil
	return all
}
