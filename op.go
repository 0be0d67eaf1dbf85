package session

import (
	"errors"
	"time"
)

// op is one thing that was done to a session. A commit that meets a conflict does it again to the newest state, so
// that changes of two requests are both kept.
type op struct {
	kind opKind
	path path
	raw  []byte                                    // set, flash
	list [][]byte                                  // add
	fn   func(old []byte, ok bool) ([]byte, error) // update
	d    time.Duration                             // idle, lifetime
	on   bool                                      // persistent
	at   int64                                     // login
}

type opKind uint8

const (
	opSet opKind = iota
	opFlash
	opAdd
	opUpdate
	opRemove
	opClear
	opIdle
	opLifetime
	opPersistent
	opLogin
	opNow // never among the operations of a session: it is not stored
)

// opNames are the operations that can be refused.
var opNames = [...]string{opSet: "set", opFlash: "flash", opAdd: "append to", opUpdate: "update", opRemove: "remove", opNow: "set for now"}

func (k opKind) String() string { return opNames[k] }

// refusal is the error of the operation. A reason alone does not name the path.
func (o op) refusal(err error) error {
	if errors.As(err, new(reason)) {
		return refusal(o.kind.String(), o.path.String(), err)
	}
	return err
}

// touchesData reports whether the operation changes data, and not only settings.
func (o op) touchesData() bool { return o.kind < opIdle }

// apply does the operation. It reports whether something changed; on an error nothing did.
func (o op) apply(st *state, c Codec) (bool, error) {
	changed, err := o.try(st, c)
	if err != nil {
		return changed, o.refusal(err)
	}
	return changed, nil
}

func (o op) try(st *state, c Codec) (changed bool, err error) {
	switch o.kind {
	case opSet, opFlash:
		return true, o.set(st, c)
	case opAdd:
		return true, o.add(st, c)
	case opUpdate:
		_, err = st.change(c, o.path, o.fn)
		return true, err
	case opRemove:
		return o.remove(st, c), nil
	case opClear:
		changed, err = !st.empty(), st.clear(c)
	case opIdle:
		changed = st.Idle != micro(o.d)
		st.Idle = micro(o.d)
	case opLifetime:
		changed = st.Lifetime != micro(o.d)
		st.Lifetime = micro(o.d)
	case opPersistent:
		want := uint64(2)
		if o.on {
			want = 1
		}
		changed = st.Persistent != want
		st.Persistent = want
	case opLogin:
		changed, st.Login = true, o.at
	}
	return changed, err
}

// micro rounds away from zero: a time.Duration of -1 is none, and not the manager's.
func micro(d time.Duration) int64 {
	switch us := d.Microseconds(); {
	case us != 0 || d == 0:
		return us
	case d < 0:
		return -1
	}
	return 1
}

func (o op) set(st *state, c Codec) error {
	made, err := st.change(c, o.path, func([]byte, bool) ([]byte, error) { return o.raw, nil })
	if err != nil {
		return err
	}
	if o.kind == opFlash && st.marks.at(o.path).empty() {
		st.used += len(o.path.String())
	}
	st.split(c, o.path)
	st.unmark(o.path)
	if o.kind == opFlash {
		st.own()
		st.FlashSeq++
		st.mark(o.path, mark{seq: st.FlashSeq}, made)
	}
	return nil
}

func (o op) add(st *state, c Codec) error {
	_, err := st.edit(c, o.path, func(old any, ok bool) (any, bool, int, error) {
		list, isList := old.([]any)
		if ok && !isList && old != nil {
			return nil, false, 0, errNotList
		}
		more := 0
		for _, raw := range o.list {
			v, err := tree(c, raw)
			if err != nil {
				return nil, false, 0, err
			}
			list, more = append(list, v), more+len(raw)+1
		}
		return list, true, more, nil
	})
	return err
}

// remove removes what is there. What is not there, or not reachable, is no change.
func (o op) remove(st *state, c Codec) bool { return st.drop(c, o.path) == nil }
