package data

import (
	"encoding/binary"

	"github.com/coatcheck/session/internal/envelope"
)

// deadlineKey is the entry of the deadline. It is no field of the header, for nodes that run an older version carry
// entries on that they do not know, and would not read another header.
const deadlineKey = envelope.OwnPrefix + "deadline"

func deadlineIn(entries envelope.Entries) int64 {
	raw, ok := entries.Find(deadlineKey)
	at, size := binary.Varint(raw)
	if !ok || size != len(raw) {
		return 0
	}
	return at
}

func (st *State) setDeadline(at int64) {
	before := 0
	if raw, ok := st.stored(deadlineKey); ok {
		before = len(deadlineKey) + len(raw)
	}
	var raw []byte
	after := 0
	if at != 0 {
		raw = binary.AppendVarint(nil, at)
		after = len(deadlineKey) + len(raw)
	}
	st.rest().deadline, st.used, st.sure = at, st.used-before+after, false
	st.put(deadlineKey, raw)
}
