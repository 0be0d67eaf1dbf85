package explore

import "slices"

// choice is one of several ways to go on.
type choice struct{ taken, of int }

// option is a request that may go on, and what becomes of its call.
type option struct {
	request int
	fate    Fate
}

// tireless is how many calls a request makes in a row before the others go on: it tries again and again, and they would
// have come to their turn while it pauses.
const tireless = 50

func (x *Explorer) tired() bool { return x.streak >= tireless }

// options returns the ways to go on from here that are to be tried.
func (x *Explorer) options() (list []option) {
	ready := x.ready()
	switch {
	case ready[0] != x.last:
	case x.tired() && len(ready) > 1:
		ready = ready[1:]
	case x.budget == 0:
		ready = ready[:1]
	}
	for _, i := range ready {
		if x.asleep[i] {
			continue
		}
		list = append(list, option{i, Happens})
		if x.faults > 0 {
			list = append(list, option{i, Fails})
			if !reads(x.waiting[i].call) {
				list = append(list, option{i, IsLost})
			}
		}
	}
	return list
}

// choose takes one of the options. Those before it were tried already.
func (x *Explorer) choose(options []option, taken int) {
	o := options[taken]
	call := x.waiting[o.request]
	if x.last != o.request && x.waiting[x.last].call != "" && !x.tired() {
		x.budget--
	}
	if x.Preemptions < 0 && x.Settled == nil {
		for _, tried := range options[:taken] {
			x.asleep[tried.request] = true
		}
		for i := range x.asleep {
			if i == o.request || !independent(x.waiting[i], call) {
				delete(x.asleep, i)
			}
		}
	}
	x.letGo(o)
}

// independent reports whether two calls do the same in both orders. Where all orders are tried, only one of the two is:
// a request whose call was tried here sleeps until another call makes a difference to it (sleep sets, Godefroid 1996).
func independent(a, b event) bool {
	return reads(a.call) && reads(b.call) || a.id != "" && b.id != "" && a.id != b.id
}

func reads(call string) bool { return call == "load" || call == "list" }

// following returns the choices that come after these in the search, nil after the last.
func following(made []choice) []choice {
	for i := len(made) - 1; i >= 0; i-- {
		if made[i].taken+1 < made[i].of {
			next := slices.Clone(made[:i+1])
			next[i].taken++
			return next
		}
	}
	return nil
}
