package life_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/life"
)

func TestOfManyFailuresTheFirstAreTold(t *testing.T) {
	w := newWorld(t)
	for range 104 {
		w.stored("x")
	}
	own, visited := errors.New("one"), 0
	n, err := w.VisitAll(t.Context(), time.Time{}, func(context.Context, *life.Record) (refused, err error) {
		if visited++; visited == 1 {
			return nil, nil
		}
		return nil, own
	})
	if n != 1 || !errors.Is(err, own) || strings.Count(err.Error(), "one\n") != 100 ||
		!strings.HasSuffix(err.Error(), "and so for 3 more sessions") {
		t.Errorf("VisitAll = %d, %v", n, err)
	}
}

func TestARefusalEndsTheWalk(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		w.stored("x")
	}
	no, visited := errors.New("no"), 0
	n, err := w.VisitAll(t.Context(), time.Time{}, func(context.Context, *life.Record) (refused, err error) {
		if visited++; visited == 2 {
			return no, no
		}
		return nil, nil
	})
	if n != 1 || err != no || visited != 2 {
		t.Errorf("VisitAll = %d, %v after %d visits", n, err, visited)
	}
}
