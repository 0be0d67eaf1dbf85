package data

import (
	"encoding/binary"

	"github.com/coatcheck/session/internal/envelope"
)

// deadlineKey is the entry of the deadline. It is no field of the header, for nodes that run an older version carry
// entries on that they do not know, and would not read another header.
const deadlineKey = envelope.OwnPrefix + "deadline"

// deadlineIn reads the entry. One that does not read is none.
func deadlineIn(raw []byte) int64 {
	at, size := binary.Varint(raw)
	if size != len(raw) {
		return 0
	}
	return at
}

func (st *State) setDeadline(at int64) {
	var raw []byte
	if at != 0 {
		raw = binary.AppendVarint(nil, at)
	}
	st.setOwn(deadlineKey, raw)
	st.rest().deadline = at
}

// setOwn sets an entry of the library's own; nil removes it.
func (st *State) setOwn(key string, raw []byte) {
	before, after := 0, 0
	if old, ok := st.stored(key); ok {
		before = len(key) + len(old)
	}
	if raw != nil {
		after = len(key) + len(raw)
	}
	st.used, st.sure = st.used-before+after, false
	if before+after > 0 {
		st.put(key, raw)
	}
}
