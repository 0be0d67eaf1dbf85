package session_test

import (
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
