package session_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/session"
)

// What is stored without reflection is the JSON that any other codec for JSON reads.
func TestWhatIsStoredQuicklyIsJSON(t *testing.T) {
	r := newRig(t)
	other := r.node(with(countingCodec{new(atomic.Int64), new(atomic.Int64)}))
	v := r.visitor()
	values := map[string]any{"nil": nil, "true": true, "false": false, "number": int64(-12)}
	for i, text := range []string{
		"plain", "", "a\nb", "a\x00b", "a\x1fb", "a\x7fb", "é", "\u2028", "\xff", `"`, `\`, `\n`, "<a href='&'>",
	} {
		values["text "+string(rune('a'+i))] = text
	}
	v.with(func(s *session.Session) {
		for name, value := range values {
			s.Set(name, value)
		}
	})
	for _, m := range []*session.Manager{r.Manager, other.Manager} {
		v.on(m).with(func(s *session.Session) {
			for name, want := range values {
				if text, ok := want.(string); ok {
					want = strings.ToValidUTF8(text, "\ufffd")
				}
				if got, ok := s.All()[name]; got != want || !ok {
					t.Errorf("%s: %#v, want %#v", name, got, want)
				}
			}
		})
	}
}

// miser is JSON from one buffer that it uses again, and an empty map is no bytes at all.
type miser struct{ room *bytes.Buffer }

func (m miser) Marshal(v any) ([]byte, error) {
	if v, ok := v.(map[string]any); ok && len(v) == 0 {
		return nil, nil
	}
	m.room.Reset()
	err := json.NewEncoder(m.room).Encode(v)
	return m.room.Bytes(), err
}

func (m miser) Unmarshal(raw []byte, v any) error {
	if len(raw) == 0 {
		raw = []byte("{}")
	}
	return json.Unmarshal(raw, v)
}

// Values at dotted paths are encoded when the session is stored, one after the other.
func TestACodecMayUseItsBufferAgain(t *testing.T) {
	v := newRig(t, with(miser{new(bytes.Buffer)})).visitor()
	visits(t, v,
		visit{nil, func(s *session.Session) {
			s.Set("a.x", strings.Repeat("long", 100))
			s.Set("b.y", 2)
			s.Set("c.z", data{"deep": 3})
			s.Flash("f.x", 4)
			s.Flash("f.y", 5)
		}},
		visit{data{"a": data{"x": strings.Repeat("long", 100)}, "b": data{"y": int64(2)},
			"c": data{"z": data{"deep": int64(3)}}, "f": data{"x": int64(4), "y": int64(5)}},
			func(s *session.Session) { s.Set("a.x", 1); s.Reflash(); s.Set("b.y", 3); s.Set("c.z.deep", 4) }},
		visit{data{"a": data{"x": int64(1)}, "b": data{"y": int64(3)}, "c": data{"z": data{"deep": int64(4)}},
			"f": data{"x": int64(4), "y": int64(5)}},
			func(s *session.Session) {
				s.Set("d.x", 1)
				if err := s.Save(t.Context()); err != nil {
					t.Error(err)
				}
				wantGet(t, s, "f.x", int64(4))
				wantGet(t, s, "f.y", int64(5))
			}},
	)
}

// What a codec encodes as nothing is there all the same.
func TestACodecMayEncodeAValueAsNothing(t *testing.T) {
	visits(t, newRig(t, with(miser{new(bytes.Buffer)})).visitor(),
		visit{nil, func(s *session.Session) { s.Set("a.x", 1); s.Set("b.in.x", 1); s.Set("whole", data{}) }},
		visit{data{"a": data{"x": int64(1)}, "b": data{"in": data{"x": int64(1)}}, "whole": data{}},
			func(s *session.Session) { s.Remove("a.x", "b.in.x") }},
		visit{data{"a": data{}, "b": data{"in": data{}}, "whole": data{}}, func(s *session.Session) {
			session.Key[data]("b.in").Update(s, func(m data) data { return m })
		}},
		visit{data{"a": data{}, "b": data{"in": data{}}, "whole": data{}}, nil},
	)
}
