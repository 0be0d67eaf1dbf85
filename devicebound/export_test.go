package devicebound

import "time"

// Reads reports whether what a session keeps of its device can be read, and what it is as it would be written again.
func Reads(raw []byte) ([]byte, bool) {
	b, err := parse(raw)
	if err != nil {
		return nil, false
	}
	return b.bytes(), true
}

// Device is a binding with a clock that the test moves.
type Device struct {
	b   binding
	Now time.Time
}

// NewDevice is a bound session.
func NewDevice(now time.Time) *Device {
	return &Device{binding{state: Bound, secret: [secretSize]byte{1}, key: []byte{1}}, now}
}

// Bytes is what the session keeps.
func (d *Device) Bytes() []byte { return d.b.bytes() }

// Issue makes a challenge for a refresh, or for a registration.
func (d *Device) Issue(refresh bool) string { return d.b.issue(purposeOf(refresh), d.Now) }

// Spend uses a challenge.
func (d *Device) Spend(refresh bool, text string) error {
	c, err := d.b.check(purposeOf(refresh), text, d.Now)
	if err != nil {
		return err
	}
	return d.b.spend(c)
}

func purposeOf(refresh bool) purpose {
	if refresh {
		return forRefresh
	}
	return forRegistration
}

// The errors of a challenge.
var (
	ErrSpent   error = errSpent
	ErrStale   error = errStale
	ErrForeign error = errForeign
)
