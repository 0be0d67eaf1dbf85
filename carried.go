package session

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
)

// carrier is a store that keeps no session: the whole record travels with the client, sealed, and is the ticket. Load
// knows what became of retired ids, if the store remembers them, and nothing of others. Save of a live record refuses a
// retired id with ErrConflict; of an alias or tombstone it retires the id.
type carrier interface {
	// Carries says how many cookies one session may fill, and where retired ids are remembered; nil: nowhere.
	Carries() (cookies int, retired Store)
	// Pack may make a record shorter before it is sealed. Unpack undoes it, or fails when the result were above the
	// limit.
	Pack(plain []byte) []byte
	Unpack(packed []byte, limit int) ([]byte, error)
}

// carried are records that are with their clients, each in its token.
type carried struct {
	*keeper
	carrier
	remembers bool
	room      int      // the longest token
	bindings  [][]byte // what a token is bound to besides its secret and purpose: the cookie's name, then former ones
}

var _ records = carried{}

const (
	carriedVersion = 1
	maxCarried     = 1 << 20 // of a record, unpacked: more is neither sealed nor opened
)

// newCarried returns the records of a carrier. room is the longest token.
func newCarried(k *keeper, c carrier, remembers bool, room int) carried {
	r := carried{keeper: k, carrier: c, remembers: remembers, room: room}
	for _, name := range k.names {
		r.bindings = append(r.bindings, keys.BindToken(name))
	}
	return r
}

func (c carried) traits() traits { return traits{final: c.remembers} }

// open opens no record of the store: none holds a session.
func (c carried) open(*Record) (h envelope.Header, entries envelope.Entries, stale bool, err error) {
	return h, nil, false, fmt.Errorf("%w: %s keeps no records", ErrNotSupported, c.storeType)
}

// seal makes the token that the client is given.
func (c carried) seal(next place, st *data.State) (place, error) {
	rec := next.rec
	plain := appendCarried(make([]byte, 0, 128+len(rec.User)+st.Size()*5/4), next, st)
	if len(plain) > maxCarried {
		return next, fmt.Errorf("%w: the session has %d bytes, a cookie carries at most %d",
			ErrTooLarge, len(plain), maxCarried)
	}
	packed := c.Pack(plain)
	if size := keys.TokenSize(len(packed)); size > c.room {
		return next, fmt.Errorf("%w: the sealed session has %d bytes, its cookies hold %d: keep less in it, or raise "+
			"MaxChunks of the store", ErrTooLarge, size, c.room)
	}
	next.token = string(c.ring().SealToken(packed, c.bindings[0]))
	return next, nil
}

// appendCarried appends the plain form of the next version of a record.
func appendCarried(plain []byte, next place, st *data.State) []byte {
	rec := next.rec
	plain = append(append(plain, carriedVersion), next.ticket[:]...)
	plain = binary.AppendUvarint(plain, rec.Version+1)
	for _, n := range []int64{rec.SeenAt.UnixMicro(), microOf(rec.ExpiresAt), next.admitted} {
		plain = binary.AppendVarint(plain, n)
	}
	plain = append(binary.AppendUvarint(plain, uint64(len(rec.User))), rec.User...)
	return st.Append(plain)
}

// parse opens a token. The record has the plain envelope as its data. The error is ErrMalformed, ErrBadSignature, or
// wraps ErrCorrupt.
func (c carried) parse(token string) (place, error) {
	if len(token) > c.room {
		return place{}, ErrMalformed
	}
	packed, signer, err := c.ring().OpenToken(token, c.bindings)
	if err != nil {
		return place{}, err
	}
	plain, err := c.Unpack(packed, maxCarried)
	if err != nil {
		return place{}, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	at, err := parseCarried(plain)
	at.token, at.stale = token, signer > 0
	return at, err
}

func parseCarried(plain []byte) (at place, err error) {
	if len(plain) <= len(at.ticket) || plain[0] != carriedVersion {
		return at, fmt.Errorf("%w: of another version", ErrCorrupt)
	}
	at.ticket = keys.Ticket(plain[1 : 1+len(at.ticket)])
	rest := plain[1+len(at.ticket):]
	var nums [4]int64 // version, seen, expires, admitted
	for i := range nums {
		n, size := binary.Varint(rest)
		if i == 0 {
			var u uint64
			u, size = binary.Uvarint(rest)
			n = int64(u)
		}
		if size <= 0 {
			return at, fmt.Errorf("%w: cut off", ErrCorrupt)
		}
		nums[i], rest = n, rest[size:]
	}
	length, size := binary.Uvarint(rest)
	if size <= 0 || length > uint64(len(rest)-size) {
		return at, fmt.Errorf("%w: cut off", ErrCorrupt)
	}
	user, data := rest[size:size+int(length)], rest[size+int(length):]
	at.admitted = nums[3]
	at.rec = &Record{
		ID: at.ticket.ID(), User: string(user), Version: uint64(nums[0]), Data: data,
		SeenAt: time.UnixMicro(nums[1]).UTC(), ExpiresAt: fromMicro(nums[2]),
	}
	return at, nil
}

func microOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
