package life

import (
	"cmp"
	"errors"
	"fmt"

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

var (
	// ErrTombstone is of a session that is gone, of whose id a tombstone is left.
	ErrTombstone = fmt.Errorf("%w: the id was retired", ErrEnded)

	// ErrReused is of a renewed id that leads nowhere any more.
	ErrReused = fmt.Errorf("%w: the id was renewed, and its grace is over", ErrEnded)

	// ErrLate is of a change of which the client cannot be told any more.
	ErrLate = errors.New("session: too late: the headers are already sent, so the client could not be told")

	errUnswept = fmt.Errorf("%w: the id was retired, and its grace is over", ErrNotFound)
)

// Unavailable wraps an error of a store that is no answer as ErrUnavailable.
func Unavailable(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// Both wraps the errors that there are, in one line.
func Both(a, b error) error {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	return fmt.Errorf("%w; %w", a, b)
}

// endedIf wraps an error as ErrEnded.
func endedIf(ended bool, err error) error {
	if ended && !errors.Is(err, ErrEnded) {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return err
}
