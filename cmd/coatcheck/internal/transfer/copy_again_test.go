package transfer_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

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
	for _, gone := range []int{0, 1, 5, 6, 10} {
		to := memstore.New(memstore.Options{})
		m := newMove(t, files(t), to)
		var ids []string
		for range 10 {
			ids = append(ids, begin(t, m.old, "ada").ID())
		}
		m.must()
		begin(t, m.new, "grace")
		for _, id := range ids[:gone] {
			if err := to.Delete(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if done := m.must(); done.Gone != gone || done.Verified != 10-gone {
			t.Errorf("of 10 copies %d are gone: %+v", gone, done)
		}
	}
}

// A session that goes on under a new id leaves its old one for a while only. Then its copy counts as gone, although
// nothing is lost, and does not come back beside it.
func TestACopyThatHasGotANewIDIsGoneAndIsNotBroughtBack(t *testing.T) {
	to := memstore.New(memstore.Options{})
	m := newMove(t, files(t), to)
	var tokens []string
	for range 3 {
		tokens = append(tokens, begin(t, m.old, "ada").Token())
	}
	m.must()
	for _, token := range tokens {
		s := open(t, m.new, token)
		s.Regenerate()
		save(t, s)
	}
	if _, err := to.Sweep(t.Context(), time.Now().Add(time.Minute), 100); err != nil {
		t.Fatal(err)
	}
	done := m.must()
	infos, err := m.new.Sessions(t.Context(), "ada")
	if err != nil || done.Gone != 3 || len(infos) != 3 {
		t.Errorf("%+v; ada has %d sessions, %v, want 3 gone and 3 that go on", done, len(infos), err)
	}
	for _, token := range tokens {
		if m.alive(token) {
			t.Error("a ticket that was given up opens a session again")
		}
	}
}
