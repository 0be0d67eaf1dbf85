package main

import (
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// The store knows nothing of a session that is with its browser, and that is no reason not to end it.
func TestASessionInACookieIsAskedForAndEndsByItsID(t *testing.T) {
	store, err := cookiestore.New(cookiestore.Options{Revocations: memstore.New(memstore.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ada := signedIn(t.Context(), t, m)
	site := &site{Manager: m, cfg: &sessionconfig.Config{Store: "cookies"}, store: store}
	what := target{ids: []string{ada.ID(), ada.ID(), "no id"}, reason: "operator"}
	e, err := site.extent(t.Context(), &tool{}, what)
	if err != nil || e.none() || e.String() != "1 session of unknown users" {
		t.Errorf("extent = %v, %v, want one session of somebody", e, err)
	}
	done, err := site.revoke(t.Context(), &tool{}, what, true)
	if err != nil || done.ended != 1 {
		t.Errorf("revoke = %+v, %v, want 1", done, err)
	}
	if s, err := m.Open(t.Context(), ada.Token()); err != nil || !s.IsNew() {
		t.Errorf("the session goes on, %v", err)
	}
	if e, err := site.extent(t.Context(), &tool{}, what); err != nil || !e.none() {
		t.Errorf("extent = %v, %v, want none, for it has ended", e, err)
	}
}
