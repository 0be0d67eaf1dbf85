package session

import (
	"context"
	"errors"

	"github.com/coatcheck/session/internal/data"
)

// Get returns the value at the path, or nil if there is none: a nil, bool, string, int64 (whole numbers that fit),
// float64, []any or map[string]any, whatever type was set. A value that does not decode counts as absent, with an
// event.
func (s *Session) Get(path string) any {
	v, _ := s.get(path)
	return v
}

// GetOr returns the value at the path, or the fallback if there is none. A stored 0, "" or false is a value.
func (s *Session) GetOr(path string, fallback any) any {
	if v, ok := s.get(path); ok {
		return v
	}
	return fallback
}

func (s *Session) get(path string) (any, bool) {
	raw, ok, err := s.lookup(data.ParsePath, path)
	return s.decoded(path, raw, ok, err)
}

// decoded is the value of a look-up.
func (s *Session) decoded(path string, raw []byte, ok bool, err error) (any, bool) {
	if err == nil && ok {
		var v any
		if v, err = data.Value(s.m.opts.Codec, raw); err == nil {
			return v, true
		}
	}
	if err != nil {
		s.undecodable(path, err)
	}
	return nil, false
}

// parser is data.ParsePath for the paths of Session, and data.ParseConstant for the constants of a Key.
type parser func(text string) (data.Path, error)

// lookup returns the encoded value at the path.
func (s *Session) lookup(parse parser, text string) ([]byte, bool, error) {
	p, err := parse(text)
	if err != nil {
		return nil, false, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	raw, ok, err := s.draft.Doc.Look(s.m.opts.Codec, p)
	return raw, ok, dataError(err)
}

// undecodable reports a value that does not decode, once for each path.
func (s *Session) undecodable(path string, err error) {
	if s.firstReport(path) {
		s.emit(s.inUse(), Event{Kind: EventUndecodable, ID: s.ID(), User: s.User(),
			Err: &DecodeError{Path: path, Err: err}})
	}
}

func (s *Session) firstReport(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	reported := s.rest.Get().reported
	if reported == nil {
		reported = map[string]bool{}
		s.rest.Change(func(r *seldom) { r.reported = reported })
	}
	known := reported[path]
	reported[path] = true
	return !known
}

// Has reports whether there is a value at the path, even if that value is nil.
func (s *Session) Has(path string) bool {
	p, err := data.ParsePath(path)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.Doc.Has(s.m.opts.Codec, p)
}

// All returns a copy of all data by key, without what the library keeps for itself. It leaves out values that do not
// decode, with an event.
func (s *Session) All() map[string]any {
	raws := s.raws()
	all := make(map[string]any, len(raws))
	for key, raw := range raws {
		v, err := data.Value(s.m.opts.Codec, raw)
		if err != nil {
			s.undecodable(Path(key), err)
			continue
		}
		all[key] = v
	}
	return all
}

// raws are the encoded values of all keys of the application.
func (s *Session) raws() map[string][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.Doc.Raws(s.m.opts.Codec)
}

// Set stores a value at the path; missing parents become maps. The value is encoded at once. A value that does not
// encode is refused, and so is a path through a value that has no parts: see Err. JSON, the default Codec, replaces
// anything in a string that is not UTF-8; store bytes as a []byte, with a [Key].
func (s *Session) Set(path string, value any) { s.put(data.OpSet, data.ParsePath, path, value) }

// Flash stores a value that this request and the next one that loads the session can read; then it is gone. Set turns
// it into ordinary data. Reflash keeps it for one more request, and so do Append and [Key.Update] with what they
// change.
func (s *Session) Flash(path string, value any) { s.put(data.OpFlash, data.ParsePath, path, value) }

func (s *Session) put(kind data.OpKind, parse parser, path string, value any) {
	p, raw, err := s.prepare(kind, parse, path, value)
	if err != nil {
		s.refused(err)
		return
	}
	s.do(data.Op{Kind: kind, Path: p, Raw: raw})
}

func (s *Session) refused(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse(err)
}

// prepare checks the path and encodes the value.
func (s *Session) prepare(kind data.OpKind, parse parser, text string, value any) (data.Path, []byte, error) {
	p, err := parse(text)
	if err != nil {
		return data.Path{}, nil, data.Refusal(kind.String(), text, err)
	}
	raw, err := data.Encode(s.m.opts.Codec, value)
	if err != nil {
		return data.Path{}, nil, data.NotEncoded(text, value, err)
	}
	return p, raw, nil
}

// Append adds values to the list at the path, and makes the list if it is missing. If the value there is not a list,
// the operation is refused: see Err. A list that Flash stored stays flash data, for one more request, unless a Save in
// this request has consumed it already.
func (s *Session) Append(path string, values ...any) { s.add(data.ParsePath, path, values) }

func (s *Session) add(parse parser, path string, values []any) {
	o := data.Op{Kind: data.OpAdd, More: new(data.More)}
	var err error
	for _, v := range values {
		var raw []byte
		if o.Path, raw, err = s.prepare(data.OpAdd, parse, path, v); err != nil {
			s.refused(err)
			return
		}
		o.More.List = append(o.More.List, raw)
	}
	if len(values) > 0 {
		s.do(o)
	}
}

// Pop removes the value at the path and returns it, or nil if there is none.
func (s *Session) Pop(path string) any {
	raw, ok, err := s.pop(data.ParsePath, path)
	v, _ := s.decoded(path, raw, ok, err)
	return v
}

// pop removes and returns the encoded value at a path, in one step, so that nobody else gets it too. It waits for a
// function given to Atomic or Login, which works on a copy and may take the value there.
func (s *Session) pop(parse parser, text string) (raw []byte, ok bool, err error) {
	p, err := parse(text)
	if err != nil {
		s.remove(parse, text)
		return nil, false, nil
	}
	if err := s.hold(context.Background()); err != nil {
		s.refused(err)
		return nil, false, nil
	}
	defer s.release()
	o := data.Op{Kind: data.OpRemove, Path: p}
	s.unlessLate(o, func() {
		raw, ok, err = s.draft.Doc.Look(s.m.opts.Codec, p)
		s.draft.Do(o)
	})
	return raw, ok, dataError(err)
}

// Remove removes the values at the paths. Removing what is absent is not a change.
func (s *Session) Remove(paths ...string) {
	for _, text := range paths {
		s.remove(data.ParsePath, text)
	}
}

func (s *Session) remove(parse parser, text string) {
	switch p, err := parse(text); {
	case err == nil:
		s.do(data.Op{Kind: data.OpRemove, Path: p})
	case errors.Is(err, data.ErrOwn):
		s.refused(data.Refusal(data.OpRemove.String(), text, err))
	}
}

// Clear removes all data. The id, the user and the clocks stay, and so does what package guard keeps in the session.
func (s *Session) Clear() { s.do(data.Op{Kind: data.OpClear}) }

// Now sets a value for this request only. Nothing is stored.
func (s *Session) Now(path string, value any) {
	p, raw, err := s.prepare(data.OpNow, data.ParsePath, path, value)
	if err != nil {
		s.refused(err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draft.Doc.Cast(s.m.opts.Codec, data.Shadow{Path: p, Raw: raw})
}

// Reflash keeps the flash data of the last request, and what Now set, for one more request: all of it, or only what is
// at the paths. Ordinary data stays as it is.
func (s *Session) Reflash(only ...string) {
	for _, text := range only {
		if _, err := data.ParsePath(text); errors.Is(err, data.ErrOwn) {
			s.refused(data.Refusal("reflash", text, err))
		}
	}
	for _, o := range s.reflashed(only) {
		s.do(o)
	}
}

// reflashed is a Flash of each value to be kept.
func (s *Session) reflashed(only []string) []data.Op {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.Doc.Reflashed(s.m.opts.Codec, only)
}
