package session

import (
	"errors"
	"fmt"

	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
)

// Errors on which a caller branches. Each is wrapped with what was being done; test for them with [errors.Is].
//
// What Load, Open, Save, Reload and Atomic return of these, and what Options.OnError is given, has a method
// StatusCode() int, for frameworks in which handlers return errors: 503 for ErrUnavailable and ErrConflict, 409 for
// ErrEnded, 403 for ErrTooMany. You may show their text to a client, because it reveals nothing that a store or its
// driver said. [errors.Unwrap] returns the error with the cause, and package log/slog logs the cause.
var (
	// ErrNoMiddleware is returned by Load when the context did not pass through the manager's middleware, or when
	// Options.Skip said that the request has no session.
	ErrNoMiddleware = errors.New("session: no session in this context: wrap the handler in Manager.Middleware")

	// ErrUnavailable is returned when the store failed. It wraps the store's own error, whose text the errors of Load
	// and Save leave out. The session is not known to be gone: nothing was created, and the visitor keeps the cookie.
	ErrUnavailable = life.ErrUnavailable

	// ErrEnded is returned when the session ended while it was in use: somebody logged out, it was revoked, or its time
	// ran out. Nothing was stored.
	ErrEnded = life.ErrEnded

	// ErrNoValue is returned by Key.Lookup when nothing is stored under the key.
	ErrNoValue = errors.New("session: no value")

	// ErrTooLarge is returned when the encoded session is larger than Options.MaxBytes, or a cookie is larger than 4096
	// bytes.
	ErrTooLarge = life.ErrTooLarge

	// ErrTooMany is returned when a user has Options.MaxPerUser sessions and Options.Overflow is RefuseNew.
	ErrTooMany = life.ErrTooMany

	// ErrNotSupported is returned when the store lacks the ability that a call needs.
	ErrNotSupported = life.ErrNotSupported

	// ErrNoCookie is returned by Manager.Signed when the request has no cookie of that name.
	ErrNoCookie = errors.New("session: no such cookie")

	// ErrMalformed is returned for a ticket or signed cookie that does not have the right shape, or that came twice.
	ErrMalformed = keys.ErrMalformed

	// ErrBadSignature is returned for a ticket or signed cookie that none of the secrets signed.
	ErrBadSignature = keys.ErrBadSignature

	// ErrExpired is returned for a signed cookie whose time has run out.
	ErrExpired = keys.ErrExpired

	// ErrNotFound is returned by a store that has no record of that id.
	ErrNotFound = life.ErrNotFound

	// ErrCorrupt is returned by a store whose record cannot be read: torn, truncated or foreign. The record stays where
	// it is.
	ErrCorrupt = life.ErrCorrupt

	// ErrConflict is returned by a store whose record has another version than the one to be replaced, and by a commit
	// that met a conflict at every attempt until its time was up.
	ErrConflict = life.ErrConflict
)

// ConflictError is ErrConflict with the record that stands in the way. A store that learns the newest record while it
// refuses a save returns this error, which saves the manager a load before the next attempt.
type ConflictError struct {
	Newest *Record
}

func (e *ConflictError) Error() string { return ErrConflict.Error() }

// Is reports that a ConflictError is an ErrConflict.
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// DecodeError says that the value stored at Path does not decode as the requested type. Neither its text nor Err
// contains the value.
type DecodeError struct {
	Path string
	Err  error
}

func (e *DecodeError) Error() string { return fmt.Sprintf("session: value at %q: %v", e.Path, e.Err) }

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }
