package session

import "testing"

func TestSign(t *testing.T) {
	for n, want := range map[int]int{-1: -1, 0: 0, 1: 1, 100: 1, 101: 0} {
		if got := Sign(n); got != want {
			t.Errorf("Sign(%d) = %d, want %d", n, got, want)
		}
	}
}

func TestHalf(t *testing.T) {
	if n, err := Half(6); n != 3 || err != nil {
		t.Errorf("Half(6) = %d, %v", n, err)
	}
	if _, err := Half(3); err == nil {
		t.Errorf("Half(3) is no error")
	}
}

func TestUnchecked(t *testing.T) {
	Unchecked(nil)
}

func TestThatFails(t *testing.T) {
	t.Error(Name(0))
}
