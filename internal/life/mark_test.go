package life_test

import (
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
