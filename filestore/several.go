package filestore

import (
	"cmp"
	"sync"
	"sync/atomic"
)

// atATime is how many files are worked on at the same time where there are many. What has expired nobody has asked for
// in a long time, so that each file is a wait for the disk.
const atATime = 4

// several calls fn for the numbers below n, for a few of them at a time, and returns when all calls have. After an
// error it begins no others.
func several(n int, fn func(i int) error) error {
	if n == 1 {
		return fn(0)
	}
	errs := make([]error, n)
	var next atomic.Int64
	var failed atomic.Bool
	var all sync.WaitGroup
	for range min(n, atATime) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !failed.Load(); i = int(next.Add(1)) - 1 {
				if errs[i] = fn(i); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	all.Wait()
	return cmp.Or(errs...)
}
