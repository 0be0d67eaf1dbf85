package life_test

import (
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/life"
)

func TestAClockIsASecondOrMore(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", time.Second: "", -1: "", -2: "Idle: -2ns is negative; use session.Never for none",
		30: "30*time.Second", 30 * time.Millisecond: "30*time.Second", 1500 * time.Microsecond: "1500000*time.Second",
	} {
		err := life.CheckClock("Idle", d)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CheckClock(%v) = %v, want %q", d, err, want)
		}
	}
}
