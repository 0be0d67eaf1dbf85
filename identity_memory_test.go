package session_test

import (
	"testing"
	"unsafe"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// lent is a string as fasthttp makes one: its memory has other bytes once the request is over.
type lent []byte

func (l lent) text() string { return unsafe.String(unsafe.SliceData(l), len(l)) }

func (l lent) over() { copy(l, "xxxxxxxx") }

func TestNothingThatWasGivenIsKept(t *testing.T) {
	m, err := session.New(memstore.New(memstore.Options{}), session.Options{Secrets: []session.Secret{testSecret},
		SweepEvery: session.Never})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() }) // which has no error
	user, factor, value := lent("ada"), lent("pwd"), lent("value")
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login(user.text(), session.Factor(factor.text()))
	s.Set("key", value.text())
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, l := range []lent{user, factor, value} {
		l.over()
	}
	if s.Set("later", 1); s.Save(t.Context()) != nil || s.User() != "ada" || s.Get("key") != "value" {
		t.Errorf("the session is of %q, with %v", s.User(), s.All())
	}
	infos, err := m.Sessions(t.Context(), "ada")
	if err != nil || len(infos) != 1 || infos[0].User != "ada" {
		t.Errorf("the sessions are %+v, %v", infos, err)
	}
	next, err := m.Open(t.Context(), s.Token())
	if err != nil || next.User() != "ada" || len(next.All()) != 2 || next.Get("key") != "value" ||
		next.FactorAt("pwd").IsZero() {
		t.Errorf("the next request has %q with %v, %v", next.User(), next.All(), err)
	}
	if n, err := m.RevokeUser(t.Context(), "ada"); n != 1 || err != nil {
		t.Errorf("RevokeUser = %d, %v", n, err)
	}
}
