// Package storm makes random requests of every kind on a few sessions through two nodes, on a store that is slow, fails
// and loses answers, and checks what is left against a model of the promises of this library. Only tests use it.
//
// A round is made from its seed, which the failure names: the same seed repeats the same requests and faults. Where
// nothing else waits, as in memory in a synctest bubble, it repeats the order of the calls as well, but for the jitter
// of pauses.
//
// The model knows of each session what it was asked to be. A session is followed by a mark in its data, which is set
// once and goes wherever the data go, so that nothing depends on what ids say. What was answered must be there; what
// failed may be; what was ended must be gone, and nobody else's.
package storm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/explore"
)

// Store has every ability that requests make use of.
type Store interface {
	explore.Store
	session.Sweeper
}

// Options say where a storm rages.
type Options struct {
	// Stores returns two stores on one backend, which nobody else uses, and what is to be done with them after the
	// round. They may be the same ones for every round: what the last one left is removed.
	Stores func(bound int) (stores [2]Store, done func(), err error)
	// Bounded says that Stores heeds the bound, 0 for none. Otherwise there is none.
	Bounded bool
	// Settled, if set, returns when every request waits for its turn, pauses or has ended: synctest.Wait in a bubble.
	// Then one call happens at a time, and the seed says which.
	Settled func()
}

// Round plays one round, and returns what was wrong with it, and its log.
func Round(seed uint64, o Options) error {
	w, err := newWorld(seed, o)
	if err != nil {
		return err
	}
	w.rage()
	err = errors.Join(w.check(), w.close())
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, w.story())
	}
	return err
}

// Each plays rounds with one seed after the other until the time is over or one fails, and at least one.
func Each(round func(seed uint64) error) (rounds int, err error) {
	seed, d, err := settings()
	if err != nil {
		return 0, err
	}
	for end := time.Now().Add(d); rounds == 0 || time.Now().Before(end); rounds++ {
		if err := round(seed); err != nil {
			return rounds, fmt.Errorf("SEED=%d FOR=0s make storm repeats this:\n%w", seed, err)
		}
		seed++
	}
	return rounds, nil
}

// settings are the first seed and for how long to go on: COATCHECK_STORM_SEED and COATCHECK_STORM_FOR, of which
// COATCHECK_STORM_PARTS stores have a part each. By default the rounds are the same each time, so that a change is
// judged by what it changes; make storm plays new ones.
func settings() (seed uint64, d time.Duration, err error) {
	seed, d = 1, 2*time.Second
	if text := os.Getenv("COATCHECK_STORM_SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return 0, 0, fmt.Errorf("COATCHECK_STORM_SEED: %w", err)
		}
	}
	if text := os.Getenv("COATCHECK_STORM_FOR"); text != "" {
		if d, err = time.ParseDuration(text); err != nil {
			return 0, 0, fmt.Errorf("COATCHECK_STORM_FOR: %w", err)
		}
	}
	if text := os.Getenv("COATCHECK_STORM_PARTS"); text != "" {
		parts, err := strconv.Atoi(text)
		if err != nil || parts < 1 {
			return 0, 0, fmt.Errorf("COATCHECK_STORM_PARTS: %q is no number of stores", text)
		}
		d /= time.Duration(parts)
	}
	return seed, d, nil
}

// clear removes what an earlier round left.
func clear(ctx context.Context, store Store) error {
	const all = 1000 // more than the requests of one round leave
	recs, err := store.Page(ctx, "", all)
	for _, rec := range recs {
		err = errors.Join(err, store.Delete(ctx, rec.ID))
	}
	return err
}
