package session

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/wire"
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

// carriage is what the manager knows of a carrier.
type carriage struct {
	carrier
	remembers bool
	room      int      // the longest token
	bindings  [][]byte // what a token is bound to besides its secret and purpose: the cookie's name, then former ones
}

const (
	carriedVersion = 1
	maxCarried     = 1 << 20 // of a record, unpacked: more is neither sealed nor opened
)

// findCarrier looks once for a store whose records travel with the client.
func (m *Manager) findCarrier() {
	store, ok := m.store.(carrier)
	if !ok {
		return
	}
	cookies, retired := store.Carries()
	cookies = min(max(cookies, 1), wire.MaxPieces)
	m.keeper.carried = &carriage{carrier: store, remembers: retired != nil, room: cookies * wire.MaxCookieSize}
	for _, name := range append([]string{m.transport.Name()}, m.formerNames...) {
		m.keeper.carried.bindings = append(m.keeper.carried.bindings, keys.BindToken(name))
	}
	m.sweeper, _ = retired.(Sweeper)
	if t, ok := m.transport.(cookieTransport); ok {
		t.pieces = wire.NewPieces(t.Cookie.Name, cookies)
		m.transport, m.keeper.carried.room = t, t.pieces.Room()
	}
}

// carry encodes and seals a record as the token that the client is given.
func (k *keeper) carry(rec *Record, t keys.Ticket, st *data.State, admitted int64) ([]byte, error) {
	plain := appendCarried(make([]byte, 0, 128+len(rec.User)+st.Size()*5/4), rec, t, st, admitted)
	if len(plain) > maxCarried {
		return nil, fmt.Errorf("%w: the session has %d bytes, a cookie carries at most %d",
			ErrTooLarge, len(plain), maxCarried)
	}
	packed := k.carried.Pack(plain)
	if size := keys.TokenSize(len(packed)); size > k.carried.room {
		return nil, fmt.Errorf("%w: the sealed session has %d bytes, its cookies hold %d: keep less in it, or raise "+
			"MaxChunks of the store", ErrTooLarge, size, k.carried.room)
	}
	return k.ring().SealToken(packed, k.carried.bindings[0]), nil
}

// appendCarried appends the plain form of a record's next version.
func appendCarried(plain []byte, rec *Record, t keys.Ticket, st *data.State, admitted int64) []byte {
	plain = append(append(plain, carriedVersion), t[:]...)
	plain = binary.AppendUvarint(plain, rec.Version+1)
	for _, n := range []int64{rec.SeenAt.UnixMicro(), microOf(rec.ExpiresAt), admitted} {
		plain = binary.AppendVarint(plain, n)
	}
	plain = append(binary.AppendUvarint(plain, uint64(len(rec.User))), rec.User...)
	return st.Append(plain)
}

// carried is the content of a token.
type carried struct {
	rec      *Record // with the plain envelope as its data
	ticket   keys.Ticket
	admitted int64
	signer   int // which secret sealed it
}

// uncarry opens a token. The error is ErrMalformed, ErrBadSignature, or wraps ErrCorrupt.
func (k *keeper) uncarry(token string) (c carried, err error) {
	if len(token) > k.carried.room {
		return c, ErrMalformed
	}
	packed, signer, err := k.ring().OpenToken(token, k.carried.bindings)
	if err != nil {
		return c, err
	}
	plain, err := k.carried.Unpack(packed, maxCarried)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	c.signer = signer
	return c, c.parse(plain)
}

func (c *carried) parse(plain []byte) error {
	if len(plain) <= len(c.ticket) || plain[0] != carriedVersion {
		return fmt.Errorf("%w: of another version", ErrCorrupt)
	}
	c.ticket = keys.Ticket(plain[1 : 1+len(c.ticket)])
	rest := plain[1+len(c.ticket):]
	var nums [4]int64 // version, seen, expires, admitted
	for i := range nums {
		n, size := binary.Varint(rest)
		if i == 0 {
			var u uint64
			u, size = binary.Uvarint(rest)
			n = int64(u)
		}
		if size <= 0 {
			return fmt.Errorf("%w: cut off", ErrCorrupt)
		}
		nums[i], rest = n, rest[size:]
	}
	length, size := binary.Uvarint(rest)
	if size <= 0 || length > uint64(len(rest)-size) {
		return fmt.Errorf("%w: cut off", ErrCorrupt)
	}
	user, data := rest[size:size+int(length)], rest[size+int(length):]
	c.admitted = nums[3]
	c.rec = &Record{
		ID: c.ticket.ID(), User: string(user), Version: uint64(nums[0]), Data: data,
		SeenAt: time.UnixMicro(nums[1]).UTC(), ExpiresAt: fromMicro(nums[2]),
	}
	return nil
}

func microOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// ticketOf is the ticket of a record that is about to be stored.
func (d *draft) ticketOf(rec *Record) keys.Ticket {
	if rec.ID == d.nextID {
		return d.nextTicket
	}
	return d.ticket
}
