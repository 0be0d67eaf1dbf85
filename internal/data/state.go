package data

import (
	"iter"
	"math"
	"strings"

	"github.com/coatcheck/session/internal/envelope"
)

// State is the data of a session: the entries of its record, which stay encoded, and over them what was changed since.
// Each request has one, and most only read it: what few of them need is behind a pointer.
type State struct {
	// As in the header of the envelope.
	Created, Login, Issued int64

	entries envelope.Entries
	over    *changes // nil: none
	seldom  *seldom  // nil: its zero value
	used    int      // about how large it is when a commit is over

	Persistent uint8  // as in the header
	finds      uint8  // how often one of the entries was looked for
	hit        uint16 // where the last one was found, as far as that fits
	shared     bool   // a clone has the same changes and flash data: copy them before a change
	cleared    bool   // entries do not count any more
	sure       bool   // used was counted, and nothing changed since
	unsure     bool   // used says nothing
}

// NewState is the state of a parsed envelope. Flash data with a number up to flashUpTo is of earlier requests.
func NewState(h envelope.Header, entries envelope.Entries, flashUpTo uint64) State {
	st := State{
		Created: h.Created, Login: h.Login, Issued: h.Issued,
		Persistent: uint8(min(h.Persistent, math.MaxUint8)),
		entries:    entries, used: len(entries),
	}
	if h.Idle != 0 || h.Lifetime != 0 || h.FlashSeq != 0 {
		st.seldom = &seldom{idle: h.Idle, lifetime: h.Lifetime, flashSeq: h.FlashSeq}
	}
	for _, m := range h.Flashes {
		if p, err := ParseConstant(m.Path); err == nil {
			st.flash(p, flash{seq: m.Seq, old: m.Seq <= flashUpTo}, m.Made)
			st.seldom.flashBytes += len(m.Path)
			st.used += len(m.Path)
		}
	}
	if h.HasOwn {
		st.noteOwn()
	}
	return st
}

// noteOwn takes note of what the clocks need of the library's own entries.
func (st *State) noteOwn() {
	deadline, factors := st.entries.FindTwo(deadlineKey, factorsKey)
	if at := deadlineIn(deadline); at != 0 {
		st.rest().deadline = at
	}
	if at := provenIn(factors); at != 0 {
		st.rest().proven = at
	}
}

// header is the header of the envelope.
func (st *State) header() envelope.Header {
	return envelope.Header{
		Created: st.Created, Login: st.Login, Issued: st.Issued, Idle: st.Idle(), Lifetime: st.Lifetime(),
		Persistent: uint64(st.Persistent), FlashSeq: st.flashSeq(), Flashes: st.listed(),
	}
}

// clone shares everything until one of the two is changed. On an error something in it is not encoded, and it is not to
// be stored.
func (st *State) clone(c Codec) (State, error) {
	err := st.share(c)
	w := *st
	w.part()
	return w, err
}

func (st *State) share(c Codec) error {
	err := st.flush(c)
	st.shared = true
	return err
}

// part gives a copy by assignment what no two may have in common.
func (st *State) part() {
	if st.seldom != nil {
		own := *st.seldom
		own.trees, st.seldom = nil, &own
	}
}

// own makes copies of what a clone shares.
func (st *State) own() {
	if !st.shared {
		return
	}
	st.over, st.shared = st.over.clone(), false
	if st.seldom != nil {
		st.seldom.flashAt = st.seldom.flashAt.clone()
	}
}

func (st *State) put(key string, raw []byte) {
	st.own()
	if st.seldom != nil {
		delete(st.seldom.trees, key)
	}
	st.set(key, raw)
}

// set notes a change, in what no clone shares.
func (st *State) set(key string, raw []byte) {
	if known := st.over.find(key); known != nil {
		known.raw = raw
		return
	}
	one := change{key: key, raw: raw}
	if at := st.index(key); at >= 0 && !st.cleared {
		_, _, to := st.entries.At(at)
		one.hides = span{at, to}
	}
	st.over = st.over.add(one)
}

// kept goes through the entries that still count.
func (st *State) kept() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, raw []byte) bool) {
		if st.cleared {
			return
		}
		for k, v := range st.entries.All() {
			if st.over.find(string(k)) == nil && !yield(k, v) {
				return
			}
		}
	}
}

// changed goes through the keys that were set, in the order of their first change.
func (st *State) changed() iter.Seq2[string, []byte] {
	return func(yield func(key string, raw []byte) bool) {
		for c := range st.over.all() {
			if c.raw != nil && !yield(c.key, c.raw) {
				return
			}
		}
	}
}

// Each calls fn with every key of the application that has a value. What was changed must be encoded already.
func (st *State) Each(fn func(key string, raw []byte)) {
	st.each(func(key string, raw []byte) {
		if !isOwn(key) {
			fn(key, raw)
		}
	})
}

// each calls fn with every key that has a value. What was changed is encoded already.
func (st *State) each(fn func(key string, raw []byte)) {
	for k, v := range st.kept() {
		fn(string(k), v)
	}
	for k, v := range st.changed() {
		fn(k, v)
	}
}

// isOwn reports whether a key is the library's bookkeeping, which All does not show and Clear does not remove.
func isOwn(key string) bool { return strings.HasPrefix(key, envelope.OwnPrefix) }

// clear removes all data but the library's own, of which flash data are the application's.
func (st *State) clear(c Codec) error {
	if err := st.flush(c); err != nil {
		return err
	}
	var kept *changes
	st.each(func(key string, raw []byte) {
		if isOwn(key) && st.flashes().at(Path{key: key}).empty() {
			kept = kept.add(change{key: key, raw: raw})
		}
	})
	st.over, st.shared, st.cleared, st.unsure = kept, false, true, false
	if st.seldom != nil {
		st.seldom.flashAt, st.seldom.trees = nil, nil
	}
	st.used = st.Size()
	return nil
}

// Empty reports whether nothing is kept, neither of the application nor of the library. A deadline of nothing is
// nothing.
func (st *State) Empty() bool {
	for k := range st.kept() {
		if string(k) != deadlineKey {
			return false
		}
	}
	for k := range st.changed() {
		if k != deadlineKey {
			return false
		}
	}
	return true
}

// Finish makes the state ready to be stored: it removes the flash data of earlier requests, which it returns, encodes
// what was changed, and checks the size.
func (st *State) Finish(r Rules) ([]Shadow, error) {
	aged := st.age(r.Codec)
	if err := st.flush(r.Codec); err != nil {
		return nil, err
	}
	return aged, st.check(r.MaxBytes)
}

// Append appends the envelope of the state, in which everything is encoded already.
func (st *State) Append(dst []byte) []byte {
	h := st.header()
	dst = st.appendKept(h.Append(dst))
	for k, v := range st.changed() {
		dst = envelope.AppendEntry(dst, k, v)
	}
	return dst
}

// appendKept appends the entries that still count, as they are.
func (st *State) appendKept(dst []byte) []byte {
	if st.cleared {
		return dst
	}
	var room [4]span // on the stack, which is enough for most
	from := 0
	for _, hidden := range st.over.appendHidden(room[:0]) {
		dst = append(dst, st.entries[from:hidden.from]...)
		from = hidden.to
	}
	return append(dst, st.entries[from:]...)
}
