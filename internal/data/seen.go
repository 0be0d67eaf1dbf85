package data

import "bytes"

// Seen is an encoded value as it was read, for a Swap.
type Seen struct {
	Raw []byte
	OK  bool

	whole *opened // the decoded value of the key, nil when it was not decoded
	edits int     // of the whole by then
}

// See returns the encoded value at a path. The error says that the value of the key does not decode.
func (st *State) See(c Codec, p Path) (seen Seen, err error) {
	seen.Raw, seen.OK, err = st.At(c, p)
	if seen.whole = st.tree(p.key); seen.whole != nil {
		seen.edits = seen.whole.edits
	}
	return seen, err
}

// unchanged reports whether the value that was seen at a path is there. A decoded one that nobody has touched is. It is
// encoded whenever its bytes are asked for, and a codec may write the fields of a map in another order each time, so
// that other bytes alone tell nothing.
func (st *State) unchanged(c Codec, p Path, seen Seen) bool {
	whole := st.tree(p.key)
	if whole != nil && whole == seen.whole && whole.edits == seen.edits {
		return true
	}
	raw, ok, err := st.At(c, p)
	return err == nil && ok == seen.OK && bytes.Equal(raw, seen.Raw)
}
