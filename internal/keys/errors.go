package keys

import "errors"

// Errors of what a client brought. They are those of package session, which documents them.
var (
	ErrMalformed    = errors.New("session: malformed")
	ErrBadSignature = errors.New("session: bad signature")
	ErrExpired      = errors.New("session: expired")
)
