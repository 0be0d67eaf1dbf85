package life_test

import (
	"errors"
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

func TestOfManyFailuresTheFirstAreTold(t *testing.T) {
	var f life.Failures
	if f.All() != nil {
		t.Errorf("All = %v", f.All())
	}
	own, last := errors.New("one"), errors.New("the walk")
	for range 103 {
		f.Add(own)
	}
	err := f.All()
	if !errors.Is(err, own) || strings.Count(err.Error(), "one\n") != 100 ||
		!strings.HasSuffix(err.Error(), "and so for 3 more sessions") {
		t.Errorf("All = %v", err)
	}
	if err := f.And(last); !errors.Is(err, own) || !errors.Is(err, last) {
		t.Errorf("And = %v", err)
	}
}
