package session

import (
	"bytes"
	"fmt"
	"strings"
)

// Key is typed access to the value at a path. Declare keys as constants:
//
//	const visits = session.Key[int]("visits")
//
// Names that begin with "coatcheck:" are the library's own: what package guard keeps, such as [guard.Roles]. They are no data of
// the application: constants alone reach them, and neither the paths of Session do nor anything that [Path] made. A name that is
// made from user input goes through Path.
//
// [guard.Roles]: https://pkg.go.dev/github.com/coatcheck/session/guard#Roles
type Key[T any] string

// Get returns the value, and whether there is one that decodes as a T.
func (k Key[T]) Get(s *Session) (T, bool) {
	v, err := k.Lookup(s)
	return v, err == nil
}

// Or returns the value, or the fallback when there is none that decodes.
func (k Key[T]) Or(s *Session, fallback T) T {
	if v, ok := k.Get(s); ok {
		return v
	}
	return fallback
}

// Lookup returns the value. The error is ErrNoValue when there is none, and a *DecodeError when it does not decode as a T.
func (k Key[T]) Lookup(s *Session) (T, error) {
	raw, ok, err := s.lookup(parsePath, string(k))
	return k.decoded(s, raw, ok, err)
}

func (k Key[T]) decoded(s *Session, raw []byte, ok bool, err error) (T, error) {
	var v T
	if err == nil && !ok {
		return v, ErrNoValue
	}
	if err == nil {
		err = decode(s.m.opts.Codec, raw, &v)
	}
	if err != nil {
		s.undecodable(string(k), err)
		var zero T
		return zero, &DecodeError{Path: string(k), Err: err}
	}
	return v, nil
}

// Set stores the value, as Session.Set does.
func (k Key[T]) Set(s *Session, v T) { s.put(opSet, parsePath, string(k), v) }

// Update replaces the value by what fn makes of it; fn gets the zero value when there is none. When another request
// commits first, fn runs again on what that one left, so that a counter never loses a step. fn must be pure: it
// runs more than once. It works on what is stored, also where Now hides that, and must not commit the session. A value that does not
// decode is refused: see Session.Err.
func (k Key[T]) Update(s *Session, fn func(T) T) {
	p, err := parsePath(string(k))
	if err != nil {
		s.refused(refusal(opUpdate.String(), string(k), err))
		return
	}
	s.update(op{kind: opUpdate, path: p, fn: func(old []byte, ok bool) ([]byte, error) {
		var v T
		if ok {
			if err := decode(s.m.opts.Codec, old, &v); err != nil {
				return nil, &DecodeError{Path: string(k), Err: err}
			}
		}
		raw, err := encode(s.m.opts.Codec, fn(v))
		if err != nil {
			return nil, notEncoded(string(k), v, err)
		}
		return append([]byte{}, raw...), nil
	}})
}

// update runs the function without the lock, for it may read the session, and does it again when the value changed meanwhile.
func (s *Session) update(o op) {
	for {
		raw, ok, err := s.stored(o.path)
		if err != nil {
			s.refused(&DecodeError{Path: o.path.String(), Err: err})
			return
		}
		fresh, err := o.fn(raw, ok)
		if err != nil {
			s.refused(err)
			return
		}
		if s.swap(o, raw, ok, fresh) {
			return
		}
	}
}

func (s *Session) stored(p path) ([]byte, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.st.at(s.m.opts.Codec, p)
}

// swap sets the fresh value if the old one is still there, and remembers the operation for a replay. It reports false when
// it is not.
func (s *Session) swap(o op, old []byte, had bool, fresh []byte) (done bool) {
	done = true
	s.unlessLate(o, func() {
		raw, ok, err := s.draft.st.at(s.m.opts.Codec, o.path)
		if err != nil || ok != had || !bytes.Equal(raw, old) {
			done = err != nil
			return
		}
		now := op{kind: opUpdate, path: o.path, fn: func([]byte, bool) ([]byte, error) { return fresh, nil }}
		if _, err := s.draft.applyWithin(now); err != nil {
			s.refuse(err)
			return
		}
		s.draft.ops = append(s.draft.ops, o)
		s.draft.unshadow(op{kind: opSet, path: o.path, raw: fresh})
	})
	return done
}

// Pop removes the value and returns it.
func (k Key[T]) Pop(s *Session) (T, bool) {
	raw, ok, err := s.pop(parsePath, string(k))
	v, err := k.decoded(s, raw, ok, err)
	return v, err == nil
}

// Remove removes the value.
func (k Key[T]) Remove(s *Session) { s.remove(parsePath, string(k)) }

// Flash stores the value for this request and the next, as Session.Flash does.
func (k Key[T]) Flash(s *Session, v T) { s.put(opFlash, parsePath, string(k), v) }

// Append adds values to the list under the key, as Session.Append does.
func Append[T any](s *Session, k Key[[]T], values ...T) {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	s.add(parsePath, string(k), list)
}

// typeName names the type of a value without printing the value.
func typeName(v any) string { return strings.TrimPrefix(fmt.Sprintf("%T", v), "*") }
