//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package atomicfile

import (
	"errors"
	"os"
)

// tryLock refuses: without locks between processes a logout could be undone, and nobody would know.
func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func releaseLock(*os.File) {}
