package integration_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// followed says how far the client has come with a call: each begins with Err, a command that is sent and read by
// itself asks for the Deadline, and one that waits for its turn for Done.
type followed struct {
	context.Context
	begun, alone, waits chan struct{}
}

func follow(ctx context.Context) followed {
	return followed{ctx, make(chan struct{}, 100), make(chan struct{}, 100), make(chan struct{}, 100)}
}

func (f followed) Err() error {
	f.begun <- struct{}{}
	return f.Context.Err()
}

func (f followed) Deadline() (time.Time, bool) {
	f.alone <- struct{}{}
	return f.Context.Deadline()
}

func (f followed) Done() <-chan struct{} {
	f.waits <- struct{}{}
	return f.Context.Done()
}

// A client hands everybody who waits for a connection the error of the one who uses it. A save that was never sent for
// that reason is sent, for its own time is not over.
func TestASaveDoesNotEndWithTheTimeOfAnotherVisitor(t *testing.T) {
	r := ownRedis(t)
	store := redisStore(t, redisClient(t, rueidis.ClientOption{
		InitAddress: []string{r.Addr}, PipelineMultiplex: -1, Dialer: net.Dialer{KeepAlive: -1},
	}), redisstore.Options{})
	save(t, store, &session.Record{ID: "a"})
	stop := func(sig syscall.Signal) {
		if err := syscall.Kill(r.PID(), sig); err != nil {
			t.Error(err)
		}
	}
	stop(syscall.SIGSTOP)
	defer stop(syscall.SIGCONT)
	read, saved := make(chan error, 1), make(chan error, 1)
	ctx, end := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer end()
	reader, writer := follow(ctx), follow(t.Context())
	go func() {
		_, err := store.Load(reader, "a")
		read <- err
	}()
	<-reader.alone
	go func() { saved <- store.Save(writer, &session.Record{ID: "a", Version: 1}) }()
	<-writer.waits
	if err := <-read; !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("the read whose time is over = %v, want that", err)
	}
	stop(syscall.SIGCONT)
	if err := <-saved; err != nil {
		t.Errorf("the save behind it = %v", err)
	}
	if rec := loaded(t, store, "a"); rec.Version != 2 {
		t.Errorf("the record has version %d, want 2", rec.Version)
	}
}

// Whoever opens the connection may go away meanwhile. The others open it then.
func TestASaveDoesNotEndWithTheVisitorWhoConnects(t *testing.T) {
	var held atomic.Bool
	conns, leaves := &watched{}, make(chan func(), 1)
	writer := follow(t.Context())
	dial := func(ctx context.Context, addr string, d *net.Dialer, c *tls.Config) (net.Conn, error) {
		if held.CompareAndSwap(true, false) {
			leave := <-leaves
			<-writer.begun
			for range 100_000 { // until the save has come as far as to wait
				runtime.Gosched()
			}
			leave()
		}
		return conns.dial(ctx, addr, d, c)
	}
	r := ownRedis(t)
	store := redisStore(t, redisClient(t, rueidis.ClientOption{
		InitAddress: []string{r.Addr}, PipelineMultiplex: -1, DialCtxFn: dial, AlwaysPipelining: true,
	}), redisstore.Options{})
	save(t, store, &session.Record{ID: "a"})
	held.Store(true)
	told(t, r, "CLIENT", "KILL", "TYPE", "normal")
	conns.noticed(t)
	ctx, leave := context.WithCancel(t.Context())
	read, saved := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := store.Load(ctx, "a")
		read <- err
	}()
	for held.Load() {
		runtime.Gosched()
	}
	go func() { saved <- store.Save(writer, &session.Record{ID: "a", Version: 1}) }()
	leaves <- leave
	if err := <-read; !errors.Is(err, context.Canceled) {
		t.Errorf("the read that was given up = %v, want that", err)
	}
	if err := <-saved; err != nil {
		t.Errorf("the save behind it = %v", err)
	}
}
