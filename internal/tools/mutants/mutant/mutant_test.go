package mutant

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestEachSwitchChangesWhatItSays(t *testing.T) {
	yes := func() bool { return true }
	for _, tt := range []struct {
		name         string
		got          func(n int) any
		usual, other any
	}{
		{"And", func(n int) any { return And(n, false, yes) }, false, true},
		{"Or", func(n int) any { return Or(n, false, yes) }, true, false},
		{"Less", func(n int) any { return Less(n, 1, 1) }, false, true},
		{"LessOrEqual", func(n int) any { return LessOrEqual(n, 1, 1) }, true, false},
		{"Greater", func(n int) any { return Greater(n, 1, 1) }, false, true},
		{"GreaterOrEqual", func(n int) any { return GreaterOrEqual(n, 1, 1) }, true, false},
		{"Less of others", func(n int) any { return Less(n, 1, 2) }, true, true},
		{"Greater of others", func(n int) any { return Greater(n, 1, 2) }, false, false},
		{"Plus", func(n int) any { return Plus(n, 3, 2) }, 5, 1},
		{"Minus", func(n int) any { return Minus(n, 3, 2) }, 1, 5},
		{"Pick", func(n int) any { return Pick(n, "other", "usual") }, "usual", "other"},
		{"Err", func(n int) any { return Err(n, errors.ErrUnsupported) }, errors.ErrUnsupported, nil},
	} {
		active = 7
		if got := tt.got(7); got != tt.other {
			t.Errorf("%s in force = %v, want %v", tt.name, got, tt.other)
		}
		if got := tt.got(8); got != tt.usual {
			t.Errorf("%s beside another in force = %v, want %v", tt.name, got, tt.usual)
		}
	}
}

func TestAPlaceIsNotedOnceAndOnlyWhereItWouldMatter(t *testing.T) {
	reached, active = filepath.Join(t.TempDir(), "reached"), 0
	defer func() { reached = "" }()
	Less(1, 1, 2)
	Err(2, nil)
	for range 2 {
		On(3)
	}
	if text, err := os.ReadFile(reached); string(text) != "3\n" {
		t.Errorf("noted %q, %v; want 3 alone", text, err)
	}
}
