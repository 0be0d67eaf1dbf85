package explore

import (
	"fmt"
	"slices"

	"github.com/coatcheck/session"
)

// checkEnds wants that what was ended is gone.
func (v *sight) checkEnds() {
	for _, c := range v.clients {
		for _, a := range v.acts {
			if v.hasEnded(a, c.name) && v.of(c.name) != nil {
				v.fail("what was ended is gone", "that of the %s is alive, although %s", c.name, a)
			}
		}
	}
}

// hasEnded reports whether a request was told that it has ended the session of a device.
func (v *sight) hasEnded(a *act, device string) bool {
	if !a.mayEnd(device) || !a.done() && !a.ended {
		return false
	}
	switch {
	case a.signs == "bob": // with a ticket that is of no use any more it begins a session of its own, and ends nothing
		return a.as == device
	case v.c.room.bound > 0: // nobody knows what a retired id led to that was dropped
		return len(v.evicted) == 0
	}
	return true
}

// checkAlive wants that nobody is signed out whom nobody signed out, but for those who are too many; they are told of.
func (v *sight) checkAlive() {
	var gone []string
	for _, device := range v.begun() {
		if v.of(device) == nil && !v.any(func(a *act) bool { return a.mayEnd(device) }) {
			gone = append(gone, device)
		}
	}
	kept := v.any(func(a *act) bool { return a.ends == others && a.done() })
	surplus := v.surplus()
	switch told := min(surplus, len(v.evicted)); {
	case len(gone) > told && kept && slices.Contains(gone, desk):
		v.fail("what was to be kept is there", "the session of the desk is not")
	case len(gone) > surplus && v.c.room.perUser+v.c.room.bound > 0:
		v.fail("nobody is signed out for whom there is room", "%q is, %d had to go", gone, surplus)
	case len(gone) > surplus:
		v.fail("nobody is signed out whom nobody signed out", "%q is", gone)
	case len(gone) > told:
		v.fail("who had to go is told of", "%q was not", gone)
	}
}

// surplus is how many sessions there are at most that have to go for want of room.
func (v *sight) surplus() int {
	most := v.c.room.bound
	if v.c.room.perUser > 0 && v.c.room.overflow == session.EvictOldest {
		most = v.c.room.perUser
	}
	if most == 0 {
		return 0
	}
	n := len(v.clients) - most
	for _, a := range v.acts {
		if v.mayBegin(a) {
			n++
		}
	}
	return max(n, 0)
}

// checkTickets wants that all tickets of a session open it, unless somebody made the old ones useless.
func (v *sight) checkTickets() {
	for _, c := range v.clients {
		s := v.opened[c.ticket]
		if !s.IsNew() && v.any(func(a *act) bool { return a.done() && a.moves && a.by == c.name }) {
			v.fail("an old ticket opens nothing", "that of the %s does", c.name)
		}
		if v.of(c.name) == nil || v.c.room.bound > 0 || v.any(func(a *act) bool { return a.mayChangeID(c.name) }) {
			continue
		}
		tickets := []string{c.ticket}
		for _, a := range v.acts {
			if a.by == c.name {
				tickets = append(tickets, a.tickets...)
			}
		}
		for _, ticket := range tickets {
			if owner.Or(v.opened[ticket], "") != c.name {
				v.fail("a renewed ticket opens its session for a while", "one of the %s does not", c.name)
			}
		}
	}
}

// checkWrites wants that each session has what was written to it and answered, and nothing else.
func (v *sight) checkWrites() {
	for _, c := range v.clients {
		if s := v.of(c.name); s != nil {
			v.checkWritesOf(c.name, s)
		}
	}
}

func (v *sight) checkWritesOf(device string, s *session.Session) {
	const promise = "what was answered is there, and nothing else"
	certain, perhaps := v.writes(device)
	if s.Get("cart") != int64(1) {
		v.fail(promise, "the %s has not what it began with: %v", device, s.All())
	}
	if s.Has("dropped") && !v.any(func(a *act) bool { return a.faulted() }) { // a reload that failed drops nothing
		v.fail(promise, "the %s has what was dropped", device)
	}
	have := map[string]int{aStep: counter.Or(s, 0)}
	if list, ok := s.Get("list").([]any); ok {
		have[anElement] = len(list)
		for i, x := range list {
			if slices.Contains(list[:i], x) {
				v.fail(promise, "an element was appended twice: %v", list)
			}
		}
	}
	for key, n := range certain {
		if i, ok := s.Get(key).(int64); ok && key != aStep && key != anElement && fmt.Sprint(i) == key[len(key)-1:] {
			have[key] = 1
		}
		if have[key] < n {
			v.fail(promise, "the %s has %d of %q, want %d", device, have[key], key, n)
		}
	}
	for key, n := range have {
		if n > certain[key]+perhaps[key] {
			v.fail(promise, "the %s has %d of %q, want at most %d", device, n, key, certain[key]+perhaps[key])
		}
	}
}

// writes counts what was written to a device, and what may have been: by a request that failed with the store, or
// after it had given up.
func (v *sight) writes(device string) (certain, perhaps map[string]int) {
	certain, perhaps = map[string]int{}, map[string]int{}
	for _, a := range v.acts {
		if a.as != device {
			continue
		}
		for _, key := range a.certain {
			certain[key]++
		}
		for _, key := range a.pending {
			if a.faulted() || a.failed {
				// the handler gave up when it did not know, and the answer to that commits what was left
				perhaps[key] += 2
			}
		}
	}
	return certain, perhaps
}

// checkUpdates wants that a change of all sessions of a user has reached each that was there before it began.
func (v *sight) checkUpdates() {
	taken := v.any(func(a *act) bool { return a.name == "take the role" && (a.done() || a.faulted()) })
	for _, c := range v.clients {
		s := v.of(c.name)
		if s == nil {
			continue
		}
		for _, a := range v.acts {
			banned, missed := fmt.Sprint("banned", a.index), false
			switch a.name {
			case "update user":
				missed = !s.Has(banned)
			case "take the role":
				missed = role.Or(s, "") != ""
			}
			if a.done() && missed {
				v.fail("a change of all sessions reaches each", "%s did not reach the %s", a, c.name)
			}
		}
		if role.Or(s, "") == "" && !taken {
			v.fail("what was answered is there, and nothing else", "the %s has lost its role", c.name)
		}
	}
}
