package session_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// gobCodec serves typed keys only: gob does not decode into any.
type gobCodec struct{}

func (gobCodec) Marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	err := gob.NewEncoder(&buf).Encode(v)
	return buf.Bytes(), err
}

func (gobCodec) Unmarshal(data []byte, v any) error {
	return gob.NewDecoder(bytes.NewReader(data)).Decode(v)
}

func with(c session.Codec) func(*session.Options) {
	return func(o *session.Options) { o.Codec = c }
}

// Another codec serves typed keys with whatever types it knows.
func TestGobServesTypedKeys(t *testing.T) {
	r := newRig(t, with(gobCodec{}))
	v := r.visitor()
	at := session.Key[time.Time]("at")
	c := session.Key[complex128]("c")
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("x", 3600))
	v.with(func(s *session.Session) {
		at.Set(s, now)
		c.Set(s, 1+2i)
		increment(s)
		session.Key[cart]("f").Flash(s, cart{Items: []item{{"x", 1}}})
	})
	v.with(func(s *session.Session) {
		if !at.Or(s, time.Time{}).Equal(now) || c.Or(s, 0) != 1+2i {
			t.Errorf("at = %v, c = %v", at.Or(s, time.Time{}), c.Or(s, 0))
		}
		if f, ok := session.Key[cart]("f").Get(s); !ok || f.Items[0].SKU != "x" {
			t.Errorf("flashed = %v, %v", f, ok)
		}
		increment(s)
		if got := s.Get("c"); got != nil {
			t.Errorf("Get = %v, want nil from a codec without any", got)
		}
		if !s.Has("c") {
			t.Error("Has = false for a value that is there")
		}
	})
	v.with(func(s *session.Session) {
		if counter.Or(s, 0) != 2 || s.Has("f") {
			t.Errorf("n = %d, flash there %v", counter.Or(s, 0), s.Has("f"))
		}
		c.Remove(s)
	})
	v.with(func(s *session.Session) {
		if _, err := c.Lookup(s); !errors.Is(err, session.ErrNoValue) {
			t.Errorf("Lookup = %v", err)
		}
	})
	slow := v.open()
	increment(slow)
	v.with(increment)
	if err := slow.Save(t.Context()); err != nil || counter.Or(slow, 0) != 4 {
		t.Errorf("Save = %v, n = %d, want the update done again", err, counter.Or(slow, 0))
	}
}

// rawCodec is a codec that is as careless with memory as it can be.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, errors.New("not bytes")
	}
	return b, nil
}

func (rawCodec) Unmarshal(data []byte, v any) error {
	switch v := v.(type) {
	case *[]byte:
		*v = data
	case *any:
		*v = data
	default:
		return errors.New("not bytes")
	}
	return nil
}

// Neither what a codec was given nor what it returned is shared with the session.
func TestACodecThatSharesMemoryHarmsNothing(t *testing.T) {
	v := newRig(t, with(rawCodec{})).visitor()
	k := session.Key[[]byte]("k")
	v.with(func(s *session.Session) {
		mine := []byte("hello")
		k.Set(s, mine)
		mine[0] = 'X'
	})
	v.with(func(s *session.Session) {
		k.Or(s, nil)[0] = 'Y'
		s.Get("k").([]byte)[0] = 'Z'
		s.All()["k"].([]byte)[0] = 'Z'
		var mine []byte
		k.Update(s, func(b []byte) []byte { b[1] = 'E'; mine = b; return b })
		mine[1] = 'F'
		if got := string(k.Or(s, nil)); got != "hEllo" {
			t.Errorf("k = %q, want hEllo", got)
		}
	})
	v.with(func(s *session.Session) {
		if got := string(k.Or(s, nil)); got != "hEllo" {
			t.Errorf("stored: %q, want hEllo", got)
		}
	})
}

// countingCodec is JSON that counts how many values it decodes.
type countingCodec struct{ decoded, encoded *atomic.Int64 }

func (c countingCodec) Marshal(v any) ([]byte, error) { c.encoded.Add(1); return json.Marshal(v) }

func (c countingCodec) Unmarshal(data []byte, v any) error {
	c.decoded.Add(1)
	return json.Unmarshal(data, v)
}

// DESIGN section 4, Data: reading one of fifty keys decodes one, and writing one encodes one.
func TestReadingOneOfFiftyKeysDecodesOne(t *testing.T) {
	c := countingCodec{new(atomic.Int64), new(atomic.Int64)}
	v := newRig(t, with(c)).visitor()
	v.with(func(s *session.Session) {
		for i := range 50 {
			s.Set(fmt.Sprintf("key%d", i), data{"n": i})
		}
	})
	for what, do := range map[string]func(*session.Session){
		"Get":    func(s *session.Session) { s.Get("key25") },
		"dotted": func(s *session.Session) { session.Key[int]("key25.n").Or(s, 0) },
		"typed":  func(s *session.Session) { session.Key[map[string]int]("key25").Or(s, nil) },
		"Has":    func(s *session.Session) { s.Has("key25") },
		"Set":    func(s *session.Session) { s.Set("key1", 1) },
		"Remove": func(s *session.Session) { s.Remove("key2") },
	} {
		c.decoded.Store(0)
		c.encoded.Store(0)
		v.with(do)
		most := map[string]int64{"dotted": 2, "Has": 0, "Set": 0, "Remove": 0}
		want, ok := most[what]
		if !ok {
			want = 1
		}
		if n := c.decoded.Load(); n != want {
			t.Errorf("%s decodes %d values, want %d", what, n, want)
		}
		if n := c.encoded.Load(); n > 1 {
			t.Errorf("%s encodes %d values, want at most 1", what, n)
		}
	}
}

// tornCodec writes some values so that nobody can read them.
type tornCodec struct{}

type torn string

func (tornCodec) Marshal(v any) ([]byte, error) {
	if text, ok := v.(torn); ok {
		return []byte("{" + text), nil
	}
	return json.Marshal(v)
}

func (tornCodec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// Promise 7: bytes that do not decode cost that one key: it is absent, its bytes stay, the other keys are fine.
func TestAValueThatDoesNotDecodeCostsOneKey(t *testing.T) {
	r := newRig(t)
	v := r.visitor()
	v.on(r.node(with(tornCodec{})).Manager).with(func(s *session.Session) {
		s.Login("ada")
		s.Set("torn", torn("canary"))
		s.Set("fine", 1)
	})
	for range 2 {
		v.with(func(s *session.Session) {
			if s.User() != "ada" || s.Get("fine") != int64(1) {
				t.Errorf("user %q, fine %v", s.User(), s.Get("fine"))
			}
			if got := s.GetOr("torn", "fallback"); got != "fallback" || s.Get("torn.x") != nil || !s.Has("torn") {
				t.Errorf("GetOr = %v, Get below = %v, Has = %v", got, s.Get("torn.x"), s.Has("torn"))
			}
			if got := s.All(); got["fine"] == nil || got["torn"] != nil {
				t.Errorf("All = %v, want the other keys", got)
			}
			for _, err := range []error{lookupErr[string](s, "torn"), lookupErr[int](s, "torn.x")} {
				var bad *session.DecodeError
				if !errors.As(err, &bad) || strings.Contains(err.Error(), "canary") {
					t.Errorf("Lookup = %v, want a DecodeError without the value", err)
				}
			}
			if got := s.Pop("torn.x"); got != nil || s.Err() != nil {
				t.Errorf("Pop = %v, Err %v", got, s.Err())
			}
			increment(s)
		})
	}
	if n := r.ev.count(session.EventUndecodable); n != 4 {
		t.Errorf("%d events undecodable, want one for each path and request", n)
	}
	v.on(r.node(with(tornCodec{})).Manager).with(func(s *session.Session) {
		if lookupErr[json.RawMessage](s, "torn") == nil {
			t.Error("the bytes decode now")
		}
	})
	v.with(func(s *session.Session) { s.Set("torn", "whole again") })
	v.with(func(s *session.Session) {
		wantGet(t, s, "torn", "whole again")
		wantGet(t, s, "n", int64(2))
	})
}

// An operation through bytes that do not decode is refused, and can be undone by replacing or removing the whole key.
func TestAnOperationThroughWhatDoesNotDecodeIsRefused(t *testing.T) {
	for what, do := range map[string]func(*session.Session){
		"set below": func(s *session.Session) { s.Set("torn.x", 1) },
		"append":    func(s *session.Session) { s.Append("torn", 1) },
		"update": func(s *session.Session) {
			session.Key[string]("torn").Update(s, func(string) string { return "" })
		},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRig(t)
			v := r.visitor()
			v.on(r.node(with(tornCodec{})).Manager).with(func(s *session.Session) { s.Set("torn", torn("canary")) })
			resp := v.with(func(s *session.Session) {
				do(s)
				if s.Err() == nil || strings.Contains(s.Err().Error(), "canary") {
					t.Errorf("Err = %v", s.Err())
				}
			})
			if resp.StatusCode != 500 {
				t.Errorf("status %d, want 500", resp.StatusCode)
			}
			v.with(func(s *session.Session) { s.Remove("torn"); s.Set("fine", 1) })
			v.with(func(s *session.Session) {
				if s.Has("torn") || s.Err() != nil {
					t.Error("the key is still there")
				}
			})
		})
	}
}

// oneWayCodec decodes what it does not encode again.
type oneWayCodec struct{ countingCodec }

func (c oneWayCodec) Marshal(v any) ([]byte, error) {
	if _, ok := v.(map[string]any); ok {
		return nil, errors.New("no maps")
	}
	return c.countingCodec.Marshal(v)
}

func TestAPartThatDoesNotEncodeIsADecodeErrorWhereverItShows(t *testing.T) {
	r := newRig(t, with(oneWayCodec{countingCodec{new(atomic.Int64), new(atomic.Int64)}}))
	s := r.visitor().open()
	s.Set("a.b", 1)
	_, lookup := session.Key[map[string]int]("a").Lookup(s)
	for what, err := range map[string]error{"Lookup": lookup, "Save": s.Save(t.Context()), "Err": s.Err()} {
		if bad := new(session.DecodeError); !errors.As(err, &bad) || bad.Path != "a" {
			t.Errorf("%s = %v, want a DecodeError of a", what, err)
		}
		for ; err != nil; err = errors.Unwrap(err) {
			if strings.Contains(fmt.Sprintf("%T", err), "data.DecodeError") {
				t.Errorf("%s wraps a %T", what, err)
			}
		}
	}
}
