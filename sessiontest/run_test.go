package sessiontest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/nullstore"
	"github.com/coatcheck/session/sessiontest"
)

func newMemstore() session.Store { return memstore.New(memstore.Options{}) }

func TestSkipOfARuleThatDoesNotExistIsAnError(t *testing.T) {
	err := sessiontest.Check(t.Context(), newMemstore, sessiontest.CheckOptions{Skip: []string{"no such rule"}})
	if err == nil || !strings.Contains(err.Error(), `there is no rule "no such rule"`) {
		t.Errorf("Check = %v, want an error that names the rule", err)
	}
	var broken *sessiontest.RuleError
	if errors.As(err, &broken) {
		t.Errorf("Check = %v, want no RuleError: the store broke none", err)
	}
}

func TestARuleThatIsSkippedIsNotChecked(t *testing.T) {
	upsert := func() session.Store { return newStore(newShelf(0), replaceIf(func(_, _ uint64) bool { return true })) }
	const rule = "a save of an older version is a conflict and changes nothing"
	others := allExcept(rule)
	broken := brokenRules(t, sessiontest.Check(t.Context(), upsert, sessiontest.CheckOptions{Skip: others}))
	if err := sessiontest.Check(t.Context(), upsert,
		sessiontest.CheckOptions{Skip: sessiontest.RuleNames()}); err != nil {
		t.Errorf("Check of no rule = %v, want no error", err)
	}
	if !slices.Equal(broken, []string{rule}) {
		t.Errorf("Check reports %q, want the one rule that it was not to skip", broken)
	}
}

func TestCheckTakesOneCheckOptions(t *testing.T) {
	err := sessiontest.Check(t.Context(), newMemstore, sessiontest.CheckOptions{}, sessiontest.CheckOptions{})
	if err == nil || err.Error() != "sessiontest: more than one CheckOptions" {
		t.Errorf("Check with two CheckOptions = %v, want an error that says so", err)
	}
}

func TestAStoreWithoutAbilitiesNeedsNone(t *testing.T) {
	bare := func() session.Store { return struct{ session.Store }{newShelf(0)} }
	if err := sessiontest.Check(t.Context(), bare); err != nil {
		t.Errorf("Check of a store with three methods = %v, want no error", err)
	}
	if err := sessiontest.Check(t.Context(), func() session.Store { return nullstore.New() }); err != nil {
		t.Errorf("Check of a store that keeps nothing = %v, want no error", err)
	}
}

func TestABoundedStoreMustBeAnEvicter(t *testing.T) {
	err := sessiontest.Check(t.Context(), newMemstore, sessiontest.CheckOptions{
		Bounded: func(int) session.Store { return struct{ session.Store }{newShelf(0)} },
	})
	if err == nil || !strings.Contains(err.Error(), "is no session.Evicter") {
		t.Errorf("Check with a bounded store that tells nobody = %v, want an error that says so", err)
	}
}

func TestRuleErrorNamesRuleCauseAndClause(t *testing.T) {
	cause := errors.New("Load = nil")
	err := &sessiontest.RuleError{Rule: "a rule", Why: "Store 1: a sentence", Err: cause}
	if got, want := err.Error(), "a rule: Load = nil\n\tbroken: Store 1: a sentence"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	if !errors.Is(err, cause) {
		t.Error("a RuleError does not wrap what happened")
	}
}

// TestRun has the subtests of a sound store pass, and those of what is missing skipped.
func TestRun(t *testing.T) {
	const named = "a new record is accepted"
	closed := 0
	t.Run("rules", func(t *testing.T) {
		sessiontest.Run(t, func(t *testing.T) session.Store {
			if strings.HasSuffix(t.Name(), strings.ReplaceAll(named, " ", "_")) {
				t.Error("a rule that is named in Options.Skip got a store")
			}
			t.Cleanup(func() { closed++ })
			return newStore(newShelf(0), sound)
		}, sessiontest.Options{
			Peer:    func(_ *testing.T, s session.Store) session.Store { return newStore(s.(*store).shelf, sound) },
			Break:   func(_ *testing.T, s session.Store) { s.(*store).fail() },
			Corrupt: func(_ *testing.T, s session.Store, id string) { s.(*store).tear(id) },
			Bounded: func(_ *testing.T, max int) session.Store { return newStore(newShelf(max), sound) },
			Skip:    []string{named},
		})
	})
	if want := len(sessiontest.RuleNames()) - 1; closed != want {
		t.Errorf("Run cleaned up after %d stores, want %d, one for each rule but the one skipped", closed, want)
	}
}
