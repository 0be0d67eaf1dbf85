package atomicfile

import (
	"context"
	"errors"
	"syscall"
)

const (
	errorSharingViolation = syscall.Errno(32)
	heldTries             = 400 // that take some two seconds
)

// whileHeld does again what fails because somebody has the file open. Windows replaces and removes no such file if it
// was opened without leave for that, as scanners for viruses do for a moment, or if the disk is no NTFS.
func whileHeld(ctx context.Context, fn func() error) (err error) {
	wait := firstWait
	for range heldTries {
		err = fn()
		held := errors.Is(err, syscall.ERROR_ACCESS_DENIED) || errors.Is(err, errorSharingViolation)
		if !held || sleep(ctx, wait) != nil {
			return err
		}
		wait = min(2*wait, lastWait)
	}
	return err
}
