package shop_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session/cmd/demo/shop"
)

// wire is a listener in a bubble, whose clients are of the test.
type wire struct {
	t     *testing.T
	conns chan net.Conn
	over  context.Context
	end   context.CancelFunc
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case conn := <-w.conns:
		return conn, nil
	case <-w.over.Done():
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { w.end(); return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{} }

// dial connects, and waits until the server has read a text.
func (w *wire) dial(text string) net.Conn {
	w.t.Helper()
	ours, its := net.Pipe()
	w.t.Cleanup(func() { ours.Close() })
	w.conns <- its
	if _, err := io.WriteString(ours, text); err != nil {
		w.t.Fatal(err)
	}
	return ours
}

// served runs a handler until the test stops it, and returns where, how to stop it, and what Serve returns.
func served(t *testing.T, handler http.HandlerFunc) (w *wire, stop func(), result <-chan error) {
	w = &wire{t: t, conns: make(chan net.Conn)}
	w.over, w.end = context.WithCancel(t.Context())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- shop.Serve(ctx, w, handler) }()
	return w, cancel, done
}

// wantStopped wants that it takes less than a second from now.
func wantStopped(t *testing.T, result <-chan error) {
	t.Helper()
	began := time.Now()
	if err := <-result; err != nil || time.Since(began) >= time.Second {
		t.Errorf("Serve = %v after %v, want nil within a second", err, time.Since(began))
	}
}

func TestAStopLetsARequestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, proceed := make(chan struct{}), make(chan struct{})
		w, stop, result := served(t, func(w http.ResponseWriter, _ *http.Request) {
			close(begun)
			<-proceed
			fmt.Fprint(w, "whole")
		})
		conn := w.dial("GET / HTTP/1.1\r\nHost: demo\r\n\r\n")
		<-begun
		stop()
		close(proceed)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("read the response: %v", err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); string(body) != "whole" {
			t.Errorf("the response is %q, %v, want it whole", body, err)
		}
		wantStopped(t, result)
	})
}

func TestAStopWaitsForNoSlowConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := make(chan struct{})
		var ended atomic.Bool
		w, stop, result := served(t, func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			_, _ = io.Copy(io.Discard, r.Body)
			ended.Store(true)
		})
		w.dial("")                                   // says nothing
		w.dial("GET / HTTP/1.1\r\nHost: de")         // says half of it
		w.dial("POST / HTTP/1.1\r\nHost: demo\r\n" + // says no more
			"Content-Length: 100\r\n\r\nhalf")
		<-begun
		stop()
		wantStopped(t, result)
		if !ended.Load() {
			t.Error("Serve returned while a handler was still running")
		}
	})
}

func TestAFailingListenerIsReported(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	if err := shop.Serve(t.Context(), listener, http.NotFoundHandler()); err == nil {
		t.Error("Serve on a closed listener = nil, want an error")
	}
}

func TestAPortInUseIsReported(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	addr := listener.Addr().String()
	err = shop.Run(t.Context(), shop.Options{Addr: addr, Open: func(context.Context) (*shop.Place, error) {
		t.Error("the place was opened for a site that cannot listen")
		return shop.Memory(), nil
	}})
	if err == nil || !strings.Contains(err.Error(), "--addr "+addr) {
		t.Errorf("Run = %v, want an error that names %s", err, addr)
	}
}
