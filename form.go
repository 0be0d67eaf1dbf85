package session

import (
	"net/url"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// oldForm is what FlashForm keeps.
const oldForm = Key[url.Values](envelope.OwnPrefix + "form")

// FlashForm keeps what was sent with a form for this request and the next one that loads the session, so that a page
// can show the form again, filled in, after a redirect: see Old. Give it r.PostForm.
//
// It leaves out fields whose names say that they are secret: those with password, passwd, passphrase, passcode, secret
// or token anywhere in the name, in upper or lower case, nested as in user[password] or not, and those with a part that
// is pwd, pass, pin, otp, totp, cvv or cvc, as in user_pin, newPwd and pass1. It also leaves out files, which are not
// values. The rest is data of the session: if a form is larger than Options.MaxBytes, the commit fails with
// ErrTooLarge, and a stranger whose form is kept gets a session. An empty form drops the previous one.
func (s *Session) FlashForm(v url.Values) {
	if kept := url.Values(data.OpenFields(v)); len(kept) > 0 {
		oldForm.Flash(s, kept)
		return
	}
	oldForm.Remove(s)
}

// Old is the value of a field of the form that FlashForm kept: the first if there are several, "" if there is none.
func (s *Session) Old(name string) string {
	raw, ok, err := s.lookup(data.ParseConstant, string(oldForm))
	form, known := s.rest.Get().form.Of(raw)
	if !known {
		form, _ = oldForm.decoded(s, raw, ok, err)
		s.rest.Change(func(r *seldom) { r.form = data.FormOf(raw, form) })
	}
	return url.Values(form).Get(name)
}
