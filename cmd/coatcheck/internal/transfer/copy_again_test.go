package transfer_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// flaky fails at one call of any kind, as a run does that is killed there, and counts them.
type flaky struct {
	*memstore.Store
	calls, at atomic.Int64
	after     bool // the call is done, and nobody learns of it
}

func (f *flaky) hit() bool { return f.calls.Add(1) == f.at.Load() }

func (f *flaky) Load(ctx context.Context, id string) (*session.Record, error) {
	if f.hit() {
		return nil, errKilled
	}
	return f.Store.Load(ctx, id)
}

func (f *flaky) Save(ctx context.Context, rec *session.Record) error {
	hit := f.hit()
	if hit && !f.after {
		return errKilled
	}
	err := f.Store.Save(ctx, rec)
	if hit {
		return errKilled
	}
	return err
}

func TestACopyThatStopsAnywhereIsCompletedByTheNext(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := int64(1); ; at++ {
			to := &flaky{Store: memstore.New(memstore.Options{}), after: after}
			m := newMove(t, memstore.New(memstore.Options{}), to)
			var kept []*session.Session
			for range 4 {
				kept = append(kept, begin(t, m.old, "ada"))
			}
			ended := begin(t, m.old, "grace")
			token := ended.Token()
			m.must()
			if err := addOne(m.old, kept[0].Token()); err != nil {
				t.Fatal(err)
			}
			kept = append(kept, begin(t, m.old, "alan"))
			ended.Logout()
			save(t, ended)

			to.calls.Store(0)
			to.at.Store(at)
			_, err := m.run(t.Context())
			to.at.Store(0)
			if done := m.must(); done.Verified < 5 {
				t.Fatalf("stopped at call %d: %+v, want 5 compared", at, done)
			}
			for _, s := range kept {
				if !m.alive(s.Token()) {
					t.Errorf("stopped at call %d: a session is lost", at)
				}
			}
			if s := open(t, m.new, kept[0].Token()); counter.Or(s, 0) != 1 || m.alive(token) {
				t.Errorf("stopped at call %d: a change is lost, or what ended is alive", at)
			}
			if err == nil { // that was more than all calls
				break
			}
		}
	}
}

// Somebody has emptied the target, and signed in there to try it: what is missing is told of, though it may have ended.
func TestCopiesThatAreGoneAreCounted(t *testing.T) {
	for _, row := range []struct {
		gone int
		lost bool
	}{{0, false}, {1, false}, {5, false}, {6, true}, {10, true}} {
		to := memstore.New(memstore.Options{})
		m := newMove(t, files(t), to)
		var ids []string
		for range 10 {
			ids = append(ids, begin(t, m.old, "ada").ID())
		}
		m.must()
		begin(t, m.new, "grace")
		for _, id := range ids[:row.gone] {
			if err := to.Delete(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if done := m.must(); done.Gone != row.gone || done.Verified != 10-row.gone || done.Lost() != row.lost {
			t.Errorf("of 10 copies %d are gone: %+v, lost %t", row.gone, done, done.Lost())
		}
	}
}
