package atomicfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// How long a waiter sleeps between two tries for a lock that another process has. Most hold it for less than the first,
// one that waits for a disk for about the last.
const (
	firstWait = 50 * time.Microsecond
	lastWait  = 5 * time.Millisecond
)

// Lock waits until the folder is the caller's alone, among all goroutines and processes. The lock goes with the process
// that has it, however that one ends. A [Dir] that opened the same folder a second time counts as another process.
//
// The kernel's own waiting cannot be cancelled, so waiters for another process try again and again, one per process:
// the others wait in line for their turn to do so.
func (d *Dir) Lock(ctx context.Context) (unlock func(), err error) {
	select {
	case d.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, d.wrap("lock", "", ctx.Err())
	}
	f, err := d.lockFile(ctx)
	if err != nil {
		<-d.busy
		return nil, err
	}
	return func() {
		unlockFile(f)
		<-d.busy
	}, nil
}

// lockFile returns the locked file. The file stays for good: to remove it would be to race with those who wait for it.
// If somebody removes it all the same, the ones who had it open must not believe that they locked anything.
func (d *Dir) lockFile(ctx context.Context) (*os.File, error) {
	for {
		f, err := d.openLock()
		if err != nil {
			return nil, err
		}
		fi, err := d.wait(ctx, f)
		if err != nil {
			return nil, errors.Join(d.wrap("lock", lockName, err), f.Close())
		}
		if links(f, fi) == 1 {
			return f, nil
		}
		unlockFile(f)
	}
}

// openLock refuses a lock with a second name. That may be the lock of another folder, where a tool has merged equal
// files: whoever needs both would wait for himself.
func (d *Dir) openLock() (*os.File, error) {
	f, _, err := d.openFile(lockName)
	for errors.Is(err, fs.ErrNotExist) {
		if f, err = d.create(lockName); errors.Is(err, fs.ErrExist) {
			f, _, err = d.openFile(lockName)
		}
	}
	return f, err
}

func (d *Dir) wait(ctx context.Context, f *os.File) (fs.FileInfo, error) {
	for pause := firstWait; ; pause = min(2*pause, lastWait) {
		locked, err := tryLock(f)
		if err != nil {
			return nil, err
		}
		if locked {
			return f.Stat()
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unlockFile needs no error: with the descriptor goes the lock.
func unlockFile(f *os.File) {
	releaseLock(f)
	_ = f.Close()
}
