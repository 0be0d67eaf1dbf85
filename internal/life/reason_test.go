package life_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/life"
)

func TestAReasonIsPrintableAndShort(t *testing.T) {
	for why, ok := range map[string]bool{
		"": false, " ": true, "~": true, "\x7f": false, "\t": false, "é": false,
		strings.Repeat("a", 64): true, strings.Repeat("a", 65): false,
	} {
		if err := life.CheckReason(life.Reason(why)); (err == nil) != ok {
			t.Errorf("CheckReason(%q) = %v", why, err)
		}
	}
}

// Who ends a session first says why, and whoever comes with its ticket is told until the tombstone is over.
func TestATombstoneTellsWhy(t *testing.T) {
	w := newWorld(t)
	token := w.stored("x")
	d, _ := w.find(token)
	for i, why := range []life.Reason{"first", "second"} {
		n, err := w.Records.Revoke(t.Context(), life.Ending{Why: why, Told: true}, []string{d.ID()})
		if n != 1-i || err != nil {
			t.Errorf("%s: Revoke = %d, %v", why, n, err)
		}
	}
	for range 2 {
		if late, found := w.find(token); late.EndedBy() != "first" || found.Live {
			t.Errorf("EndedBy = %q, live %v", late.EndedBy(), found.Live)
		}
		w.now = w.now.Add(time.Hour - time.Minute)
	}
}
