package life_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/coatcheck/session/internal/life"
)

// A list may be older than the store: what is somebody else's by now, under the same id, stays.
func TestARecordThatBecameSomebodyElsesIsNotRevoked(t *testing.T) {
	for _, told := range []bool{false, true} {
		w := newWorld(t)
		for i := range 40 {
			id := fmt.Sprint(i)
			w.shelf.recs[id] = &life.Record{ID: id, User: "ada", Version: 1, CreatedAt: w.now}
		}
		w.shelf.fails = func(rec *life.Record) (error, bool) {
			if rec.ID == "7" {
				w.shelf.recs["7"] = &life.Record{ID: "7", User: "bob", Version: 2, CreatedAt: w.now}
			}
			return nil, false
		}
		e := life.Ending{Why: life.ReasonRevoked, Of: "ada", Told: told}
		n, err := w.Records.RevokeUser(context.Background(), e, nil)
		if bobs := w.shelf.recs["7"]; n != 39 || err != nil || bobs == nil || bobs.Kind != life.KindLive {
			t.Errorf("told=%v: RevokeUser = %d, %v, and bob's record is %v", told, n, err, bobs)
		}
	}
}

// A store may list records without their versions. Then each is loaded, and none is made by the save that is to end it.
func TestAListWithoutVersionsIsNotBelieved(t *testing.T) {
	w := newWorld(t)
	w.shelf.recs["a"] = &life.Record{ID: "a", User: "ada", Version: 3, CreatedAt: w.now}
	lister := forgetful{w.shelf}
	k := life.New(w.shelf, life.Abilities{Lister: lister}, w.Rules)
	defer k.Close()
	n, err := k.Records.RevokeUser(context.Background(), life.Ending{Why: life.ReasonRevoked, Of: "ada"}, nil)
	if n != 1 || err != nil || len(w.shelf.recs) != 0 {
		t.Errorf("RevokeUser = %d, %v, and %d records are left", n, err, len(w.shelf.recs))
	}
}

// forgetful lists records without their versions, and one that is gone.
type forgetful struct{ *shelf }

func (f forgetful) ByUser(ctx context.Context, user string) ([]*life.Record, error) {
	recs, err := f.shelf.ByUser(ctx, user)
	if len(recs) > 0 {
		recs = append(recs, &life.Record{ID: "gone", User: user, CreatedAt: recs[0].CreatedAt.Add(1)})
	}
	for _, rec := range recs {
		rec.Version = 0
	}
	return recs, err
}
