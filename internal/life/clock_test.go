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
		30: "30*time.Second", 30 * time.Millisecond: "30*time.Second",
		1500 * time.Microsecond: "a unit such as time.Second",
	} {
		err := life.CheckClock("Idle", d)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CheckClock(%v) = %v, want %q", d, err, want)
		}
	}
}

// The hint names a number that somebody can have written.
func TestATimeIsAMillisecondOrMore(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", time.Millisecond: "",
		1: "Every: 1ns is below one millisecond; did you mean 1*time.Second?", 3601: "did you mean 3601*time.Second?",
		500 * time.Microsecond: "Every: 500µs is below one millisecond; use more, and a unit such as time.Second",
	} {
		err := life.CheckUnit("Every", d)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("CheckUnit(%v) = %v, want %q", d, err, want)
		}
	}
}
