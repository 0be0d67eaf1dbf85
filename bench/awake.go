//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
)

// spin ends with this program. Between two looks at whether that lives it stays within a few lines of the cache, which
// it shares with the library that waits for a server meanwhile.
const spin = "while [ -d /proc/$PPID ]; do i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; done"

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
		c := exec.Command("chrt", "--idle", "0", "sh", "-c", spin)
		if err := c.Start(); err != nil {
			return nil, errors.Join(err, stop())
		}
		spinning = append(spinning, c)
	}
	return stop, nil
}

// apart leaves the last processor to the server of a store alone until together is called, so that it and this program
// meet as on two machines. Otherwise the kernel puts both on one processor or on two as it likes, and a command then
// takes a third of the time, or three times as long.
func apart(store string) (together func() error, err error) {
	last := runtime.NumCPU() - 1
	if last == 0 || !slices.Contains(onServers, store) {
		return func() error { return nil }, nil
	}
	if err := pin(os.Getpid(), fmt.Sprintf("0-%d", last-1)); err != nil {
		return nil, err
	}
	runtime.GOMAXPROCS(last)
	return func() error {
		runtime.GOMAXPROCS(last + 1)
		return pin(os.Getpid(), fmt.Sprintf("0-%d", last))
	}, nil
}

// pinServers gives servers the last processor.
func pinServers(pids ...int) (err error) {
	for _, pid := range pids {
		if pid > 0 { // not one that the environment named
			err = errors.Join(err, pin(pid, strconv.Itoa(runtime.NumCPU()-1)))
		}
	}
	return err
}

// pin lets all threads of a process run on these processors alone, and the processes that it starts from now on.
func pin(pid int, processors string) error {
	out, err := exec.Command("taskset", "-a", "-p", "-c", processors, strconv.Itoa(pid)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w: %s", err, out)
	}
	return nil
}
