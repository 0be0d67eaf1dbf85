package keys

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"hash"
	"strings"
	"sync"

	"github.com/coatcheck/session/internal/sealed"
)

const (
	ticketPrefix = "v1."
	randomSize   = 32
	randomChars  = 43 // of 32 bytes in base64

	// TicketSize is the length of a ticket's text.
	TicketSize = len(ticketPrefix) + randomChars + 1 + randomChars
)

// strictBase64 has one spelling for every value: no padding, no line breaks, no stray bits at the end.
var strictBase64 = base64.RawURLEncoding.Strict()

// errAlias is all that is told of a record that does not lead to its successor.
var errAlias = errors.New("alias")

// Ticket is the secret half of a session's identity. Its text is "v1.<random>.<MAC>"; only its hash goes to the store.
type Ticket [randomSize]byte

// NewTicket returns 32 random bytes.
func NewTicket() Ticket {
	var t Ticket
	_, _ = rand.Read(t[:]) // never fails: crypto/rand ends the program first
	return t
}

// TicketsOf returns the tickets that follow from a text of another library, and for each purpose other ones: one for
// each key, the newest first. Make the first, which all nodes know that take what this one signs. Look for all of them.
func (ring Ring) TicketsOf(purpose, text string) []Ticket {
	tickets := make([]Ticket, len(ring))
	for i, k := range ring {
		tickets[i] = k.foreign.sum(purpose, []byte(text))
	}
	return tickets
}

// MarksOf returns the ids under which something is remembered of a text of another library, one for each key. Any two
// nodes have a key in common, so whoever stores something under all of them, and looks for all, misses nothing.
func (ring Ring) MarksOf(purpose, text string) []string {
	ids := make([]string, len(ring))
	for i, t := range ring.TicketsOf(purpose, text) {
		ids[i] = t.ID()
	}
	return ids
}

// ID is the public handle, and the key in the store.
func (t Ticket) ID() string {
	sum := sha256.Sum256(t[:])
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

// Text signs the ticket with the newest key, for the cookie or header of that name.
func (t Ticket) Text(ring Ring, name string) string {
	var buf [TicketSize]byte
	b := append(buf[:0], ticketPrefix...)
	b = strictBase64.AppendEncode(b, t[:])
	mac := ring[0].ticket.sum(name, t[:])
	b = append(b, '.')
	return string(strictBase64.AppendEncode(b, mac[:]))
}

// ParseTicket checks shape and signature and says which key signed, 0 for the newest. The error is ErrMalformed or
// ErrBadSignature.
func ParseTicket(text string, ring Ring, name string) (t Ticket, signer int, err error) {
	rest, ok := strings.CutPrefix(text, ticketPrefix)
	if !ok || len(text) != TicketSize || rest[randomChars] != '.' {
		return Ticket{}, 0, ErrMalformed
	}
	var mac [sha256.Size]byte
	if !decodeExactly(t[:], rest[:randomChars]) || !decodeExactly(mac[:], rest[randomChars+1:]) {
		return Ticket{}, 0, ErrMalformed
	}
	for i, k := range ring {
		if want := k.ticket.sum(name, t[:]); hmac.Equal(mac[:], want[:]) {
			return t, ring.signer(i), nil
		}
	}
	return Ticket{}, 0, ErrBadSignature
}

// SealTicket seals the ticket of the successor under the old ticket, so that only somebody who has the old one can read
// it.
func SealTicket(old, next Ticket, oldID, nextID string) []byte {
	return old.successor().Seal(nil, next[:], []byte(oldID+nextID))
}

// OpenTicket returns the ticket that SealTicket sealed, if it is that of the successor.
func OpenTicket(old Ticket, data []byte, oldID, nextID string) (Ticket, error) {
	raw, err := old.successor().Open(nil, data, []byte(oldID+nextID))
	if err != nil || len(raw) != randomSize || Ticket(raw).ID() != nextID {
		return Ticket{}, errAlias
	}
	return Ticket(raw), nil
}

// successor is the key under which the ticket of the session's next id is sealed.
func (t Ticket) successor() *sealed.Key {
	return sealed.NewKey(derive(t[:], "successor", sealed.KeySize))
}

// decodeExactly decodes a text into dst, which has the length that texts of that length stand for. The decoder skips
// line breaks, but what is left then stands for fewer bytes. Only one behind whole groups of four characters would make
// no difference, and no text has that length.
func decodeExactly(dst []byte, text string) bool {
	n, err := strictBase64.Decode(dst, []byte(text))
	return err == nil && n == len(dst) && len(text)%4 != 1
}

// macs computes HMAC-SHA256 with one key. The states are kept for the next use, for setting one up costs more than the
// sum.
type macs struct{ pool sync.Pool }

type macState struct {
	hash hash.Hash
	buf  []byte
	sum  [sha256.Size]byte
}

func newMACs(key []byte) *macs {
	return &macs{pool: sync.Pool{New: func() any { return &macState{hash: hmac.New(sha256.New, key)} }}}
}

// sum authenticates a name and a message so that neither can be taken for part of the other.
func (m *macs) sum(name string, message []byte) [sha256.Size]byte {
	s := m.pool.Get().(*macState)
	defer m.pool.Put(s)
	s.buf = append(appendText(s.buf[:0], name), message...)
	s.hash.Reset()
	s.hash.Write(s.buf)
	s.hash.Sum(s.sum[:0])
	clear(s.buf)
	return s.sum
}
