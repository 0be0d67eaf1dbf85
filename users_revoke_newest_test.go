package session_test

import (
	"context"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/newest"
	"github.com/coatcheck/session/memstore"
)

// loads counts the loads that a store may answer from a copy, and those that it may not.
type loads struct {
	fullStore
	copies, newest int
}

func (a *loads) Load(ctx context.Context, id string) (*session.Record, error) {
	if newest.Wanted(ctx) {
		a.newest++
	} else {
		a.copies++
	}
	return a.fullStore.Load(ctx, id)
}

// What is decided for good asks for records as they are now: another node may just have changed them.
func TestWhatIsDecidedForGoodGoesByNoCopy(t *testing.T) {
	const why = session.ReasonOperator
	for name, do := range map[string]func(r *rig, id string) (int, error){
		"Revoke":     func(r *rig, id string) (int, error) { return r.Revoke(bg, id) },
		"RevokeFor":  func(r *rig, id string) (int, error) { return r.RevokeFor(bg, why, id) },
		"RevokeOwn":  func(r *rig, id string) (int, error) { return r.RevokeOwn(bg, "ada", id) },
		"RevokeUser": func(r *rig, id string) (int, error) { return r.RevokeUser(bg, "ada", id) },
	} {
		store := &loads{fullStore: memstore.New(memstore.Options{})}
		r := newRigOn(t, store)
		_, id := r.signIn("ada")
		*store = loads{fullStore: store.fullStore}
		if _, err := do(r, id); err != nil || store.copies > 0 || store.newest == 0 {
			t.Errorf("%s = %v, with %d loads of copies and %d others", name, err, store.copies, store.newest)
		}
	}
}

func TestALoginAboveTheLimitGoesByNoCopy(t *testing.T) {
	store := &loads{fullStore: memstore.New(memstore.Options{})}
	r := newRigOn(t, store, atMost(1, session.EvictOldest))
	r.signIn("ada")
	v := r.visitor()
	v.with(fillCart)
	v.with(func(s *session.Session) {
		*store = loads{fullStore: store.fullStore}
		s.Login("ada")
		if err := s.Save(bg); err != nil || store.copies > 0 || store.newest == 0 {
			t.Errorf("Save = %v, with %d loads of copies and %d others", err, store.copies, store.newest)
		}
	})
}
