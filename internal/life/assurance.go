package life

import (
	"errors"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// SignedInAt says when the SignIn that was done was, if not now. The clocks still run from now.
func (d *Draft) SignedInAt(at time.Time) {
	now := d.k.Now()
	if d.WasNobodys() {
		d.Do(data.Op{Kind: data.OpBegin, At: now.UnixMicro()})
	}
	d.correctLogin(at, now, nil)
}

// SignedInBy says by which factors, besides others that were named, the SignIn that was done was.
func (d *Draft) SignedInBy(factors []string) {
	for _, name := range factors {
		if !isFactor(name) {
			d.Refuse(errFactor)
			return
		}
	}
	d.correctLogin(d.LoginAt(), envelope.Time(d.Doc.State.Called()), factors)
}

func (d *Draft) correctLogin(at, called time.Time, more []string) {
	var names [][]byte
	for _, f := range d.Doc.State.Factors() {
		names = append(names, []byte(f.Name))
	}
	for _, name := range more {
		names = append(names, []byte(name))
	}
	with := &data.More{List: names, Duration: max(called.Sub(at), 0)}
	d.Do(data.Op{Kind: data.OpLogin, At: at.UnixMicro(), More: with})
}

// Confirm notes that the user has just shown a factor, and gives the session a new id.
func (d *Draft) Confirm(factor string) {
	switch {
	case !isFactor(factor):
		d.Refuse(errFactor)
	case d.gone:
		d.Refuse(ErrEnded)
	case d.User() == "":
		d.Refuse(errNobody)
	default:
		d.Regenerate()
		d.signing |= confirms
		d.Do(data.Op{Kind: data.OpFactor, Raw: []byte(factor), At: d.k.Now().UnixMicro()})
	}
}

// Factors are those by which the user of the session has shown who they are, and when.
func (d *Draft) Factors() map[string]time.Time {
	all := map[string]time.Time{}
	for _, f := range d.Doc.State.Factors() {
		if f.Name != "" {
			all[f.Name] = envelope.Time(f.At)
		}
	}
	return all
}

// isFactor reports whether a factor may have the name. It may have those of RFC 8176.
func isFactor(name string) bool {
	strange := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("_-.:", c)
	}
	return name != "" && len(name) <= 32 && !strings.ContainsFunc(name, strange)
}

var (
	errFactor = errors.New("session: the name of a factor has 1 to 32 lower-case letters, digits, and signs of - _ . :")
	errNobody = errors.New("session: Confirm: nobody is signed in; call Login with session.Factor")
)

// Level is what an authentication assurance level of NIST SP 800-63B-4 wants of the clocks, in sections 2.1.3, 2.2.3
// and 2.3.3.
type Level struct {
	Name           string
	Lifetime, Idle time.Duration // at most; 0: nothing is wanted
}

// The levels.
var (
	AAL1 = Level{"AAL1", 30 * 24 * time.Hour, 0}
	AAL2 = Level{"AAL2", 24 * time.Hour, time.Hour}
	AAL3 = Level{"AAL3", 12 * time.Hour, 15 * time.Minute}
)

// LevelOf is the name of the highest level that clocks keep, "" for none.
func LevelOf(lifetime, idle time.Duration) (name string) {
	within := func(d, most time.Duration) bool { return most == 0 || d > 0 && d <= most }
	for _, level := range []Level{AAL1, AAL2, AAL3} {
		if within(lifetime, level.Lifetime) && within(idle, level.Idle) {
			name = level.Name
		}
	}
	return name
}
