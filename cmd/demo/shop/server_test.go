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
	"time"

	"github.com/coatcheck/session/cmd/demo/shop"
)

// served runs a handler until the test stops it, and returns where, how to stop it, and what Serve returns.
func served(t *testing.T, handler http.Handler) (addr string, stop func(), result <-chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- shop.Serve(ctx, listener, handler) }()
	return listener.Addr().String(), cancel, done
}

// wantStopped waits for what takes less than a second on a machine that has time, and gives one that has none a minute.
func wantStopped(t *testing.T, result <-chan error) {
	t.Helper()
	select {
	case err := <-result:
		if err != nil {
			t.Errorf("Serve = %v, want nil", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Serve does not return")
	}
}

func dial(t *testing.T, addr, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestAStopLetsARequestEnd(t *testing.T) {
	begun, proceed := make(chan struct{}), make(chan struct{})
	addr, stop, result := served(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-proceed
		fmt.Fprint(w, "whole")
	}))
	conn := dial(t, addr, "GET / HTTP/1.1\r\nHost: demo\r\n\r\n")
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
}

func TestAStopWaitsForNoSlowConnection(t *testing.T) {
	begun := make(chan struct{})
	var ended atomic.Bool
	addr, stop, result := served(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		_, _ = io.Copy(io.Discard, r.Body)
		ended.Store(true)
	}))
	dial(t, addr, "")                                  // says nothing
	dial(t, addr, "GET / HTTP/1.1\r\nHost: de")        // says half of it
	dial(t, addr, "POST / HTTP/1.1\r\nHost: demo\r\n"+ // says no more
		"Content-Length: 100\r\n\r\nhalf")
	<-begun
	stop()
	wantStopped(t, result)
	if !ended.Load() {
		t.Error("Serve returned while a handler was still running")
	}
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
