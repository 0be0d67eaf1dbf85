package data

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/coatcheck/session/internal/envelope"
)

// factorsKey is the entry of the factors. Like the deadline it is no field of the header, and it goes with the next
// Login.
const factorsKey = envelope.LoginPrefix + "factors"

// MaxFactors is how many factors a session can have.
const MaxFactors = 16

var errFactors = errors.New("session: a session has at most 16 factors")

// Factor is a way in which a user has shown who they are, and when, in microseconds since 1970. Name is "" for a
// sign-in of which nobody said how it was done.
type Factor struct {
	Name string
	At   int64
}

// Factors are those of the last Login, and what was confirmed since.
func (st *State) Factors() []Factor {
	raw, _ := st.stored(factorsKey)
	return factorsIn(raw)
}

// calledName is what no factor is called. Under it the entry has when Login was called, where the time of the sign-in
// was given and is another one.
const calledName = "@"

// factorsIn reads an entry. One that does not read names none.
func factorsIn(raw []byte) (list []Factor) {
	for len(raw) > 0 {
		name, at, rest, ok := cutFactor(raw)
		if !ok {
			return nil
		}
		if raw = rest; string(name) != calledName {
			list = append(list, Factor{string(name), at})
		}
	}
	return list
}

// timesIn are when the first of the factors in an entry was shown, and when Login was called; 0: the entry does not
// say.
func timesIn(raw []byte) (oldest, called int64) {
	for len(raw) > 0 {
		name, at, rest, ok := cutFactor(raw)
		raw = rest
		switch {
		case !ok:
			return 0, 0
		case string(name) == calledName:
			called = at
		case oldest == 0 || at < oldest:
			oldest = at
		}
	}
	return oldest, called
}

// provenIn is the later one of the two. The overall clock of a session runs from there: whoever shows one factor of two
// again has not signed in anew.
func provenIn(raw []byte) int64 {
	oldest, called := timesIn(raw)
	return max(oldest, called)
}

// Called is when the last Login was called, where that is not the time of the sign-in; otherwise 0.
func (st *State) Called() int64 {
	raw, _ := st.stored(factorsKey)
	_, called := timesIn(raw)
	return called
}

func cutFactor(raw []byte) (name []byte, at int64, rest []byte, ok bool) {
	at, n := binary.Varint(raw)
	if n <= 0 {
		return nil, 0, nil, false
	}
	size, m := binary.Uvarint(raw[n:])
	if m <= 0 || size > uint64(len(raw)-n-m) {
		return nil, 0, nil, false
	}
	raw = raw[n+m:]
	return raw[:size], at, raw[size:], true
}

// setFactors replaces the factors, and when Login was called.
func (st *State) setFactors(list []Factor, called int64) {
	if called != 0 {
		list = append(slices.Clip(list), Factor{calledName, called})
	}
	var raw []byte
	for _, f := range list {
		raw = binary.AppendVarint(raw, f.At)
		raw = binary.AppendUvarint(raw, uint64(len(f.Name)))
		raw = append(raw, f.Name...)
	}
	st.setOwn(factorsKey, raw)
	if proven := provenIn(raw); proven != st.Proven() {
		st.rest().proven = proven
	}
}

// signIn notes a Login by some factors, which may have been called some time after the sign-in. What belonged to the
// one before is gone.
func (st *State) signIn(at int64, more More) error {
	var list []Factor
	for _, name := range more.List {
		if !slices.ContainsFunc(list, func(f Factor) bool { return f.Name == string(name) }) {
			list = append(list, Factor{string(name), at})
		}
	}
	if len(list) > MaxFactors {
		return errFactors
	}
	st.Login = at
	for _, key := range st.ofLogin() {
		st.setOwn(key, nil)
	}
	called := int64(0)
	if more.Duration > 0 {
		called = at + more.Duration.Microseconds()
	}
	st.setFactors(list, called)
	return nil
}

// ofLogin are the keys that go with the next Login.
func (st *State) ofLogin() (keys []string) {
	note := func(key string) {
		if envelope.OfLogin(key) {
			keys = append(keys, key)
		}
	}
	for key := range st.kept() {
		note(string(key))
	}
	for key := range st.changed() {
		note(key)
	}
	return keys
}

// confirm notes that the user has shown a factor. Where nobody is signed in it changes nothing: then it was shown for a
// session that is gone.
func (st *State) confirm(name string, at int64) (changed bool, err error) {
	if st.Login == 0 {
		return false, nil
	}
	list := st.Factors()
	if len(list) == 0 {
		list = []Factor{{At: st.Login}}
	}
	i := slices.IndexFunc(list, func(f Factor) bool { return f.Name == name })
	switch {
	case i >= 0:
		list[i].At = at
	case list[0].Name != "" && len(list) >= MaxFactors || len(list) > MaxFactors:
		return false, errFactors
	default:
		list = append(list, Factor{name, at})
	}
	st.setFactors(list, st.Called())
	return true, nil
}
