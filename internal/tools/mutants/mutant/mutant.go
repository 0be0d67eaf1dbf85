// Package mutant decides, in code that the command mutants has rewritten, which one of its many changes is in force. It
// is laid into the module by an overlay while test binaries are built, and is in none that anybody else builds.
package mutant

import (
	"cmp"
	"os"
	"strconv"
	"sync"
)

// The command says by the environment which change a process makes, and where to note the places it came by.
const (
	ActiveVariable  = "COATCHECK_MUTANT"
	ReachedVariable = "COATCHECK_MUTANT_REACHED"
)

var (
	active  = number(os.Getenv(ActiveVariable))
	reached = os.Getenv(ReachedVariable)
	noted   sync.Map // of int: a line for each place is enough
)

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// On reports whether change n is in force. It is asked only where the change would make a difference, so that what is
// noted as reached is a place where a test could have noticed.
func On(n int) bool {
	if reached != "" {
		note(n)
	}
	return n == active
}

// note appends to the file at once: nothing runs at the end of a test binary that fails, or of a child that is killed.
func note(n int) {
	if _, before := noted.LoadOrStore(n, true); before {
		return
	}
	file, err := os.OpenFile(reached, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	if _, err := file.WriteString(strconv.Itoa(n) + "\n"); err != nil {
		panic(err)
	}
	if err := file.Close(); err != nil {
		panic(err)
	}
}

// And is a && b, or a || b.
func And(n int, a bool, b func() bool) bool {
	if On(n) {
		return a || b()
	}
	return a && b()
}

// Or is a || b, or a && b.
func Or(n int, a bool, b func() bool) bool {
	if On(n) {
		return a && b()
	}
	return a || b()
}

// Less is a < b, or a <= b.
func Less[T cmp.Ordered](n int, a, b T) bool {
	return a < b != (a == b && On(n))
}

// LessOrEqual is a <= b, or a < b.
func LessOrEqual[T cmp.Ordered](n int, a, b T) bool {
	return a <= b != (a == b && On(n))
}

// Greater is a > b, or a >= b.
func Greater[T cmp.Ordered](n int, a, b T) bool {
	return a > b != (a == b && On(n))
}

// GreaterOrEqual is a >= b, or a > b.
func GreaterOrEqual[T cmp.Ordered](n int, a, b T) bool {
	return a >= b != (a == b && On(n))
}

type numeric interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr | ~float32 |
		~float64
}

// Plus is a + b, or a - b.
func Plus[T numeric](n int, a, b T) T {
	if b != 0 && On(n) {
		return a - b
	}
	return a + b
}

// Minus is a - b, or a + b.
func Minus[T numeric](n int, a, b T) T {
	if b != 0 && On(n) {
		return a + b
	}
	return a - b
}

// Pick is usual, or other.
func Pick[T any](n int, other, usual T) T {
	if On(n) {
		return other
	}
	return usual
}

// Err is err, or nil.
func Err(n int, err error) error {
	if err != nil && On(n) {
		return nil
	}
	return err
}
