package leftout_test

import (
	"context"
	"slices"
	"testing"

	"github.com/coatcheck/session/internal/leftout"
)

func TestWhoAsksIsToldAndNobodyElse(t *testing.T) {
	leftout.Tell(t.Context(), "nobody hears this", "")
	var told []string
	ctx := leftout.Telling(t.Context(), func(id, place string) { told = append(told, id+place) })
	below, cancel := context.WithCancel(ctx)
	defer cancel()
	leftout.Tell(below, "one", "")
	leftout.Tell(ctx, "", "two")
	if want := []string{"one", "two"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
