//go:build linux

// Package servers starts private database servers for tests: on free loopback ports, with their data in a temporary
// folder, as a user without privileges where the server wants that. They are stopped by pid, and the system stops them
// when the test program dies.
//
// With COATCHECK_POSTGRES or COATCHECK_MYSQL set, the server of that address is used instead.
package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Server is a server that was started.
type Server struct {
	Dir  string // of its data
	Port int
	name string
	args []string
	as   *syscall.Credential

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	log  bytes.Buffer
}

// starter runs in one thread that never ends, because the system's "kill the child when the parent dies" means the
// thread that started it.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for fn := range work {
			fn()
		}
	}()
	return work
})

func start(cmd *exec.Cmd) error {
	errs := make(chan error)
	starter() <- func() { errs <- cmd.Start() }
	return <-errs
}

var (
	allMu sync.Mutex
	all   []*Server
)

// StopAll stops every server that was started and removes its data. Call it at the end of TestMain.
func StopAll() {
	allMu.Lock()
	defer allMu.Unlock()
	for _, s := range all {
		s.Stop()
		_ = os.RemoveAll(s.Dir)
	}
	for _, f := range held {
		f.Close()
	}
	all, held = nil, nil
}

// newServer makes a folder that the user may use, and a free port.
func newServer(name, username string) (*Server, error) {
	dir, err := newDir(name)
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, name: name}
	if s.as, err = credential(username); err != nil {
		return nil, err
	}
	if s.as != nil {
		if err := os.Chown(dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
			return nil, err
		}
	}
	s.Port, err = freePort()
	allMu.Lock()
	defer allMu.Unlock()
	all = append(all, s)
	return s, err
}

// credential is the user's, for servers that refuse root. Whoever is not root runs them as himself.
func credential(username string) (*syscall.Credential, error) {
	if os.Getuid() != 0 || username == "" {
		return nil, nil
	}
	u, err := user.Lookup(username)
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// freePort finds a port that nobody listens on, and keeps it while this program runs, also while its server is away. It
// is none of those that the system gives to outgoing connections, one of which could otherwise take it before the
// server does. The port of the same number for UDP, which no server here uses, tells other programs of these tests that
// it is taken.
func freePort() (int, error) {
	const lowest, count = 15_000, 15_000
	var err error
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(count))
		var mark net.PacketConn
		if mark, err = net.ListenPacket("udp", address); err != nil {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", address); err != nil {
			mark.Close()
			continue
		}
		allMu.Lock()
		defer allMu.Unlock()
		held = append(held, mark)
		return l.Addr().(*net.TCPAddr).Port, l.Close()
	}
	return 0, fmt.Errorf("no port is free: %w", err)
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.Dir
	cmd.Env = append(os.Environ(), "HOME="+s.Dir, "TMPDIR="+s.Dir, "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// run runs a program to its end.
func (s *Server) run(name string, args ...string) error {
	cmd := s.command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := start(cmd); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %s: %w\n%s", s.name, filepath.Base(name), err, out.String())
	}
	return nil
}

// launch starts the server and waits until ready says so.
func (s *Server) launch(ready func(context.Context) error, name string, args ...string) error {
	s.args = append([]string{name}, args...)
	return s.Start(ready)
}

// Start starts the server again after Stop or Kill.
func (s *Server) Start(ready func(context.Context) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cmd = s.command(s.args[0], s.args[1:]...)
	s.log.Reset()
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := start(s.cmd); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	s.done = make(chan struct{})
	go func(cmd *exec.Cmd, done chan struct{}) {
		_ = cmd.Wait()
		close(done)
	}(s.cmd, s.done)
	return s.await(ready)
}

// patience is how long a server may take on a machine that has other things to do.
const patience = 5 * time.Minute

// await waits until ready says so, or the server has ended.
func (s *Server) await(ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("%s ended at once:\n%s", s.name, s.log.String())
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", s.name, errors.Join(ctx.Err(), err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// PID is the process of the server, 0 for one that the environment named or that does not run.
func (s *Server) PID() int {
	if s == nil {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil || s.cmd.Process == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Stop ends the server and waits for it.
func (s *Server) Stop() { s.signal(syscall.SIGTERM) }

// Kill ends the server as a crash would, and waits for it.
func (s *Server) Kill() { s.signal(syscall.SIGKILL) }

func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil || s.done == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	select {
	case <-s.done:
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// find returns the first of the programs that there is.
func find(names ...string) (string, error) {
	for _, name := range names {
		matches, _ := filepath.Glob(name)
		for _, path := range append(matches, name) {
			if path, err := exec.LookPath(path); err == nil {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not installed: make test installs it on Debian", names[len(names)-1])
}
