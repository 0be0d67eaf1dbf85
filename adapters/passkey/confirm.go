package passkey

import (
	"fmt"
	"net/http"
)

// Confirm serves the two paths by which the user of the session shows a passkey again, for guard.Fresh with Factor or
// FactorVerified. It does what Options.Confirm says: Session.Confirm unless that is set.
func (p *Passkeys) Confirm() http.Handler {
	return p.steps((*visit).beginConfirm, (*visit).finishConfirm)
}

func (v *visit) beginConfirm([]byte) error {
	u, err := v.signedIn()
	if err != nil {
		return err
	}
	if len(u.Credentials) == 0 {
		return refusal{http.StatusConflict, "This account has no passkey.", "passkey: the account has no passkey"}
	}
	return v.askFor(toConfirm, u)
}

func (v *visit) finishConfirm(body []byte) error {
	u, verified, err := v.answered(toConfirm, body)
	if err != nil {
		return err
	}
	if u.User != v.s.User() {
		return notAccepted("the challenge was for another user than that of the session")
	}
	if err := v.confirm(Factor); err != nil {
		return err
	}
	if verified {
		if err := v.confirm(FactorVerified); err != nil {
			return err
		}
	}
	v.done()
	return nil
}

func (v *visit) confirm(factor string) error {
	if v.p.opts.Confirm == nil {
		v.s.Confirm(factor)
		return nil
	}
	if err := v.p.opts.Confirm(v.r, v.s, factor); err != nil {
		return fmt.Errorf("passkey: Options.Confirm: %w", err)
	}
	return nil
}
