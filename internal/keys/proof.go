package keys

// Proof says that Seal made the data of a row in this process, as they still stand in its memory: it holds for those
// very bytes alone, and not for a copy of them.
type Proof struct {
	key  *key
	row  Row
	data *byte
	size int
	body int // where it begins
}

// Prove returns the proof of data that Seal has just made for the row, and that nobody changes any more. It is nil for
// what is encrypted, and has to be opened anyway.
func (ring Ring) Prove(data []byte, r Row) *Proof {
	const head = formSize + nonceSize + tagSize
	if !IsSigned(data) || len(data) < head {
		return nil
	}
	body, err := r.cutFrom(data[head:])
	if err != nil {
		return nil
	}
	return &Proof{key: ring[0], row: r, data: &data[0], size: len(data), body: len(data) - len(body)}
}

// Proven returns the body of data that are proven to be those of the row, under the newest key. Without a proof, or
// with that of other bytes, it reports false: Open tells more.
func (ring Ring) Proven(p *Proof, data []byte, r Row) (body []byte, ok bool) {
	if p == nil || p.key != ring[0] || p.row != r || len(data) != p.size || &data[0] != p.data {
		return nil, false
	}
	return data[p.body:], true
}
