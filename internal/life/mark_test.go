package life_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/life"
)

// The clocks of two nodes may be apart.
func TestAClaimThatIsGivenUpIsFreeForANodeWhoseClockIsBehind(t *testing.T) {
	for _, behind := range []time.Duration{0, time.Second, life.ClockSkew} {
		w := newWorld(t)
		claims, err := w.Claim(t.Context(), []string{"one", "two"})
		if err != nil || len(claims) != 2 {
			t.Fatalf("Claim = %d claims, %v", len(claims), err)
		}
		w.Unclaim(t.Context(), claims)
		w.now = w.now.Add(-behind)
		if claims, err := w.Claim(t.Context(), []string{"one", "two"}); err != nil || len(claims) != 2 {
			t.Errorf("%v behind: Claim = %d claims, %v", behind, len(claims), err)
		}
	}
}

// Whoever lost the answer keeps no claim of their own, so that the next request need not wait until it ends.
func TestAClaimWhoseAnswerIsLostIsGivenUp(t *testing.T) {
	for name, before := range map[string]func(w *world){
		"a new one": func(*world) {},
		"one of somebody who crashed": func(w *world) {
			if _, err := w.Claim(w.t.Context(), []string{"one"}); err != nil {
				w.t.Fatal(err)
			}
			w.now = w.now.Add(time.Hour)
		},
	} {
		w := newWorld(t)
		before(w)
		w.shelf.fails = func(rec *life.Record) (error, bool) {
			if old := w.shelf.recs["one"]; old != nil && old.Version != rec.Version {
				return nil, false
			}
			w.shelf.fails = nil
			return errors.New("no answer"), true
		}
		if claims, err := w.Claim(t.Context(), []string{"one"}); !errors.Is(err, life.ErrUnavailable) {
			t.Errorf("%s: Claim = %d claims, %v, want an outage", name, len(claims), err)
		}
		if claims, err := w.Claim(t.Context(), []string{"one"}); err != nil || len(claims) != 1 {
			t.Errorf("%s: Claim, again = %d claims, %v", name, len(claims), err)
		}
	}
}

// The request was lost and not the answer, and somebody else has the claim meanwhile.
func TestWhoeverLosesARequestEndsNoClaimOfSomebodyElse(t *testing.T) {
	w := newWorld(t)
	w.shelf.fails = func(*life.Record) (error, bool) { return errors.New("no answer"), false }
	w.shelf.after = func() {
		w.shelf.fails, w.shelf.after = nil, nil
		if _, err := w.Claim(t.Context(), []string{"one"}); err != nil {
			t.Error(err)
		}
	}
	if _, err := w.Claim(t.Context(), []string{"one"}); !errors.Is(err, life.ErrUnavailable) {
		t.Errorf("Claim = %v, want an outage", err)
	}
	if claims, err := w.Claim(t.Context(), []string{"one"}); !errors.Is(err, life.ErrConflict) || claims != nil {
		t.Errorf("two have the claim: Claim = %d claims, %v", len(claims), err)
	}
}

// A store that hangs until there is no more time is not asked what became of it.
func TestAClaimWhoseTimeIsOverEndsByItself(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	w.shelf.fails = func(*life.Record) (error, bool) {
		w.shelf.fails = nil
		cancel()
		return errors.New("no answer"), true
	}
	if claims, err := w.Claim(ctx, []string{"one"}); !errors.Is(err, life.ErrUnavailable) {
		t.Errorf("Claim = %d claims, %v, want an outage", len(claims), err)
	}
	if claims, err := w.Claim(t.Context(), []string{"one"}); !errors.Is(err, life.ErrConflict) {
		t.Errorf("Claim, again = %d claims, %v, want a conflict until it ends", len(claims), err)
	}
	w.now = w.now.Add(2 * life.StoreTimeout)
	if claims, err := w.Claim(t.Context(), []string{"one"}); err != nil || len(claims) != 1 {
		t.Errorf("Claim, after its end = %d claims, %v", len(claims), err)
	}
}
