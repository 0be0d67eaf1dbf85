package life

import (
	"errors"

	"github.com/coatcheck/session/internal/keys"
)

// Errors on which callers branch. They are those of package session, which documents them.
var (
	ErrUnavailable  = errors.New("session: the store is unavailable")
	ErrEnded        = errors.New("session: the session has ended")
	ErrTooLarge     = errors.New("session: too large")
	ErrTooMany      = errors.New("session: the user has too many sessions")
	ErrNotSupported = errors.New("session: the store does not support this")
	ErrNotFound     = errors.New("session: not found")
	ErrCorrupt      = errors.New("session: the stored record cannot be read")
	ErrConflict     = errors.New("session: version conflict")
	ErrMalformed    = keys.ErrMalformed
	ErrBadSignature = keys.ErrBadSignature
	ErrExpired      = keys.ErrExpired
)
