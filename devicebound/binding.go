package devicebound

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/dbsc"
	"github.com/coatcheck/session/internal/envelope"
)

// bindingKey is where a session keeps its binding, which goes with the next Login, in base64: most requests decode the
// head of it alone.
const bindingKey = session.Key[string](envelope.Binding)

// State is how far the binding of a session has got.
type State uint8

// The states.
const (
	None    State = iota // not bound: no Login has offered it, or the browser does not support it
	Pending              // a Login has offered it, and the browser has not registered: it may still do so, or never
	Bound                // the session has a key
)

// String is the name of the state in lower case.
func (s State) String() string { return [...]string{"none", "pending", "bound"}[min(s, Bound)] }

// StateOf returns how far the binding of a session is, according to the session itself. If the browser does not
// register, it stays Pending until the next Login; only the Binder knows whether the time for that is over.
func StateOf(s *session.Session) State {
	b, err := glance(s, s.User(), s.LoginAt())
	if err != nil {
		return None
	}
	return b.state
}

const (
	secretSize = 16
	idSize     = 16
	mostSpent  = 4 // challenges that are remembered one by one
)

// binding is what a session keeps of its device. The zero value is that of a session that has none.
type binding struct {
	state  State
	login  int64            // the Login that it belongs to, in microseconds, as all times here
	secret [secretSize]byte // the key of its challenges, which nobody else knows

	until int64 // Pending: when the offer ends

	id    [idSize]byte // Bound: what the browser calls the session; stands for this key in this session
	floor int64        // challenges from then and before are good no more
	spent []spent      // later ones that were used
	key   []byte
}

// spent is a challenge that was used: its time, and the first half of its nonce.
type spent struct {
	at    int64
	nonce uint64
}

var errBinding = errors.New("devicebound: what the session keeps of its device is damaged")

// read returns the binding of a session, which counts only for the Login that it was made for.
func read(s *session.Session) (binding, error) {
	b, err := glance(s, s.User(), s.LoginAt())
	if err != nil || b.state == None {
		return binding{}, err
	}
	text, err := bindingKey.Lookup(s)
	if err != nil {
		return binding{}, err
	}
	return decode(text)
}

// glance is read for a session of that user and Login, and knows the head of the binding alone: all but the key, and
// what is known of its challenges.
func glance(s *session.Session, user string, login time.Time) (binding, error) {
	text, err := bindingKey.Lookup(s)
	switch {
	case errors.Is(err, session.ErrNoValue):
		return binding{}, nil
	case err != nil:
		return binding{}, err
	}
	var room [headRoom]byte
	n, err := base64.StdEncoding.Decode(room[:], []byte(text[:min(len(text), headChars)]))
	if err != nil {
		return binding{}, errBinding
	}
	r := reader{raw: room[:n]}
	b := r.head()
	switch {
	case r.bad:
		return binding{}, errBinding
	case user == "" || b.login != micro(login):
		return binding{}, nil
	}
	return b, nil
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// text is what decode reads.
func (b *binding) text() string { return base64.StdEncoding.EncodeToString(b.bytes()) }

func decode(text string) (binding, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return binding{}, errBinding
	}
	return parse(raw)
}

// bytes is what parse reads: the head, and the rest.
func (b *binding) bytes() []byte {
	raw := append(make([]byte, 0, 160), byte(b.state))
	raw = binary.BigEndian.AppendUint64(raw, uint64(b.login))
	raw = append(raw, b.secret[:]...)
	if b.state == Pending {
		return binary.BigEndian.AppendUint64(raw, uint64(b.until))
	}
	raw = append(raw, b.id[:]...)
	raw = binary.BigEndian.AppendUint64(raw, uint64(b.floor))
	raw = append(raw, byte(len(b.spent)))
	for _, c := range b.spent {
		raw = binary.BigEndian.AppendUint64(raw, uint64(c.at))
		raw = binary.BigEndian.AppendUint64(raw, c.nonce)
	}
	return append(raw, b.key...)
}

const (
	headSize  = 1 + 8 + secretSize + idSize // at most
	headChars = (headSize + 2) / 3 * 4
	headRoom  = headChars / 4 * 3
)

// head reads what every request must know.
func (r *reader) head() binding {
	var b binding
	b.state = State(r.take(1)[0])
	b.login = r.number()
	copy(b.secret[:], r.take(secretSize))
	switch b.state {
	case Pending:
		b.until = r.number()
	case Bound:
		copy(b.id[:], r.take(idSize))
	default:
		r.bad = true
	}
	return b
}

// parse reads what bytes wrote, and leaves the key to whoever needs it.
func parse(raw []byte) (binding, error) {
	r := reader{raw: raw}
	b := r.head()
	if b.state == Bound {
		b.floor = r.number()
		n := r.take(1)[0]
		r.bad = r.bad || n > mostSpent
		for range n {
			b.spent = append(b.spent, spent{r.number(), uint64(r.number())})
		}
		b.key = r.raw
	}
	if r.bad || (b.state == Bound) != (len(r.raw) > 0) {
		return binding{}, errBinding
	}
	return b, nil
}

// reader takes bytes from the front. What is missing is read as zeros.
type reader struct {
	raw []byte
	bad bool
}

var zeros [secretSize]byte

func (r *reader) take(n int) []byte {
	if r.bad = r.bad || len(r.raw) < n; r.bad {
		return zeros[:n]
	}
	part := r.raw[:n]
	r.raw = r.raw[n:]
	return part
}

func (r *reader) number() int64 { return int64(binary.BigEndian.Uint64(r.take(8))) }

const nameSize = (8*idSize + 5) / 6

// name is what the browser calls the session.
func (b *binding) name() string { return dbsc.Encode(b.id[:]) }

// at is the state at a time: an offer that was not taken up ends.
func (b *binding) at(now time.Time) State {
	if b.state == Pending && now.UnixMicro() >= b.until {
		return None
	}
	return b.state
}

// spend takes note that a challenge was used. The error is errSpent when it cannot be, and then nothing has changed.
func (b *binding) spend(c challenge) error {
	used := spent{c.at, binary.BigEndian.Uint64(c.nonce[:8])}
	if c.at <= b.floor || slices.Contains(b.spent, used) {
		return errSpent
	}
	b.spent = append(slices.Clone(b.spent), used)
	slices.SortFunc(b.spent, func(x, y spent) int { return cmp.Compare(x.at, y.at) })
	for len(b.spent) > mostSpent || c.at-b.spent[0].at > challengeLife.Microseconds() {
		b.floor, b.spent = b.spent[0].at, b.spent[1:]
	}
	return nil
}

// bind is the binding that an offer becomes with a key. Its id says which key in which session it is, and whoever
// brings the key cannot choose it.
func (b *binding) bind(k *dbsc.Key) binding {
	print := k.Thumbprint()
	mac := hmac.New(sha256.New, b.secret[:])
	mac.Write([]byte("coatcheck v1 name of a device"))
	mac.Write(print[:])
	bound := binding{state: Bound, login: b.login, secret: b.secret, key: k.Bytes()}
	copy(bound.id[:], mac.Sum(nil))
	return bound
}
