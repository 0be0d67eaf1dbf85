package explore

import (
	"context"
	"net/http"

	"github.com/coatcheck/session"
)

// What ada signs in by before a scene begins, and what she confirms in it.
const (
	atLogin = "pwd"
	shown   = "otp"
)

// deedsOfFactors show a factor, or spend a confirmation.
func deedsOfFactors() []deed {
	return []deed{
		{name: "confirm", moves: true, do: func(a *act) { a.confirm(a.s) }},
		{name: "atomic confirm", moves: true, do: func(a *act) { a.atomic(func(s *session.Session) { a.confirm(s) }) }},
		{name: "once", uses: "the confirmation", page: func(ctx context.Context, a *act) { a.get(ctx, a.transfer()) }},
	}
}

// confirm shows a factor, if somebody is signed in.
func (a *act) confirm(s *session.Session) {
	if s.User() == "" {
		a.failed = true
		return
	}
	s.Confirm(shown)
}

func (a *act) transfer() http.Handler {
	return a.g.Once("transfer", func(*http.Request) string { return "all of it" })(
		a.noting(func(*http.Request) { a.passed = true }))
}

// confirmOperation has the desk confirm what a request is about to do, if there is one.
func (sc *scene) confirmOperation(ctx context.Context) error {
	if !sc.any(func(a *act) bool { return a.name == "once" }) {
		return nil
	}
	c := &sc.clients[0]
	a := act{sc: sc, node: sc.nodes[0], status: http.StatusOK, cookie: c.ticket}
	a.get(ctx, a.transfer())
	s, err := a.m.Open(ctx, c.ticket)
	if err != nil {
		return err
	}
	for _, op := range a.g.Asked(s) {
		if err := a.g.Confirm(s, op.ID, "sms"); err != nil {
			return err
		}
	}
	err = s.Save(ctx)
	c.ticket, c.id = s.Token(), s.ID()
	return err
}
