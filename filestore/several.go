package filestore

import (
	"cmp"
	"sync"
	"sync/atomic"
)

// atATime is how many files are worked on at the same time where there are many. What has expired nobody has asked for
// in a long time, so that each file is a wait for the disk.
const atATime = 4

// several calls fn for the numbers below n, for a few of them at a time, and returns when all calls have. One that
// fails keeps it from none of the others, and the first error by number is returned.
func several(n int, fn func(i int) error) error {
	if n == 1 {
		return fn(0)
	}
	errs := make([]error, n)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(n, atATime) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = fn(i)
			}
		})
	}
	all.Wait()
	return cmp.Or(errs...)
}
