package shop

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// A stop takes less than a second: requests under way get drainTime to end by themselves. Then their connections are
// cut, and handlers get settleTime to notice.
const (
	drainTime  = 400 * time.Millisecond
	settleTime = 200 * time.Millisecond
)

// serve serves until the context ends. When it returns, no handler runs that could still use the sessions, but for one
// that the store keeps waiting.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	gate := &gate{next: handler}
	server := &http.Server{
		Handler:           gate,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop(server)
	gate.shut()
	return nil
}

// stop lets requests end, and then cuts connections: one that sends nothing, or sends slowly, would hold up the stop
// for as long as it likes.
func stop(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := server.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
		_ = server.Close() // nothing is left to do with an error of closing a connection
	}
}

// gate knows when no handler runs. http.Server.Close does not wait for handlers, and the store must not be closed under
// them: what they were asked to save would be lost.
type gate struct {
	next    http.Handler
	running sync.RWMutex // read-locked by each request
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.running.TryRLock() {
		panic(http.ErrAbortHandler) // shut: the connection is being cut as well
	}
	defer g.running.RUnlock()
	g.next.ServeHTTP(w, r)
}

// shut lets no request in any more, and waits for those that are.
func (g *gate) shut() {
	empty := make(chan struct{})
	go func() {
		g.running.Lock() // for good
		close(empty)
	}()
	select {
	case <-empty:
	case <-time.After(settleTime):
	}
}
