package explore_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/memstore"
)

// brokenStore breaks the contract in what it does instead of a save or a list. So it breaks promises.
type brokenStore struct {
	*memstore.Store
	save   func(*memstore.Store, *session.Record) error
	list   func() ([]*session.Record, error)
	within func(*memstore.Store, *session.Record) error
}

func (b brokenStore) Save(ctx context.Context, rec *session.Record) error {
	if b.save != nil {
		return b.save(b.Store, rec)
	}
	return b.Store.Save(ctx, rec)
}

func (b brokenStore) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	if b.list != nil {
		return b.list()
	}
	return b.Store.ByUser(ctx, user)
}

func (b brokenStore) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	if b.within != nil {
		return b.within(b.Store, rec)
	}
	return b.Store.SaveWithin(ctx, rec, limit)
}

// forgets is a save that forgets what it is told of some records.
func forgets(what func(*session.Record) bool) func(*memstore.Store, *session.Record) error {
	return func(s *memstore.Store, rec *session.Record) error {
		if what(rec) {
			return nil
		}
		return s.Save(context.Background(), rec)
	}
}

func changed(rec *session.Record) bool { return rec.Version > 0 && rec.Kind == session.KindLive }
func retired(rec *session.Record) bool { return rec.Kind != session.KindLive }

// stubborn keeps the first count, whatever is counted or given back later.
func stubborn(s *memstore.Store, rec *session.Record) error {
	if rec.Kind == session.KindTombstone && rec.Version > 0 && rec.User == "" {
		return nil
	}
	return s.Save(context.Background(), rec)
}

// silent says nothing of a conflict.
func silent(s *memstore.Store, rec *session.Record) error {
	if err := s.Save(context.Background(), rec); !errors.Is(err, session.ErrConflict) {
		return err
	}
	return nil
}

// wordless keeps no data of a tombstone.
func wordless(s *memstore.Store, rec *session.Record) error {
	if rec.Kind == session.KindTombstone {
		rec = rec.Clone()
		rec.Data = nil
	}
	return s.Save(context.Background(), rec)
}

// alone leaves a user the newest of his sessions.
func alone(s *memstore.Store, rec *session.Record) error {
	if rec.Version == 0 {
		others, _ := s.ByUser(context.Background(), rec.User)
		for _, other := range others {
			_ = s.Delete(context.Background(), other.ID)
		}
	}
	return s.Save(context.Background(), rec)
}

func fails(s *memstore.Store, rec *session.Record) error {
	if rec.Version > 0 {
		return errors.New("out of order")
	}
	return s.Save(context.Background(), rec)
}

// What a check cannot find does not hold because the check finds nothing.
func TestTheExplorerFindsWhatABrokenStoreBreaks(t *testing.T) {
	forgetful, immortal := brokenStore{save: forgets(changed)}, brokenStore{save: forgets(retired)}
	for _, row := range []struct {
		promise, name string
		store         brokenStore
	}{
		{"what was answered is there, and nothing else", "load, set, nothing due", forgetful},
		{"what was answered is there, and nothing else", "update, update, nothing due", brokenStore{save: silent}},
		{"a change of all sessions reaches each", "load, take the role, nothing due", forgetful},
		{"a limit lets through as many as it says", "limited, limited, nothing due", forgetful},
		{"a confirmation lets one request through", "once, once, nothing due", brokenStore{save: silent}},
		{"a confirmation lets one request through", "answer, answer, nothing due", brokenStore{save: silent}},
		{"a confirmation is there until it is used", "load, once, nothing due", forgetful},
		{"a limit lets through as many as it says", "guess, guess, nothing due", brokenStore{save: wordless}},
		{"a limit lets through as many as it says", "guess, sign in by form, nothing due", brokenStore{save: stubborn}},
		{"a form that was shown can be sent", "load, show a form, nothing due", forgetful},
		{"what was ended is gone", "load, logout, nothing due", immortal},
		{"an old ticket opens nothing", "load, regenerate, nothing due", immortal},
		{"a session is alive once", "load, load, renewal due", immortal},
		{"each answer has its reason", "load, set, nothing due", brokenStore{save: fails}},
		{"what a ticket opens is in the lists", "load, revoke all, nothing due", brokenStore{list: none}},
		{"nobody is signed out whom nobody signed out", "load, sign in, nothing due", brokenStore{save: alone}},
		{"what was to be kept is there", "set, revoke others, nothing due", brokenStore{save: alone}},
		{"who was signed out is told why", "load, revoke for, nothing due", brokenStore{save: wordless}},
		{"a session ends once", "revoke for, revoke all for, nothing due", brokenStore{save: silent}},
		{"nobody has more sessions than allowed", "load, sign in, nothing due, at most 1 sessions, the oldest goes",
			brokenStore{within: anyway}},
	} {
		t.Run(row.promise+" in "+row.name, func(t *testing.T) {
			if !slices.Contains(brokenPromises(t, row.name, row.store), row.promise) {
				t.Errorf("%s: the explorer does not find that %q is broken", row.name, row.promise)
			}
		})
	}
}

// brokenPromises is what breaks in a case on a store.
func brokenPromises(t *testing.T, name string, store brokenStore) (promises []string) {
	t.Helper()
	cases := append(explore.Cases(2), explore.CasesWithALimit(2)...)
	i := slices.IndexFunc(cases, func(c explore.Case) bool { return c.String() == name })
	if i < 0 {
		t.Fatalf("there is no case %q", name)
	}
	note := func(_ explore.Case, b *explore.Broken) bool {
		promises = append(promises, b.Promise)
		return true
	}
	synctest.Test(t, func(t *testing.T) {
		store.Store = memstore.New(memstore.Options{})
		_, err := cases[i].Explore([2]explore.Store{store, store}, explore.Play{Start: time.Now(), Preemptions: -1,
			Known: note})
		if err != nil {
			t.Error(err)
		}
	})
	return promises
}

func anyway(s *memstore.Store, rec *session.Record) error { return s.Save(context.Background(), rec) }

func none() ([]*session.Record, error) { return nil, nil }
