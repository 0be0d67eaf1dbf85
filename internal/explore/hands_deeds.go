package explore

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/coatcheck/session"
)

func handDeeds() []handDeed {
	return slices.Concat(handDeedsOfData(), handDeedsOfIdentity(), handDeedsOfCommits())
}

func handDeedsOfData() []handDeed {
	return []handDeed{
		{name: "set", do: func(h *hand) { h.set(); h.read(h.own("k"), int64(h.index)) }},
		{name: "get", do: (*hand).get},
		{name: "pop", do: func(h *hand) { h.popped = h.s.Pop("once") != nil; h.popped2() }},
		{name: "update", do: (*hand).update},
		{name: "flash", do: (*hand).flash},
		{name: "now", do: (*hand).castNow},
		{name: "clear", drops: true, do: (*hand).clear},
	}
}

func handDeedsOfIdentity() []handDeed {
	return []handDeed{
		{name: "regenerate", identity: true, moves: true, do: (*hand).regenerate},
		{name: "login", identity: true, moves: true, signs: "ada", do: func(h *hand) { h.login("ada") }},
		{name: "login as bob", identity: true, moves: true, ends: true, drops: true, signs: "bob",
			do: func(h *hand) { h.login("bob") }},
		{name: "logout", identity: true, moves: true, ends: true, drops: true, do: (*hand).logout},
	}
}

func handDeedsOfCommits() []handDeed {
	return []handDeed{
		{name: "save", do: (*hand).save},
		{name: "reload", drops: true, reloads: true, do: (*hand).reload},
		{name: "atomic", do: (*hand).atomic},
		{name: "atomic pop", do: (*hand).atomicPop},
		{name: "atomic regenerate", identity: true, moves: true, do: func(h *hand) {
			h.inAtomic(func(s *session.Session) { s.Regenerate() })
		}},
		{name: "atomic login", identity: true, moves: true, signs: "ada", do: func(h *hand) {
			h.inAtomic(func(s *session.Session) { s.Login("ada") })
		}},
		{name: "atomic logout", identity: true, moves: true, ends: true, drops: true, do: func(h *hand) {
			h.inAtomic(func(s *session.Session) { s.Logout() })
		}},
		{name: "login pop", identity: true, moves: true, signs: "ada", do: (*hand).loginPop},
		{name: "first byte", answers: true, do: func(h *hand) { h.w.WriteHeader(http.StatusOK) }},
		{name: "set around the first byte", answers: true, do: (*hand).around},
		{name: "panic", panics: true, do: (*hand).panic},
		{name: "revoke others", lists: true, do: (*hand).revokeOthers},
		{name: "update user", lists: true, do: (*hand).updateUser},
		{name: "nothing", do: func(*hand) {}},
	}
}

func (h *hand) other() *hand { return h.hands[1-h.index] }

// mayLose reports whether the other hand may have taken away what this one did: by itself, or for it belongs to
// another user.
func (h *hand) mayLose() bool {
	other := h.other()
	return other.drops || h.signs != "" && other.signs != "" && other.signs != h.signs
}

func (h *hand) own(name string) string { return fmt.Sprint(name, h.index) }

func (h *hand) fail(format string, args ...any) {
	h.broken = append(h.broken, h.name+": "+fmt.Sprintf(format, args...))
}

// read wants what this hand has written, unless the other may have taken it away.
func (h *hand) read(path string, want any) {
	h.step("reads")
	if got := h.s.Get(path); got != want && !h.mayLose() && !h.tooLate() {
		h.fail("after it was written, %s is %v, want %v", path, got, want)
	}
}

// tooLate reports whether something may have been refused, for nobody could be given a ticket any more.
func (h *hand) tooLate() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.late > 0 || h.err != nil
}

func (h *hand) set() {
	h.s.Set(h.own("k"), h.index)
	h.wrote = append(h.wrote, h.own("k"))
}

func (h *hand) get() {
	had, id := h.s.Get("once"), h.s.ID()
	h.step("reads")
	stays := !h.other().moves && !h.other().drops && h.c.from.renewEvery == 0
	if now := h.s.ID(); stays && id != "" && now != id {
		h.fail("the id was %q and is %q", id, now)
	}
	if now := h.s.Get("once"); had == nil && now != nil && !h.other().reloads {
		h.fail("once was gone and is %v", now)
	}
	if owner.Or(h.s, "") != desk && h.before != "" && !h.other().drops {
		h.fail("what was there is gone")
	}
}

func (h *hand) popped2() {
	h.step("reads")
	if h.other().reloads || h.tooLate() {
		return
	}
	if v := h.s.Get("once"); v != nil {
		h.fail("once is %v after it was taken", v)
	}
	if h.before != "" {
		h.gone = append(h.gone, "once")
	}
}

func (h *hand) update() {
	runs, last := 0, 0
	counter.Update(h.s, func(n int) int {
		if runs++; runs < 4 { // it runs again for what happens at each stop
			h.within("updates")
		}
		last = n + 1
		return last
	})
	h.steps = 1
	made := last // a commit of the other hand may run it again on what another request has left, which is not read yet
	h.step("reads")
	if n := counter.Or(h.s, 0); n < made && !h.other().drops && !h.tooLate() {
		h.fail("after an update to %d it is %d", made, n)
	}
}

func (h *hand) flash() {
	h.s.Flash(h.own("f"), h.index)
	if !h.c.meets { // else that is the next request, to see it
		h.wrote = append(h.wrote, h.own("f"))
	}
	h.read(h.own("f"), int64(h.index))
}

func (h *hand) castNow() {
	h.s.Now(h.own("now"), h.index)
	h.gone = append(h.gone, h.own("now"))
	h.read(h.own("now"), int64(h.index))
}

func (h *hand) clear() {
	h.s.Set(h.own("k"), h.index)
	h.step("clears")
	h.s.Clear()
	h.step("reads")
	if h.other().reloads || h.tooLate() {
		return
	}
	if v := h.s.Get(h.own("k")); v != nil {
		h.fail("after a clear there is %v", v)
	}
	h.gone = append(h.gone, h.own("k"), "once", "notice", string(owner))
}

func (h *hand) regenerate() {
	before := h.s.ID()
	h.s.Regenerate()
	h.step("reads")
	if after := h.s.ID(); after == before && before != "" && !h.other().reloads && !h.tooLate() {
		h.fail("the id stays the same")
	}
}

func (h *hand) login(user string) {
	h.s.Login(user, func(s *session.Session) {
		h.within("signs in")
		s.Set(h.own("l"), h.index)
	})
	h.step("reads")
	if h.s.User() != user && h.other().signs == "" && !h.other().ends && !h.other().reloads && !h.tooLate() {
		h.fail("%q is signed in", h.s.User())
	}
	h.wrote = append(h.wrote, h.own("l"))
}

func (h *hand) logout() {
	h.s.Logout()
	h.step("reads")
	if user := h.s.User(); user != "" && h.other().signs == "" && !h.other().reloads && !h.tooLate() {
		h.fail("%q is signed in", user)
	}
}

func (h *hand) save() {
	h.set()
	h.err = h.commit()
	h.read(h.own("k"), int64(h.index))
}

func (h *hand) reload() {
	h.s.Set(h.own("k"), h.index)
	h.step("reloads")
	h.err = h.s.Reload(h.ctx())
}

func (h *hand) atomic() {
	h.inAtomic(func(s *session.Session) {
		counter.Update(s, func(n int) int { return n + 1 })
		h.steps = 1
	})
	h.read(h.own("k"), int64(h.index))
}

func (h *hand) atomicPop() {
	popped := false
	h.inAtomic(func(s *session.Session) { popped = s.Pop("once") != nil })
	if h.popped = popped && h.err == nil; h.err == nil && !h.other().reloads && h.before != "" {
		h.gone = append(h.gone, "once")
	}
}

func (h *hand) loginPop() {
	h.s.Login("ada", func(s *session.Session) {
		h.within("signs in")
		h.popped = s.Pop("once") != nil
		h.within("signs in")
	})
	if h.popped && !h.other().reloads {
		h.gone = append(h.gone, "once")
	}
}

// around goes on after the headers are out.
func (h *hand) around() {
	h.set()
	h.step("answers")
	h.w.WriteHeader(http.StatusOK)
	h.read(h.own("k"), int64(h.index))
	h.s.Set(h.own("k"), h.index+10)
	h.read(h.own("k"), int64(h.index+10))
}

// panic notes whether something is being stored by then of which the client is not told.
func (h *hand) panic() {
	h.untold = h.other().saving
	panic("of the handler")
}

func (h *hand) revokeOthers() {
	id := h.s.ID()
	if id == "" { // it keeps nothing
		return
	}
	h.step("revokes")
	_, h.err = h.m.RevokeUser(h.ctx(), "ada", id)
}

func (h *hand) updateUser() {
	_, h.err = h.m.UpdateUser(h.ctx(), "ada", func(s *session.Session) error {
		h.within("updates ada")
		s.Set(h.own("u"), h.index)
		return nil
	})
	if h.c.from.user == "ada" && h.other().signs == "" {
		h.wrote = append(h.wrote, h.own("u"))
	}
}

// inAtomic also sets a value of this hand.
func (h *hand) inAtomic(change func(*session.Session)) {
	h.saving = true
	defer func() { h.saving = false }()
	h.err = h.s.Atomic(h.ctx(), func(s *session.Session) error {
		h.within("is in Atomic")
		change(s)
		s.Set(h.own("k"), h.index)
		h.within("leaves Atomic")
		return nil
	})
	h.wrote = append(h.wrote, h.own("k"))
}
