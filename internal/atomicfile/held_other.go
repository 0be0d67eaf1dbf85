//go:build !windows

package atomicfile

import "context"

// whileHeld does it once: a file that somebody has open can be replaced and removed all the same.
func whileHeld(_ context.Context, fn func() error) error { return fn() }
