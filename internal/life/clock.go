package life

import (
	"errors"
	"fmt"
	"time"
)

// never is session.Never, which switches a clock off.
const never time.Duration = -1

// shortest is the least idle timeout or lifetime: a browser cannot keep a session for less, and most such numbers lack
// their unit.
const shortest = time.Second

// CheckClock refuses an idle timeout or a lifetime that nobody can mean.
func CheckClock(name string, d time.Duration) error {
	if d > 0 && d < shortest {
		return fmt.Errorf("%s: %v is below one second; %s", name, d, withUnit(d))
	}
	return NeverOrPositive(name, d, "none")
}

// briefest is the least time that a goroutine waits between two of the same: nobody means less, and most such numbers
// lack their unit. Times that are compared, such as RenewEvery, may be shorter: in a test, for what happens each time.
const briefest = time.Millisecond

// CheckUnit refuses a time to wait that was written without its unit, which would keep a processor and the store busy.
func CheckUnit(name string, d time.Duration) error {
	if d > 0 && d < briefest {
		return fmt.Errorf("%s: %v is below one millisecond; %s", name, d, withUnit(d))
	}
	return nil
}

// withUnit says what to write in place of a duration whose unit is wrong or missing.
func withUnit(d time.Duration) string {
	n := int64(d)
	switch {
	case d%time.Millisecond == 0:
		n = d.Milliseconds()
	case d%time.Microsecond == 0: // the unit was perhaps meant
		return "use more, and a unit such as time.Second"
	}
	return fmt.Sprintf("did you mean %d*time.Second?", n)
}

// NeverOrPositive refuses a negative duration that is not session.Never, which stands for what off says, and one
// without its unit.
func NeverOrPositive(name string, d time.Duration, off string) error {
	if d < 0 && d != never {
		return fmt.Errorf("%s: %v is negative; use session.Never for %s", name, d, off)
	}
	return CheckUnit(name, d)
}

// ClockSkew is how far the clocks of two machines may be apart.
const ClockSkew = time.Minute

// LoginTime is the time of a sign-in that others vouch for, or says why it cannot be one.
func LoginTime(t, now time.Time) (time.Time, error) {
	switch {
	case t.IsZero():
		return t, errors.New("session: LoginAt: the time is zero; for now leave the option out")
	case t.Sub(now) > ClockSkew:
		return t, errors.New("session: LoginAt: the time is in the future; is it in seconds since 1970?")
	case t.After(now):
		return now, nil
	case t.Before(time.UnixMicro(1)): // 0 stands for none
		return time.UnixMicro(1), nil
	}
	return t, nil
}
