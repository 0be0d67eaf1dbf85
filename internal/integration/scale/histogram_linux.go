package main

import (
	"math"
	"math/bits"
	"time"
)

const (
	stepBits = 5 // 32 steps from one power of two to the next: a step is 3 % at most
	steps    = 1 << stepBits
)

// histogram counts durations, so that a million of them take no memory that would have to be collected meanwhile.
type histogram [64 * steps]uint64

func (h *histogram) note(d time.Duration) { h[step(uint64(max(d, 0)))]++ }

func (h *histogram) add(o *histogram) {
	for i, n := range o {
		h[i] += n
	}
}

// step is that of n: below 2*steps each number has its own.
func step(n uint64) int {
	shift := max(bits.Len64(n)-stepBits-1, 0)
	return shift*steps + int(n>>shift)
}

// lowest is the smallest number that has the step.
func lowest(i int) uint64 {
	shift := max(i/steps-1, 0)
	return uint64(i-shift*steps) << shift
}

// quantile is the duration that the share q of all does not exceed, but for the width of a step; 0 where there are
// none.
func (h *histogram) quantile(q float64) time.Duration {
	var total, seen uint64
	for _, n := range h {
		total += n
	}
	rank := uint64(math.Ceil(q * float64(total)))
	for i, n := range h {
		if seen += n; n > 0 && seen >= rank {
			return time.Duration((lowest(i) + lowest(i+1)) / 2)
		}
	}
	return 0
}
