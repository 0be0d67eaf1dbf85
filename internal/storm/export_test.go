package storm

import (
	"errors"

	"github.com/coatcheck/session"
)

// Dropped is what the model says of a store with a bound into which these records were put, and which then dropped
// those of these ids.
func Dropped(bound int, put []*session.Record, ids ...string) error {
	v := &verdict{world: &world{plan: plan{bound: bound}, ledger: newLedger()}}
	for _, rec := range put {
		v.note(rec)
		_ = v.stored(rec, nil)
		v.see(sighting{id: rec.ID})
	}
	for _, id := range ids {
		v.drops = append(v.drops, dropped{id: id, live: true})
	}
	v.checkBound()
	return errors.Join(v.errs...)
}
