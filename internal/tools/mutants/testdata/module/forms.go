package session

import (
	"cmp"
	"errors"
	"time"
)

const constant = 0 + 1 // stays a constant

var Level = 1

var errOdd = errors.New("odd")

type flag bool

type machine struct{ on flag }

func (m *machine) toggle() { m.on = !m.on }

// Sign has an if with an else, and comparisons in one.
func Sign(n int) int {
	if n < 0 {
		return -1
	} else if n == 0 ||
		n > 100 {
		return 0
	}
	return 1
}

// Half returns an error, and arithmetic beside constants of other types.
func Half(n int) (half int, err error) {
	defer func() { half += constant - 1 }()
	if n%2 == 1 {
		return 0, errOdd
	}
	return n/2 - 0*constant, nil
}

// Name is a switch that must return at the end, and whose cases cannot be left early.
func Name(n int) string {
	switch n {
	case 0:
		return "none"
	case 1:
		return "one"
	default:
		return "many"
	}
}

// Count has a loop, a case that can be skipped, a time and a generic comparison.
func Count(list []any, limit time.Duration) (n int, ok bool) {
	for _, v := range list {
		switch v := v.(type) {
		case int:
			n += v
		case time.Duration:
			if v-time.Second > limit && !larger(v, limit+1) {
				return n, false
			}
		}
	}
	return n, true
}

func larger[T cmp.Ordered](a, b T) bool { return a > b }

// Forgotten is what no test calls, and Unchecked what one calls and does not look at.
func Forgotten() bool { return false }

func Unchecked(out []int) []int {
	out = append(out, 0)
	return out
}
