// Package dbsc reads and writes what browsers and servers send each other for device-bound sessions: structured
// header fields (RFC 9651) and proofs, which are JWTs. It is strict where the bytes are hostile: everything is
// bounded, has one spelling, and what is not known is refused or ignored as the draft says. It knows no session and no
// clock.
package dbsc

// Names of the header fields, in the spelling of net/http.
const (
	Registration = "Secure-Session-Registration"
	Challenge    = "Secure-Session-Challenge"
	Response     = "Secure-Session-Response"
	SessionID    = "Sec-Secure-Session-Id"
	Skipped      = "Secure-Session-Skipped"
)

// reason is an error that tells what is wrong, and nothing of the text in which it is wrong.
type reason string

func (r reason) Error() string { return string(r) }
