package storm_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/internal/storm"
	"github.com/coatcheck/session/memstore"
)

// The same on other stores is in internal/integration. `make storm` goes on for longer.
func TestTheStormKeepsThePromisesInMemory(t *testing.T) {
	rage(t, storm.Options{Bounded: true, Stores: inMemory})
}

func inMemory(bound int) ([2]storm.Store, func(), error) {
	store := memstore.New(memstore.Options{MaxSessions: bound})
	return [2]storm.Store{store, store}, func() {}, nil
}

func TestTheStormKeepsThePromisesInFiles(t *testing.T) {
	parent := t.TempDir()
	rage(t, storm.Options{Stores: func(int) (stores [2]storm.Store, done func(), err error) {
		dir := filepath.Join(parent, "sessions")
		for i := range stores {
			s, err := filestore.New(dir, filestore.Options{NoSync: true})
			if err != nil {
				return stores, nil, err
			}
			stores[i] = s
			done = closing(s, done)
		}
		return stores, done, nil
	}})
}

// closing closes a store, and then does what else there is to do.
func closing(s *filestore.Store, next func()) func() {
	return func() {
		s.Close()
		if next != nil {
			next()
		}
	}
}

// rage plays each round in a bubble, where one call happens at a time.
func rage(t *testing.T, o storm.Options) {
	t.Helper()
	o.Settled = synctest.Wait
	rounds, err := storm.Each(func(seed uint64) (err error) {
		synctest.Test(t, func(*testing.T) { err = storm.Round(seed, o) })
		return err
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d rounds", rounds)
}
