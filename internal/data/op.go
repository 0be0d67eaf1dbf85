package data

import (
	"errors"
	"time"
)

// Op is one thing that was done to a session. A commit that meets a conflict does it again to the newest state, so
// that changes of two requests are both kept.
type Op struct {
	Kind OpKind
	On   bool // OpPersistent; of OpAdd and OpUpdate that it was done to flash data
	Path Path
	Raw  []byte                                    // OpSet, OpFlash; the name of OpFactor
	Fn   func(old []byte, ok bool) ([]byte, error) // OpUpdate
	At   int64                                     // OpLogin, OpBegin, OpDeadline, OpFactor
	More *More                                     // nil: its zero value
}

// More is what few operations have, so that the others do not pay for it. It is never changed.
type More struct {
	List     [][]byte      // OpAdd; the names of the factors of OpLogin
	Duration time.Duration // OpIdle, OpLifetime; of OpLogin how long after At it was called
}

func (o Op) more() More {
	if o.More == nil {
		return More{}
	}
	return *o.More
}

// OpKind is what an operation does.
type OpKind uint8

// The kinds of operations. Those from OpIdle on change settings, and no data.
const (
	OpSet OpKind = iota
	OpFlash
	OpAdd
	OpUpdate
	OpRemove
	OpClear
	OpIdle
	OpLifetime
	OpPersistent
	OpLogin
	OpBegin    // of the clocks, where it is not the first save
	OpDeadline // 0: by the lifetime
	OpFactor   // one that was confirmed after the Login
	OpNow      // never among the operations of a session: it is not stored
)

// opNames are the operations that can be refused.
var opNames = [...]string{
	OpSet: "set", OpFlash: "flash", OpAdd: "append to", OpUpdate: "update", OpRemove: "remove", OpNow: "set for now",
}

func (k OpKind) String() string { return opNames[k] }

// refusal is the error of the operation. A reason alone does not name the path.
func (o Op) refusal(err error) error {
	if errors.As(err, new(reason)) {
		return Refusal(o.Kind.String(), o.Path.String(), err)
	}
	return err
}

// TouchesData reports whether the operation changes data, and not only settings.
func (o Op) TouchesData() bool { return o.Kind < OpIdle }

// SetsClock reports whether the operation changes when the session ends.
func (o Op) SetsClock() bool { return o.Kind == OpIdle || o.Kind == OpLifetime || o.Kind == OpDeadline }

// apply does the operation. It reports whether something changed; on an error nothing did.
func (o Op) apply(st *State, r Rules) (bool, error) {
	changed, err := o.try(st, r)
	if err != nil {
		return changed, o.refusal(err)
	}
	return changed, nil
}

func (o Op) try(st *State, r Rules) (changed bool, err error) {
	switch o.Kind {
	case OpSet, OpFlash:
		return true, o.set(st, r)
	case OpAdd, OpUpdate:
		return true, o.amend(st, r)
	case OpRemove:
		return o.remove(st, r), nil
	case OpClear:
		changed, err = !st.Empty(), st.clear(r.Codec)
	case OpIdle:
		changed = st.Idle() != micro(o.more().Duration)
		st.rest().idle = micro(o.more().Duration)
	case OpLifetime:
		changed = st.Lifetime() != micro(o.more().Duration)
		st.rest().lifetime = micro(o.more().Duration)
	case OpPersistent:
		want := uint8(2)
		if o.On {
			want = 1
		}
		changed = st.Persistent != want
		st.Persistent = want
	case OpLogin:
		changed, err = true, st.signIn(o.At, o.more())
	case OpBegin:
		changed, st.Created = true, o.At
	case OpDeadline:
		changed = st.Deadline() != o.At
		st.setDeadline(o.At)
	case OpFactor:
		changed, err = st.confirm(string(o.Raw), o.At)
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

func (o Op) set(st *State, r Rules) error {
	made, err := st.change(r, o.Path, func([]byte, bool) ([]byte, error) { return o.Raw, nil })
	if err != nil {
		return err
	}
	if o.Kind == OpFlash {
		st.flashAnew(r.Codec, o.Path, made)
		return nil
	}
	st.split(r.Codec, o.Path)
	st.unflash(o.Path)
	return nil
}

// amend changes what is there. Flash data stay flash data, and if they are of an earlier request, or were consumed
// since by another one, they are new: nobody would see what was added to them. What another request has made ordinary
// stays so.
func (o Op) amend(st *State, r Rules) (err error) {
	flashed, old := st.flashed(o.Path)
	anew := old || o.On && !flashed && !st.holds(r.Codec, o.Path)
	var made uint64
	if o.Kind == OpAdd {
		made, err = o.add(st, r)
	} else {
		made, err = st.change(r, o.Path, o.Fn)
	}
	if err == nil && anew {
		st.flashAnew(r.Codec, o.Path, made)
	}
	return err
}

// seenIn is the operation with what a replay must know of the state to which it is done first.
func (o Op) seenIn(st *State) Op {
	if o.Kind == OpAdd || o.Kind == OpUpdate {
		flashed, _ := st.flashed(o.Path)
		o.On = o.On || flashed
	}
	return o
}

func (o Op) add(st *State, r Rules) (made uint64, err error) {
	return st.edit(r, o.Path, func(old any, ok bool) (any, bool, int, error) {
		list, isList := old.([]any)
		if ok && !isList && old != nil {
			return nil, false, 0, errNotList
		}
		more := 0
		for _, raw := range o.more().List {
			v, err := tree(r.Codec, raw)
			if err != nil {
				return nil, false, 0, err
			}
			list, more = append(list, v), more+len(raw)+1
		}
		return list, true, more, nil
	})
}

// remove removes what is there. What is not there, or not reachable, is no change.
func (o Op) remove(st *State, r Rules) bool { return st.drop(r, o.Path) == nil }
