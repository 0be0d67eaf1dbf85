//go:build linux

package main

import (
	"errors"
	"os/exec"
	"runtime"
)

// keepAwake keeps the processors from going to sleep, by processes that run only where nothing else wants to. To wake
// up takes a processor longer than a command takes a server, a virtual one even more; whether it sleeps depends on how
// long a client thinks between two commands. No processor of a site that has work to do sleeps.
func keepAwake() (stop func() error, err error) {
	var spinning []*exec.Cmd
	stop = func() (err error) {
		for _, c := range spinning {
			err = errors.Join(err, c.Process.Kill())
			_ = c.Wait() // it was killed
		}
		return err
	}
	for range runtime.NumCPU() {
		c := exec.Command("chrt", "--idle", "0", "sh", "-c", "while [ -d /proc/$PPID ]; do :; done")
		if err := c.Start(); err != nil {
			return nil, errors.Join(err, stop())
		}
		spinning = append(spinning, c)
	}
	return stop, nil
}
