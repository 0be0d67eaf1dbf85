package integration_test

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// watched counts the connections of a client that the client has not closed.
type watched struct{ open sync.WaitGroup }

type watchedConn struct {
	net.Conn
	closed func()
}

func (c watchedConn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}

func (w *watched) dial(ctx context.Context, addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	w.open.Add(1)
	return watchedConn{conn, sync.OnceFunc(w.open.Done)}, nil
}

// noticed waits until the client has closed its connections, with no command sent.
func (w *watched) noticed(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		w.open.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("the client has kept connections that the server closed")
	}
}

// The package's documentation says what the option is for. Without it, and with no pings, the client would learn of the
// end of a connection from the next save there.
func TestAConnectionOfRedisThatWasClosedIsNotWrittenTo(t *testing.T) {
	ctx, r, conns := context.Background(), syncingRedis(t), watched{}
	store := redisStore(t, redisClient(t, rueidis.ClientOption{
		// no pings
		InitAddress: []string{r.Addr}, AlwaysPipelining: true, DialCtxFn: conns.dial, Dialer: net.Dialer{KeepAlive: -1},
	}), redisstore.Options{})
	for version := range uint64(20) { // some on each of the client's connections
		save(t, store, &session.Record{ID: "a", Version: version})
	}
	r.Kill()
	conns.noticed(t)
	if err := r.Start(r.Ready); err != nil {
		t.Fatal(err)
	}
	for version := range uint64(20) {
		if err := store.Save(ctx, &session.Record{ID: "a", Version: 20 + version}); err != nil {
			t.Error(err)
		}
	}
}
