package cookiestore_test

import (
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// Factors travel in the cookie. A copy from before does not get what was shown since, and with a list of revocations
// is of no use at all.
func TestFactorsTravelWithTheSession(t *testing.T) {
	for name, opts := range map[string]cookiestore.Options{"without a list": {}, "with a list": listed()} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, opts)
			v := r.visitor()
			v.with(func(s *session.Session) { s.Login("ada", session.Factor("pwd")) })
			copied := v.copied()
			r.advance(time.Hour)
			v.with(func(s *session.Session) { s.Confirm("otp") })
			v.with(func(s *session.Session) {
				if s.User() != "ada" || len(s.Factors()) != 2 || s.FactorAt("otp").Sub(s.FactorAt("pwd")) != time.Hour {
					t.Errorf("user %q, factors %v", s.User(), s.Factors())
				}
			})
			copied.with(func(s *session.Session) {
				if !s.FactorAt("otp").IsZero() || opts.Revocations != nil && s.User() != "" {
					t.Errorf("the copy: user %q, factors %v", s.User(), s.Factors())
				}
			})
			v.with(func(s *session.Session) { s.Login("ada") })
			v.with(func(s *session.Session) {
				if s.User() != "ada" || len(s.Factors()) != 0 {
					t.Errorf("after a sign-in: user %q, factors %v", s.User(), s.Factors())
				}
			})
		})
	}
}
