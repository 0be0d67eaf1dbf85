package takeover_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/alexedwards/scs/v2"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/adapters/takeover"
)

// counted counts what is encoded.
type counted struct{ marshals *atomic.Int64 }

func (c counted) Marshal(v any) ([]byte, error) {
	c.marshals.Add(1)
	return json.Marshal(v)
}

func (counted) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }

// leftOut counts the values that are reported as left out.
func leftOut(o *session.Options) *atomic.Int64 {
	n := new(atomic.Int64)
	o.OnEvent = func(_ context.Context, e session.Event) {
		if e.Kind == session.EventUndecodable {
			n.Add(1)
		}
	}
	return n
}

// What the take-over itself keeps in the session needs room as well, however much the old values have taken.
func TestAnOldSessionThatIsTooLargeMovesAsFarAsItFits(t *testing.T) {
	for size := range 60 {
		m := scs.New()
		old, cookie := oldWith(t, m, func(ctx context.Context) {
			for i := range 200 {
				m.Put(ctx, fmt.Sprintf("key%03d", i), "0123456789")
			}
			m.Put(ctx, "a", fmt.Sprintf("%*d", size, 0))
		})
		var told *atomic.Int64
		s := open(t, old, 1, takeover.Options{}, func(o *session.Options) { o.MaxBytes = 2048; told = leftOut(o) })
		moved := s.moved(cookie)
		n := len(moved.All())
		if moved.User() != "ada" || n < 90 || int64(n)+told.Load() != 202 || !moved.Has("a") {
			t.Errorf("%d of 202 values have moved, and %d are told of, size %d", n, told.Load(), size)
		}
	}
}

// Forms leave many small values behind. Whoever moves them must not encode each as often as there are others.
func TestManyValuesMoveInOneGo(t *testing.T) {
	const most = 5000
	for name, maxBytes := range map[string]int{"all": 1 << 20, "a tenth": 1 << 14} {
		m := scs.New()
		old, cookie := oldWith(t, m, func(ctx context.Context) {
			for i := range most {
				m.Put(ctx, fmt.Sprintf("viewed:%d", i), "0123456789")
			}
		})
		var told, marshals atomic.Int64
		s := open(t, old, 1, takeover.Options{}, func(o *session.Options) {
			o.MaxBytes, o.Codec = maxBytes, counted{&marshals}
			o.OnEvent = func(context.Context, session.Event) { told.Add(1) }
		})
		moved := s.moved(cookie)
		if n := len(moved.All()); moved.User() != "ada" || name == "all" && n != most+1 || n < 300 {
			t.Errorf("%s: %d values have moved", name, n)
		}
		if n := marshals.Load(); n > 5*most {
			t.Errorf("%s: %d values were encoded for %d", name, n, most)
		}
	}
}
