package carried

import (
	"fmt"

	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
)

// Records are records that are with their clients. They are safe for concurrent use.
type Records struct {
	k         *life.Keeper
	pack      Packer
	remembers bool
	room      int      // for a token to be made
	most      int      // for one to be opened
	bindings  [][]byte // what a token is bound to besides its secret and purpose: the cookie's name, then former ones
}

var _ life.Records = (*Records)(nil)

// Packer makes a record shorter before it is sealed, if it can. Unpack undoes that, or fails when the result were above
// the limit.
type Packer interface {
	Pack(plain []byte) []byte
	Unpack(packed []byte, limit int) ([]byte, error)
}

// New returns the records of a keeper that are with their clients. Its store knows what became of retired ids, if it
// remembers them, and nothing of others; it refuses to save a live record whose id was retired, with ErrConflict, and
// keeps none. room is the longest token that it makes. Under a former name there may have been room for a longer one,
// so it opens those that have up to most bytes.
func New(k *life.Keeper, pack Packer, remembers bool, room, most int) *Records {
	r := &Records{k: k, pack: pack, remembers: remembers, room: room, most: most}
	for _, name := range k.Names {
		r.bindings = append(r.bindings, keys.BindToken(name))
	}
	return r
}

// Traits says that the server keeps no records.
func (r *Records) Traits() life.Traits { return life.Traits{Final: r.remembers} }

// Open opens no record of the store: none holds a session.
func (r *Records) Open(*life.Record) (h envelope.Header, entries envelope.Entries, stale bool, err error) {
	return h, nil, false, fmt.Errorf("%w: %s keeps no records", life.ErrNotSupported, r.k.StoreType)
}
