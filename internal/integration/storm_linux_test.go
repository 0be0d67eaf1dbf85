package integration_test

import (
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/storm"
)

// The storm on every store, where calls really overlap. `make storm` goes on for longer.
func TestTheStormKeepsThePromisesOnEveryStore(t *testing.T) {
	eachBackend(t, func(t *testing.T, stores [2]session.Store) {
		pair := [2]storm.Store{stores[0].(storm.Store), stores[1].(storm.Store)}
		o := storm.Options{Stores: func(int) ([2]storm.Store, func(), error) { return pair, func() {}, nil }}
		rounds, err := storm.Each(func(seed uint64) error { return storm.Round(seed, o) })
		if err != nil {
			t.Error(err)
		}
		t.Logf("%d rounds", rounds)
	})
}
