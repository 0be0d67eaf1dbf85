package storm_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/storm"
	"github.com/coatcheck/session/memstore"
)

// overwriting saves whatever was stored meanwhile, as stores of other libraries do.
type overwriting struct{ *memstore.Store }

func (s overwriting) Save(ctx context.Context, rec *session.Record) error {
	err := s.Store.Save(ctx, rec)
	for rec.Version > 0 && errors.Is(err, session.ErrConflict) {
		now, lookErr := s.Load(ctx, rec.ID)
		if lookErr != nil {
			return lookErr
		}
		again := rec.Clone()
		again.Version = now.Version
		err = s.Store.Save(ctx, again)
	}
	return err
}

// boundless counts nobody's sessions.
type boundless struct{ *memstore.Store }

func (s boundless) SaveWithin(ctx context.Context, rec *session.Record, _ session.Limit) error {
	return s.Save(ctx, rec)
}

// forgetful lists one session less than a user has.
type forgetful struct{ *memstore.Store }

func (s forgetful) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	recs, err := s.Store.ByUser(ctx, user)
	return recs[:max(0, len(recs)-1)], err
}

// The storm finds what is broken: otherwise it would prove nothing that it finds nothing elsewhere.
func TestTheStormFindsBrokenStores(t *testing.T) {
	limitless := func(s *memstore.Store) storm.Store { return boundless{s} }
	overwrites := func(s *memstore.Store) storm.Store { return overwriting{s} }
	for name, c := range map[string]struct {
		broken func(*memstore.Store) storm.Store
		want   string
	}{
		"one that overwrites":                {overwrites, "is lost"},
		"one that forgets who passed":        {overwrites, "passed"},
		"one that forgets wrong passwords":   {overwrites, "were tried"},
		"one that brings confirmations back": {overwrites, "and confirmed"},
		"one that does not limit":            {limitless, "sessions, want"},
		"one that does not list":             {func(s *memstore.Store) storm.Store { return forgetful{s} }, "lacks"},
	} {
		t.Run(name, func(t *testing.T) {
			o := storm.Options{Settled: synctest.Wait, Stores: func(int) ([2]storm.Store, func(), error) {
				store := c.broken(memstore.New(memstore.Options{}))
				return [2]storm.Store{store, store}, func() {}, nil
			}}
			for seed := range uint64(1000) {
				var err error
				synctest.Test(t, func(*testing.T) { err = storm.Round(seed, o) })
				if err != nil && strings.Contains(err.Error(), c.want) {
					t.Logf("found with seed %d", seed)
					return
				}
			}
			t.Errorf("no round found that %s", c.want)
		})
	}
}
