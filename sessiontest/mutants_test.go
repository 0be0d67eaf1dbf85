package sessiontest_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessiontest"
)

// mutant is a store that breaks a rule.
type mutant struct {
	rule   string
	how    string
	change change
}

func mutants() []mutant { return slices.Concat(loudMutants(), watchMutants) }

// loudMutants are found out without waiting.
func loudMutants() []mutant {
	return slices.Concat(loadMutants, saveMutants, raceMutants, dataMutants, contextMutants(), peerMutants,
		outageMutants(), fieldMutants(), changeMutants(), idMutants, touchMutants, sweepMutants, userMutants,
		moveMutants, pageMutants, limitMutants, limitCreateMutants, evictMutants, shareMutants)
}

func TestASoundStoreBreaksNoRule(t *testing.T) {
	if err := check(t.Context(), sound); err != nil {
		t.Error(err)
	}
}

func TestASoundStoreBreaksNoRuleInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := check(t.Context(), sound); err != nil {
			t.Error(err)
		}
	})
}

// TestEveryRuleHasAStoreThatBreaksIt keeps out rules that no store has ever been seen to break.
func TestEveryRuleHasAStoreThatBreaksIt(t *testing.T) {
	names := sessiontest.RuleNames()
	for _, name := range names {
		if !slices.ContainsFunc(mutants(), func(m mutant) bool { return m.rule == name }) {
			t.Errorf("no store breaks the rule %q: add a mutant", name)
		}
	}
	for _, m := range mutants() {
		if !slices.Contains(names, m.rule) {
			t.Errorf("the mutant %q is to break the rule %q, which does not exist", m.how, m.rule)
		}
	}
}

func TestEachBrokenStoreIsCaught(t *testing.T) {
	for _, m := range loudMutants() {
		t.Run(m.rule+"/"+m.how, func(t *testing.T) {
			t.Parallel()
			isCaught(t, m)
		})
	}
}

// TestEachSilentStoreIsCaught waits in bubbles, for the rules give a store ten seconds to tell.
func TestEachSilentStoreIsCaught(t *testing.T) {
	for _, m := range watchMutants {
		t.Run(m.rule+"/"+m.how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { isCaught(t, m) })
		})
	}
}

// isCaught checks a few times: on a busy machine one goroutine may win a race by far, and then it shows nothing.
func isCaught(t *testing.T, m mutant) {
	t.Helper()
	var broken []string
	for range 20 {
		broken = brokenRules(t, check(t.Context(), m.change, allExcept(m.rule)...))
		if slices.Contains(broken, m.rule) {
			return
		}
	}
	t.Errorf("Check reports %q, want %q", broken, m.rule)
}

// allExcept are the other rules.
func allExcept(rule string) []string {
	return slices.DeleteFunc(sessiontest.RuleNames(), func(name string) bool { return name == rule })
}

// TestAStoreThatTellsUnderItsLockIsCaught waits in a bubble, for the rule gives a store ten seconds.
func TestAStoreThatTellsUnderItsLockIsCaught(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := brokenRules(t, check(t.Context(), tellsUnderLock))
		for _, rule := range []string{"the function that is told may use the store", toldByLimiter} {
			if !slices.Contains(broken, rule) {
				t.Errorf("Check reports %q, want among them %q", broken, rule)
			}
		}
		time.Sleep(1000 * time.Hour) // of the bubble, until the last call has lost its patience
	})
}

// brokenRules are the names of the rules that Check reports, and nothing else may be in its error.
func brokenRules(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("Check = %v, want errors that are joined", err)
	}
	var names []string
	for _, err := range joined.Unwrap() {
		var broken *sessiontest.RuleError
		if !errors.As(err, &broken) {
			t.Fatalf("Check reports %v, want a RuleError", err)
		}
		names = append(names, broken.Rule)
	}
	return names
}

// The functions below make a change of one method. What they are given works on the shelf as it likes.

func onLoad(load func(ctx context.Context, b *shelf, id string) (*session.Record, error)) change {
	return func(s *store) {
		s.load = func(ctx context.Context, id string) (*session.Record, error) { return load(ctx, s.shelf, id) }
	}
}

func onSave(save func(ctx context.Context, b *shelf, rec *session.Record) error) change {
	return func(s *store) {
		s.save = func(ctx context.Context, rec *session.Record) error { return save(ctx, s.shelf, rec) }
	}
}

// onReplace changes saves of another version than 0.
func onReplace(save func(ctx context.Context, b *shelf, rec *session.Record) error) change {
	return onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
		if rec.Version == 0 || ctx.Err() != nil {
			return b.Save(ctx, rec)
		}
		return save(ctx, b, rec)
	})
}

func onDelete(remove func(ctx context.Context, b *shelf, id string) error) change {
	return func(s *store) {
		s.remove = func(ctx context.Context, id string) error { return remove(ctx, s.shelf, id) }
	}
}

// onTouch changes touches of what is there, in the version given.
func onTouch(touch func(b *shelf, rec *session.Record, seen, expires time.Time)) change {
	return func(s *store) {
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			if err := s.ready(ctx); err != nil {
				return err
			}
			if rec := s.get(id); rec != nil && rec.Version == version {
				touch(s.shelf, rec.Clone(), seen, expires)
			}
			return nil
		}
	}
}

// onExpired changes which records a sweep finds due, one by one.
func onExpired(due func(rec *session.Record, before time.Time) bool) change {
	return func(s *store) {
		s.sweep = func(ctx context.Context, before time.Time, limit int) (int, error) {
			if err := s.ready(ctx); err != nil {
				return 0, err
			}
			recs := s.all(func(rec *session.Record) bool { return due(rec, before) })
			recs = recs[:min(limit, len(recs))]
			for _, rec := range recs {
				s.drop(rec.ID)
			}
			return len(recs), nil
		}
	}
}

// onListed changes which records are a user's.
func onListed(of func(rec *session.Record, user string) bool) change {
	return func(s *store) {
		s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
			if err := s.ready(ctx); err != nil {
				return nil, err
			}
			return listed(s.all(func(rec *session.Record) bool { return user != "" && of(rec, user) })), nil
		}
	}
}

// saving changes what is stored of a record.
func saving(change func(rec *session.Record)) change {
	return onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
		c := rec.Clone()
		change(c)
		return b.Save(ctx, c)
	})
}
