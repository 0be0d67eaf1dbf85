package carried

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
)

const (
	formatVersion = 1
	maxRecord     = 1 << 20 // bytes, unpacked: more is neither sealed nor opened

	// headRoom is what appendRecord appends at most, besides the user and the state: the version of the form, the
	// ticket, four numbers, and the length of the user.
	headRoom = 1 + 32 + 5*binary.MaxVarintLen64
)

// Seal makes the token that the client is given.
func (r *Records) Seal(next life.Place, st *data.State) (life.Place, error) {
	rec := next.Rec
	plain := appendRecord(make([]byte, 0, headRoom+len(rec.User)+st.Room()), next, st)
	if len(plain) > maxRecord {
		return next, fmt.Errorf("%w: the session has %d bytes, a cookie carries at most %d",
			life.ErrTooLarge, len(plain), maxRecord)
	}
	packed := r.pack.Pack(plain)
	if size := keys.TokenSize(len(packed)); size > r.room {
		return next, fmt.Errorf("%w: the sealed session has %d bytes, its cookies hold %d: keep less in it, or raise "+
			"MaxChunks of the store", life.ErrTooLarge, size, r.room)
	}
	next.SetSealed(r.k.Ring().SealToken(packed, r.bindings[0]))
	return next, nil
}

// appendRecord appends the plain form of the next version of a record: a version of the form, the ticket, the numbers,
// the user, and the state.
func appendRecord(plain []byte, next life.Place, st *data.State) []byte {
	rec := next.Rec
	plain = append(append(plain, formatVersion), next.Ticket[:]...)
	plain = binary.AppendUvarint(plain, rec.Version+1)
	for _, n := range []int64{rec.SeenAt.UnixMicro(), envelope.Micro(rec.ExpiresAt), next.Admitted()} {
		plain = binary.AppendVarint(plain, n)
	}
	plain = append(binary.AppendUvarint(plain, uint64(len(rec.User))), rec.User...)
	return st.Append(plain)
}

// Parse opens a token. The record has the plain envelope as its data. The error is ErrMalformed, ErrBadSignature, or
// wraps ErrCorrupt.
func (r *Records) Parse(token string) (life.Place, error) {
	if len(token) > r.most {
		return life.Place{}, life.ErrMalformed
	}
	packed, signer, err := r.k.Ring().OpenToken(token, r.bindings)
	if err != nil {
		return life.Place{}, err
	}
	plain, err := r.pack.Unpack(packed, maxRecord)
	if err != nil {
		return life.Place{}, fmt.Errorf("%w: %w", life.ErrCorrupt, err)
	}
	at, err := parseRecord(plain, token)
	at.Stale = signer > 0
	return at, err
}

// parseRecord undoes appendRecord for the plain form in a token, but for the state, which it leaves encoded.
func parseRecord(plain []byte, token string) (at life.Place, err error) {
	if len(plain) <= len(at.Ticket) || plain[0] != formatVersion {
		return at, fmt.Errorf("%w: of another version", life.ErrCorrupt)
	}
	ticket, rest := keys.Ticket(plain[1:1+len(at.Ticket)]), plain[1+len(at.Ticket):]
	var nums [4]int64 // version, seen, expires, admitted
	for i := range nums {
		n, size := binary.Varint(rest)
		if i == 0 {
			var u uint64
			u, size = binary.Uvarint(rest)
			n = int64(u)
		}
		if size <= 0 {
			return at, fmt.Errorf("%w: cut off", life.ErrCorrupt)
		}
		nums[i], rest = n, rest[size:]
	}
	length, size := binary.Uvarint(rest)
	if size <= 0 || length > uint64(len(rest)-size) {
		return at, fmt.Errorf("%w: cut off", life.ErrCorrupt)
	}
	user, data := rest[size:size+int(length)], rest[size+int(length):]
	at = life.InToken(life.Record{
		ID: ticket.ID(), User: string(user), Version: uint64(nums[0]), Data: data,
		SeenAt: time.UnixMicro(nums[1]).UTC(), ExpiresAt: envelope.Time(nums[2]),
	}, token, nums[3])
	at.Ticket = ticket
	return at, nil
}
