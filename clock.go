package session

import (
	"fmt"
	"time"
)

// Never switches a clock off: as Options.IdleTimeout, Lifetime and SweepEvery, and with SetIdleTimeout, SetLifetime and
// Remember. Any other negative duration is refused there, for it is a mistake as a rule, such as time.Until of what is
// past.
const Never time.Duration = -1

// shortest is the least idle timeout or lifetime: a browser cannot keep a session for less, and most such numbers lack
// their unit.
const shortest = time.Second

// checkClock refuses an idle timeout or a lifetime that nobody can mean.
func checkClock(name string, d time.Duration) error {
	if d > 0 && d < shortest {
		return fmt.Errorf("%s: %v is below one second; did you mean %d*time.Second?", name, d, withoutUnit(d))
	}
	return neverOrPositive(name, d, "none")
}

// withoutUnit is the number that was written before a unit that is wrong or missing.
func withoutUnit(d time.Duration) int64 {
	if d%time.Millisecond == 0 {
		return int64(d / time.Millisecond)
	}
	return int64(d)
}

func neverOrPositive(name string, d time.Duration, never string) error {
	if d < 0 && d != Never {
		return fmt.Errorf("%s: %v is negative; use session.Never for %s", name, d, never)
	}
	return nil
}

// wholeSeconds rounds up, so that a cookie does not end before its session.
func wholeSeconds(d time.Duration) int {
	seconds := d / time.Second
	if d%time.Second > 0 {
		seconds++
	}
	return int(seconds)
}
