package sessiontest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

const (
	racers = 12 // goroutines that want the same thing at once
	rounds = 8  // how often a race is run, for no single one shows every order
)

var raceRules = []rule{
	{name: "of concurrent saves at one version exactly one succeeds", clause: "Store 4", check: oneSaveWins},
	{name: "of concurrent creates of one id exactly one succeeds", clause: "Store 4", check: oneCreateWins},
	{name: "savers that try again after a conflict lose nothing", clause: "Store 4", check: nothingLost},
	{name: "a reader sees whole records while they are saved", clause: "Store", check: wholeWhileSaved},
	{name: "many goroutines may do anything at once", clause: "Store", bare: true, check: manyGoroutines},
}

// race starts n calls of fn at the same moment and returns their errors when all are done.
func race(n int, fn func(i int) error) []error {
	errs, start := make([]error, n), make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// winner wants exactly one success and conflicts otherwise, and returns the index of the success.
func winner(errs []error) (int, error) {
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won >= 0:
			return 0, errors.New("two concurrent saves at one version succeeded, want one")
		case err == nil:
			won = i
		case !errors.Is(err, session.ErrConflict):
			return 0, fmt.Errorf("a save that lost = %w, want ErrConflict", err)
		}
	}
	if won < 0 {
		return 0, errors.New("none of the concurrent saves at one version succeeded, want one")
	}
	return won, nil
}

func oneSaveWins(ctx context.Context, e *env) error {
	return saveRace(ctx, e, func(int) session.Store { return e.Store })
}

// saveRace lets savers compete for one version after another. saver says through which store each goes.
func saveRace(ctx context.Context, e *env, saver func(i int) session.Store) error {
	if err := e.create(ctx, sample(idA)); err != nil {
		return err
	}
	for version := uint64(1); version <= rounds; version++ {
		won, err := winner(race(racers, func(i int) error { return saver(i).Save(ctx, entry(i, version)) }))
		if err != nil {
			return err
		}
		if err := e.wantStored(ctx, entry(won, version)); err != nil {
			return fmt.Errorf("after a race that saver %d won: %w", won, err)
		}
	}
	return nil
}

// entry is what racer i saves.
func entry(i int, version uint64) *session.Record {
	rec := next(idA, version)
	rec.Data = fmt.Appendf(nil, "saver %d", i)
	return rec
}

func oneCreateWins(ctx context.Context, e *env) error {
	for round := range rounds {
		id := handle(round)
		created := func(i int) *session.Record { return owned(id, fmt.Sprintf("user %d of %d", i, round)) }
		won, err := winner(race(racers, func(i int) error { return e.Save(ctx, created(i)) }))
		if err != nil {
			return err
		}
		if err := e.wantStored(ctx, created(won)); err != nil {
			return fmt.Errorf("after a race that creator %d won: %w", won, err)
		}
		for i := range racers {
			if err := e.wantListedIf(ctx, i == won, created(i)); err != nil {
				return fmt.Errorf("after a race that creator %d won: %w", won, err)
			}
		}
	}
	return nil
}

// wantListedIf wants the list of a record's user to have that record alone, or nothing, if the store has lists.
func (e *env) wantListedIf(ctx context.Context, there bool, rec *session.Record) error {
	switch {
	case e.lister() == nil:
		return nil
	case there:
		return e.wantUser(ctx, rec.User, rec.ID)
	}
	return e.wantUser(ctx, rec.User)
}

// nothingLost counts together, as handlers do.
func nothingLost(ctx context.Context, e *env) error {
	const savers, steps = 4, 8
	if err := e.create(ctx, counter(0, 0)); err != nil {
		return err
	}
	errs := race(savers, func(int) error {
		for range steps {
			if err := e.increment(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	return first(errors.Join(errs...), e.wantStored(ctx, counter(savers*steps, savers*steps)))
}

func counter(n, version uint64) *session.Record {
	rec := sample(idA)
	rec.Version, rec.Data = version, binary.BigEndian.AppendUint64(nil, n)
	return rec
}

func (e *env) increment(ctx context.Context) error {
	const attempts = 1000 // each conflict means that another saver succeeded, so that far fewer are needed
	for range attempts {
		rec, err := e.load(ctx, idA)
		if err != nil {
			return err
		}
		if len(rec.Data) != 8 {
			return fmt.Errorf("the counter has %d bytes, want 8", len(rec.Data))
		}
		err = e.Save(ctx, counter(binary.BigEndian.Uint64(rec.Data)+1, rec.Version))
		if !errors.Is(err, session.ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("%d saves in a row were conflicts, want one to succeed", attempts)
}

// deleteRacesSaves deletes a record in the midst of saves.
func deleteRacesSaves(ctx context.Context, e *env) error {
	return e.deleteRaces(ctx, e.saveAgain)
}

// deleteRaces deletes records in the midst of other calls. Whatever the order was, they are gone afterwards.
func (e *env) deleteRaces(ctx context.Context, call func(ctx context.Context, id string) error) error {
	for round := range 2 * rounds {
		id := handle(round)
		if err := e.create(ctx, sample(id)); err != nil {
			return err
		}
		errs := race(4, func(i int) error {
			if i == 0 {
				return e.remove(ctx, id)
			}
			return call(ctx, id)
		})
		if err := first(errors.Join(errs...), e.wantAbsent(ctx, id), e.wantUnlisted(ctx, id)); err != nil {
			return err
		}
	}
	return nil
}

// saveAgain saves at whatever version is there, until the record is gone.
func (e *env) saveAgain(ctx context.Context, id string) error {
	for range 30 { // enough to meet the delete; a store that brings the record back must not keep us here
		rec, err := e.Load(ctx, id)
		if err == nil {
			err = e.Save(ctx, next(id, rec.Version))
		}
		switch {
		case errors.Is(err, session.ErrNotFound):
			return nil
		case err != nil && !errors.Is(err, session.ErrConflict):
			return fmt.Errorf("Load and Save of %q = %w, want success, ErrConflict or ErrNotFound", id, err)
		}
	}
	return nil
}

// summed is a record from whose parts one can see that they were saved together.
func summed(id string, version uint64) *session.Record {
	rec := next(id, version)
	rec.Data = make([]byte, 3000+version%7*500)
	for i := range rec.Data {
		rec.Data[i] = byte(version) + byte(i)
	}
	sum := crc32.ChecksumIEEE(rec.Data)
	rec.UserAgent, rec.SeenAt = fmt.Sprint(sum), at(time.Duration(version)*time.Second)
	return rec
}

// wantWhole wants a record that summed made.
func wantWhole(rec *session.Record) error {
	if d := differences(rec, stored(summed(rec.ID, rec.Version-1))); d != "" {
		return fmt.Errorf("a record was read in parts of different saves: %s", d)
	}
	return nil
}

func wholeWhileSaved(ctx context.Context, e *env) error {
	const saves = 60
	if err := e.create(ctx, summed(idA, 0)); err != nil {
		return err
	}
	saved := make(chan struct{})
	errs := race(4, func(i int) error {
		if i > 0 {
			return until(saved, func() error { return e.readWhole(ctx) })
		}
		defer close(saved)
		for version := uint64(1); version <= saves; version++ {
			if err := e.replace(ctx, summed(idA, version)); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(errs...)
}

func (e *env) readWhole(ctx context.Context) error {
	rec, err := e.load(ctx, idA)
	if err != nil {
		return err
	}
	return wantWhole(rec)
}

// until calls fn again and again until done is closed, or until it fails. It lets the others run in between, for which
// they would otherwise wait long where there is one processor.
func until(done <-chan struct{}, fn func() error) error {
	for {
		if err := fn(); err != nil {
			return err
		}
		runtime.Gosched()
		select {
		case <-done:
			return nil
		default:
		}
	}
}
