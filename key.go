package session

import (
	"github.com/coatcheck/session/internal/data"
)

// Key is typed access to the value at a path. Declare keys as constants:
//
//	const visits = session.Key[int]("visits")
//
// Names that begin with "coatcheck:" are the library's own, for what package guard keeps, such as [guard.Roles]. They
// are not data of the application: only constants reach them. The paths of Session do not, and nothing that [Path] made
// does. Pass a name made from user input through Path.
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

// Lookup returns the value. The error is ErrNoValue when there is none, and a *DecodeError when it does not decode as a
// T.
func (k Key[T]) Lookup(s *Session) (T, error) {
	raw, ok, err := s.lookup(data.ParseConstant, string(k))
	return k.decoded(s, raw, ok, err)
}

func (k Key[T]) decoded(s *Session, raw []byte, ok bool, err error) (T, error) {
	var plain, zero T // plain stays on the stack; a value that a codec is given cannot
	switch {
	case err == nil && !ok:
		return zero, ErrNoValue
	case err == nil && data.DecodePlain(s.m.opts.Codec, raw, &plain):
		return plain, nil
	}
	var v T
	if err == nil {
		err = data.Decode(s.m.opts.Codec, raw, &v)
	}
	if err != nil {
		s.undecodable(string(k), err)
		return zero, &DecodeError{Path: string(k), Err: err}
	}
	return v, nil
}

// Set stores the value, as Session.Set does.
func (k Key[T]) Set(s *Session, v T) { k.put(s, data.OpSet, v) }

// put does without the codec for a value of a common type, which stays on the stack then.
func (k Key[T]) put(s *Session, kind data.OpKind, v T) {
	p, err := data.ParseConstant(string(k))
	if raw, ok := data.EncodePlain(s.m.opts.Codec, v); ok && err == nil {
		s.do(data.Op{Kind: kind, Path: p, Raw: raw})
		return
	}
	s.put(kind, data.ParseConstant, string(k), v)
}

// Update replaces the value by what fn makes of it; fn gets the zero value if there is none. If another request commits
// first, fn runs again on what that one left, so a counter never loses a step. fn must be pure, because it may run more
// than once. It works on what is stored, even if Now hides that, and must not commit the session. A value that does not
// decode is refused: see Session.Err. A value that Flash stored stays flash data, for one more request, unless a Save
// in this request has consumed it already.
func (k Key[T]) Update(s *Session, fn func(T) T) {
	p, err := data.ParseConstant(string(k))
	if err != nil {
		s.refused(data.Refusal(data.OpUpdate.String(), string(k), err))
		return
	}
	s.update(data.Op{Kind: data.OpUpdate, Path: p, Fn: func(old []byte, ok bool) ([]byte, error) {
		var v T
		if ok {
			if err := data.Decode(s.m.opts.Codec, old, &v); err != nil {
				return nil, &DecodeError{Path: string(k), Err: err}
			}
		}
		raw, err := data.Encode(s.m.opts.Codec, fn(v))
		if err != nil {
			return nil, data.NotEncoded(string(k), v, err)
		}
		return raw, nil
	}})
}

// update runs the function without the lock, because it may read the session, and does it again when the value changed
// meanwhile.
func (s *Session) update(o data.Op) {
	for {
		seen, err := s.stored(o.Path)
		if err != nil {
			s.refused(&DecodeError{Path: o.Path.String(), Err: err})
			return
		}
		fresh, err := o.Fn(seen.Raw, seen.OK)
		if err != nil {
			s.refused(err)
			return
		}
		if s.swap(o, seen, fresh) {
			return
		}
	}
}

func (s *Session) stored(p data.Path) (data.Seen, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen, err := s.draft.Doc.State.See(s.m.opts.Codec, p)
	return seen, dataError(err)
}

// swap sets the fresh value if the one that was seen is still there, and remembers the operation for a replay. It
// reports false when it is not.
func (s *Session) swap(o data.Op, seen data.Seen, fresh []byte) (done bool) {
	done = true
	s.unlessLate(o, func() { done = s.draft.Swap(o, seen, fresh) })
	return done
}

// Pop removes the value and returns it.
func (k Key[T]) Pop(s *Session) (T, bool) {
	raw, ok, err := s.pop(data.ParseConstant, string(k))
	v, err := k.decoded(s, raw, ok, err)
	return v, err == nil
}

// Remove removes the value.
func (k Key[T]) Remove(s *Session) { s.remove(data.ParseConstant, string(k)) }

// Flash stores the value for this request and the next, as Session.Flash does.
func (k Key[T]) Flash(s *Session, v T) { k.put(s, data.OpFlash, v) }

// Append adds values to the list under the key, as Session.Append does.
func Append[T any](s *Session, k Key[[]T], values ...T) {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	s.add(data.ParseConstant, string(k), list)
}

// Path joins parts into a path, and escapes them so that each part is one step, whatever it contains. Use it for keys
// made from user input, where a dot would otherwise lead into a nested value. What it returns for the library's own
// keys, which begin with "coatcheck:", is refused everywhere, even by a [Key].
func Path(parts ...string) string { return data.Join(parts...) }
