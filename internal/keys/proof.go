package keys

import (
	"math"
	"sync/atomic"
)

// Proof says that Seal made data in this process, as they still stand in its memory: it holds for those very bytes
// alone, and not for a copy of them. Which row they are of stands in the data themselves.
type Proof struct {
	key  *key
	data *byte
	size uint32

	// Noted is what whoever read the body has found out about it, for those who read the same bytes after; 0 before.
	Noted atomic.Uint32
}

// signedHead is what stands before the row in data that are signed.
const signedHead = formSize + nonceSize + tagSize

// Prove returns the proof of data that Seal has just made, and that nobody changes any more. It is nil for what is
// encrypted, and has to be opened anyway.
func (ring Ring) Prove(data []byte) *Proof {
	if !IsSigned(data) || len(data) < signedHead || int64(len(data)) > math.MaxUint32 {
		return nil
	}
	return &Proof{key: ring[0], data: &data[0], size: uint32(len(data))}
}

// Proven returns the body of data that are proven to be those of the row, under the newest key. Without a proof, or
// with that of other bytes, or for another row, it reports false: Open tells more.
func (ring Ring) Proven(p *Proof, data []byte, r Row) (body []byte, ok bool) {
	if p == nil || p.key != ring[0] || int64(len(data)) != int64(p.size) || &data[0] != p.data {
		return nil, false
	}
	body, err := r.cutFrom(data[signedHead:])
	return body, err == nil
}
