package newest_test

import (
	"testing"

	"github.com/coatcheck/session/internal/newest"
)

func TestOnlyWhoAsksForTheNewestGetsIt(t *testing.T) {
	if newest.Wanted(t.Context()) || !newest.Wanted(newest.With(t.Context())) {
		t.Error("Wanted is not what was asked for")
	}
}
