package explore

import (
	"errors"

	"github.com/coatcheck/session"
)

// deedsOfSaves are what a handler commits by itself.
func deedsOfSaves() []deed {
	return []deed{
		{name: "atomic update", do: func(a *act) { a.atomic(func(s *session.Session) { a.update(s) }) }},
		{name: "atomic regenerate", moves: true, do: func(a *act) { a.atomic((*session.Session).Regenerate) }},
		{name: "atomic login", moves: true, signs: "ada", do: func(a *act) {
			a.atomic(func(s *session.Session) { s.Login("ada") })
		}},
		{name: "atomic login as bob", ends: desk, signs: "bob", do: func(a *act) {
			a.atomic(func(s *session.Session) { s.Login("bob") })
		}},
		{name: "atomic logout", ends: desk, do: func(a *act) { a.atomicLogout() }},
		{name: "save, then set", do: func(a *act) {
			a.save()
			a.set("k")
		}},
		{name: "set, save, then set", do: func(a *act) {
			a.set("k")
			a.save()
			a.set("later")
		}},
		{name: "save, then login", moves: true, signs: "ada", do: func(a *act) {
			a.update(a.s)
			a.save()
			a.s.Login("ada")
		}},
		{name: "save, then logout", ends: desk, do: func(a *act) {
			a.save()
			a.s.Logout()
		}},
		{name: "reload, then update", do: func(a *act) {
			a.s.Set("dropped", true)
			if err := a.s.Reload(a.r.Context()); err != nil {
				a.fail(err)
				return
			}
			a.update(a.s)
		}},
	}
}

// save stores what the handler did so far. An answer tells the client that it is there, whatever becomes of the
// request.
func (a *act) save() {
	if a.failed {
		return
	}
	if err := a.s.Save(a.r.Context()); err != nil {
		a.fail(err)
		return
	}
	a.stored()
}

// atomic runs fn in Session.Atomic; what it notes counts once.
func (a *act) atomic(fn func(*session.Session)) {
	before := a.pending
	err := a.s.Atomic(a.r.Context(), func(s *session.Session) error {
		a.pending = before
		fn(s)
		return nil
	})
	if err != nil {
		if !a.faulted() {
			a.pending = before
		}
		a.fail(err)
		return
	}
	a.stored()
}

// atomicLogout signs out within Session.Atomic. Who is told that the session has ended is told that he is signed out.
func (a *act) atomicLogout() {
	err := a.s.Atomic(a.r.Context(), func(s *session.Session) error {
		s.Logout()
		return nil
	})
	if err == nil || errors.Is(err, session.ErrEnded) {
		a.ended = true
	}
	if err != nil {
		a.fail(err)
	}
}
