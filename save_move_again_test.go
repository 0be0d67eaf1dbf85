package session_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// atEachSaveOf runs something before each save of this id that this rig makes.
func (r *rig) atEachSaveOf(id string, do func(nth int)) {
	n := 0
	r.store.hook(func(call, of string) error {
		if call == "save" && of == id {
			n++
			do(n)
		}
		return nil
	})
}

// records is how many there are in the store, of any kind.
func (r *rig) records() int {
	r.t.Helper()
	page, err := r.store.fullStore.Page(r.t.Context(), "", 100)
	if err != nil {
		r.t.Fatal(err)
	}
	return len(page)
}

// However often others write meanwhile, a move has the id that the handler was told, and all changes are kept.
func TestAMoveThatMeetsConflictsKeepsItsIDAndAllChanges(t *testing.T) {
	for _, limit := range []func(*session.Options){unlimited, atMost(1, session.EvictOldest)} {
		eachMove(t, limit, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
			writer, promised := v.clone().on(r.node(limit).Manager), ""
			r.atEachSaveOf(id, func(nth int) {
				if nth <= 3 {
					writer.with(func(s *session.Session) { session.Key[int]("y").Set(s, nth) })
				}
			})
			resp := v.with(func(s *session.Session) { move(s); promised = s.ID() })
			v.with(func(s *session.Session) {
				if s.Get("x") != int64(2) || s.Get("y") != int64(3) || promised != id && s.ID() != promised {
					t.Errorf("x = %v and y = %v, and the id is the one that was told: %v", s.Get("x"), s.Get("y"),
						s.ID() == promised)
				}
			})
			if resp.StatusCode != http.StatusOK || r.alive("ada") != 1 {
				t.Errorf("status %d, and ada has %d sessions; want 200 and one", resp.StatusCode, r.alive("ada"))
			}
		})
	}
}

// A store with a bound may drop what waits to take over. Then the move takes another id.
func TestAMoveWhoseRecordIsDroppedBeginsAgain(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		writer := v.clone().on(r.node().Manager)
		r.atEachSaveOf(id, func(nth int) {
			if nth == 1 {
				writer.with(func(s *session.Session) { s.Set("y", 1) })
				if err := r.store.fullStore.Delete(t.Context(), r.heir(id)); err != nil {
					t.Error(err)
				}
			}
		})
		resp := v.with(move)
		if resp.StatusCode != http.StatusOK || v.x() != int64(2) || r.alive("ada") != 1 {
			t.Errorf("status %d, x = %v, %d sessions; want 200, 2 and one", resp.StatusCode, v.x(), r.alive("ada"))
		}
	})
}

// The second attempt fails: nothing of the move is stored, and what others wrote is there.
func TestAnOutageInTheMiddleOfAMoveLeavesTheSessionAsItWas(t *testing.T) {
	eachMove(t, unlimited, func(t *testing.T, r *rig, v *visitor, id string, move func(*session.Session)) {
		writer := v.clone().on(r.node().Manager)
		r.atTheSaveOf(id, func() {
			writer.with(func(s *session.Session) { s.Set("y", 1) })
			heir := r.heir(id)
			r.store.hook(func(call, of string) error {
				if call == "save" && of == heir {
					return errDown
				}
				return nil
			})
		})
		resp := v.with(move)
		r.store.hook(nil)
		v.with(func(s *session.Session) {
			if s.ID() != id || s.Get("x") == int64(2) || s.Get("y") != int64(1) {
				t.Errorf("the session has x = %v and y = %v, want y alone", s.Get("x"), s.Get("y"))
			}
		})
		if resp.StatusCode != http.StatusServiceUnavailable || r.alive("ada") != 1 {
			t.Errorf("status %d, %d sessions; want 503 and one", resp.StatusCode, r.alive("ada"))
		}
	})
}

// Together with what another request wrote meanwhile, the data are too large.
func TestAMoveThatBecomesTooLargeIsNotDone(t *testing.T) {
	large := strings.Repeat("x", 600)
	r := newRig(t, func(o *session.Options) { o.MaxBytes = 1000 })
	v, id := r.signIn("ada")
	s, writer := v.open(), v.clone().on(r.node().Manager)
	r.atTheSaveOf(id, func() { writer.with(func(s *session.Session) { s.Set("y", large) }) })
	s.Regenerate()
	s.Set("z", large)
	if err := s.Save(bg); !errors.Is(err, session.ErrTooLarge) {
		t.Errorf("Save = %v, want ErrTooLarge", err)
	}
	v.with(func(s *session.Session) {
		if s.ID() != id || s.Has("z") || !s.Has("y") {
			t.Errorf("what the other request wrote is there: %v, and the rest: %v", s.Has("y"), s.Has("z"))
		}
	})
	if n := r.records(); n != 1 {
		t.Errorf("%d records are left, want one", n)
	}
}

// The store says that it failed to retire the old id, and has not done it. Others may have ended the session by then:
// in no case is a record left, or the session given to anybody.
func TestAMoveWhoseEndFailsLeavesNothing(t *testing.T) {
	for name, meanwhile := range map[string]func(r *rig, v *visitor, id string){
		"nothing happens": func(*rig, *visitor, string) {},
		"a logout": func(r *rig, v *visitor, _ string) {
			v.on(r.node().Manager).with((*session.Session).Logout)
		},
		"a revocation": func(r *rig, _ *visitor, id string) { r.revoked(id) },
		"another login": func(r *rig, v *visitor, _ string) {
			v.on(r.node().Manager).with(func(s *session.Session) { s.Logout(); s.Login("bob") })
		},
		"it is damaged": func(r *rig, _ *visitor, id string) { r.store.fullStore.(*damaging).id = id },
	} {
		for _, move := range moves {
			store := &damaging{fullStore: memstore.New(memstore.Options{})}
			r := newRigOn(t, store, hourly)
			v, id := r.signIn("ada")
			r.clock.advance(2 * time.Hour)
			fail, other := nth(1, false, errDown), v.clone()
			r.store.hook(func(call, of string) error {
				if call == "save" && of == id {
					err := fail()
					if err != nil {
						meanwhile(r, other, id)
					}
					return err
				}
				return nil
			})
			resp := v.with(move.do)
			r.store.hook(nil)
			store.id = ""
			if n := r.heirs(id); n != 0 {
				t.Errorf("%s, %s: %d records still wait to take over", move.name, name, n)
			}
			want := 1
			if name != "nothing happens" && name != "it is damaged" {
				want = 0
			}
			if resp.StatusCode != http.StatusServiceUnavailable || r.alive("ada") != want || v.x() == int64(2) {
				t.Errorf("%s, %s: status %d, %d sessions, x = %v; want 503, %d, and not 2", move.name, name,
					resp.StatusCode, r.alive("ada"), v.x(), want)
			}
		}
	}
}

// heirs is how many records wait to take over from one, or have done so.
func (r *rig) heirs(of string) (n int) {
	r.t.Helper()
	page, err := r.store.fullStore.Page(r.t.Context(), "", 100)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, rec := range page {
		if rec.Predecessor() == of {
			n++
		}
	}
	return n
}

// damaging is a store in which a record does not open as long as it is told so.
type damaging struct {
	fullStore
	id string
}

func (d *damaging) Load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := d.fullStore.Load(ctx, id)
	if err == nil && id == d.id {
		rec.Data = []byte("damaged")
	}
	return rec, err
}

// Nobody knows whether the old id was retired, and the store cannot be made to say so. The request to retire it arrives
// late: the old ticket leads to the new record, which must be there.
func TestARenewalThatArrivesAfterTheManagerGaveUpIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &late{fullStore: memstore.New(memstore.Options{}), holds: true}
		r := newRigOn(t, store, hourly)
		v := r.visitor()
		v.with(func(s *session.Session) { s.Login("ada"); s.Set("x", 1) })
		var id string
		v.with(func(s *session.Session) { id = s.ID() })
		r.clock.advance(2 * time.Hour)
		var mended atomic.Bool
		r.store.hook(func(call, of string) error {
			if !mended.Load() && call == "save" && of == id && store.held != nil {
				return errDown
			}
			return nil
		})
		resp := v.with(func(s *session.Session) { s.Set("x", 2) })
		mended.Store(true)
		err := store.fullStore.Save(t.Context(), store.held)
		if err != nil || resp.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("status %d, and the late retirement fails: %v; want 503 and success", resp.StatusCode, err)
		}
		time.Sleep(time.Minute)
		if v.x() != int64(2) || r.alive("ada") != 1 {
			t.Errorf("x = %v, and %d sessions; want 2 and one", v.x(), r.alive("ada"))
		}
	})
}
