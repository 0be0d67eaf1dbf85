package data

import (
	"errors"
	"fmt"
	"strings"

	"github.com/coatcheck/session/internal/envelope"
)

// reason is why an operation is refused, without its path.
type reason string

func (r reason) Error() string { return string(r) }

// ErrOwn refuses a path to the library's own keys; the others refuse a path that leads nowhere.
const (
	errPath    reason = "a path and each of its parts must not be empty, and parts below the key are UTF-8"
	errDeep    reason = "the path has too many parts"
	ErrOwn     reason = "keys that begin with " + envelope.OwnPrefix + " are the library's own; choose another name"
	errThrough reason = "the path leads through a value that has no parts"
	errIndex   reason = "the path names a list element that is not there"
	errNotList reason = "the value is not a list"
)

// Refusal is the error of an operation that was refused: it names what was to be done and the path, and never a value.
func Refusal(what, text string, err error) error {
	return fmt.Errorf("session: %s %q: %w", what, shown(text), err)
}

// maxShown is how much of a path an error shows: it may be made from user input.
const maxShown = 200

func shown(path string) string {
	if len(path) > maxShown {
		return strings.ToValidUTF8(path[:maxShown], "") + "…"
	}
	return path
}

// DecodeError says that the value at Path does not decode, or does not encode. Neither its text nor Err contains the
// value. A caller gets it as a session.DecodeError, which has the same fields.
type DecodeError struct {
	Path string
	Err  error
}

func (e *DecodeError) Error() string { return fmt.Sprintf("session: value at %q: %v", e.Path, e.Err) }

// Unwrap returns Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// NotEncoded is the DecodeError of a value that does not encode. It names types only: the codec's own text may quote
// the value.
func NotEncoded(path string, value any, err error) error {
	cause := errors.New("the value does not encode: " + typeName(value) + " (" + typeName(err) + ")")
	return &DecodeError{Path: path, Err: cause}
}

// typeName names the type of a value without printing the value.
func typeName(v any) string { return strings.TrimPrefix(fmt.Sprintf("%T", v), "*") }

// SizeError says that a session is larger than Rules.MaxBytes allows. A caller gets it wrapped as session.ErrTooLarge.
type SizeError struct {
	Path  string // of the change that is one too many; "" when no single one is
	More  int    // what that change adds
	Size  int    // of all data with it
	Limit int
}

func (e *SizeError) Error() string {
	text := fmt.Sprintf("the session has %d bytes of data, Options.MaxBytes allows %d", e.Size, e.Limit)
	if e.Path == "" {
		return text
	}
	return fmt.Sprintf("with %d bytes more at %q %s", e.More, shown(e.Path), text)
}
