package session_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// shuffling is a codec that writes the fields of a map in another order each time, as gob and msgpack do.
type shuffling struct{}

func (shuffling) Marshal(v any) ([]byte, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return json.Marshal(v)
	}
	var fields []string
	for name, part := range m {
		raw, err := shuffling{}.Marshal(part)
		if err != nil {
			return nil, err
		}
		fields = append(fields, fmt.Sprintf("%q:%s", name, raw))
	}
	return []byte("{" + strings.Join(fields, ",") + "}"), nil
}

func (shuffling) Unmarshal(raw []byte, v any) error { return json.Unmarshal(raw, v) }

func TestUpdateRunsOnceWhateverTheOrderInWhichACodecWrites(t *testing.T) {
	for _, path := range []string{"box.stock", "box"} {
		r := newRig(t, func(o *session.Options) { o.Codec = shuffling{} })
		v, stock := r.visitor(), session.Key[map[string]any](path)
		for range 3 {
			v.with(func(s *session.Session) {
				runs := 0
				stock.Update(s, func(old map[string]any) map[string]any {
					if runs++; runs > 100 {
						t.Fatalf("%s: fn runs again and again", path)
					}
					if old == nil {
						old = map[string]any{}
					}
					for range 1000 {
						old[fmt.Sprint(len(old))] = true
					}
					return old
				})
				if runs != 1 || s.Err() != nil {
					t.Errorf("%s: fn ran %d times, %v", path, runs, s.Err())
				}
			})
		}
		v.with(func(s *session.Session) {
			if got, err := stock.Lookup(s); len(got) != 3000 || err != nil {
				t.Errorf("%s: %d fields, %v", path, len(got), err)
			}
		})
	}
}
