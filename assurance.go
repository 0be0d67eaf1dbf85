package session

import (
	"errors"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/life"
)

// Factor says by which factors the user signs in: "pwd", "otp", "hwk" and so on, as RFC 8176 names them, or names of
// your own. They are kept with the session until the next Login, which names its own: see Session.FactorAt and
// guard.Fresh. With the option LoginAt, they count as shown at the time that it gives.
//
// A name has 1 to 32 lower-case letters, digits, and the signs - _ . and :. Any other, or more than 16 of them, makes
// the Login fail: see Session.Err.
func Factor(names ...string) LoginOption {
	names = slices.Clone(names)
	return func(s *Session) {
		if s.part != inLogin {
			s.refused(errors.New("session: Factor: it is an option of Login; use Confirm for a user who is signed in"))
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.draft.SignedInBy(names)
	}
}

// Confirm notes that the user has just shown another factor, or one of them again: a code, a key, the password before a
// payment. The session gets a new id, as with Regenerate; the user, LoginAt and the data stay. It is refused if nobody
// is signed in, and for what Factor refuses: see Err.
//
// The idle timeout begins anew. The lifetime runs from when the oldest of all factors was shown: it begins anew when
// each has been shown again, as NIST SP 800-63B-4 wants of a reauthentication. A Login without Factor counts as a
// factor that only a Login shows again.
func (s *Session) Confirm(factor string) { s.identify(func() { s.draft.Confirm(factor) }) }

// FactorAt is when the user last showed a factor, by Login or Confirm. It is zero for one that was not shown since the
// last Login.
func (s *Session) FactorAt(name string) time.Time { return s.Factors()[name] }

// Factors returns the factors that the user has shown since the last Login, that one included, and when. The map is a
// copy, and never nil.
func (s *Session) Factors() map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.Factors()
}

// AAL1 fills in the clocks that are zero as authentication assurance level 1 of NIST SP 800-63B-4 wants them: Lifetime
// 30 days. The standard asks for no idle timeout; the default of 24 hours stays.
//
// A level is more than its clocks: it says by how many factors users sign in, which is for the application. Remember
// and the setters of a session replace the clocks for one session.
func AAL1(o Options) Options { return o.within(life.AAL1) }

// AAL2 is AAL1 for level 2: Lifetime 24 hours, IdleTimeout one hour.
func AAL2(o Options) Options { return o.within(life.AAL2) }

// AAL3 is AAL1 for level 3: Lifetime 12 hours, IdleTimeout 15 minutes.
func AAL3(o Options) Options { return o.within(life.AAL3) }

func (o Options) within(l life.Level) Options {
	o.Lifetime, o.IdleTimeout = orDefault(o.Lifetime, l.Lifetime), orDefault(o.IdleTimeout, l.Idle)
	return o
}

// auditAssurance names the highest level whose clocks the options keep.
func (m *Manager) auditAssurance() Finding {
	level := life.LevelOf(m.opts.Lifetime, m.opts.IdleTimeout)
	return finding("assurance-clocks", level != "", "the clocks are those of "+level+" in NIST SP 800-63B-4",
		"Lifetime: at most 30 days, as NIST SP 800-63B-4 wants even of AAL1; see session.AAL1, AAL2 and AAL3")
}
