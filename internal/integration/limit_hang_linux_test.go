package integration_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
)

// hangingAfter returns a store on connections that hang when so many messages have gone to the server as the number
// says. They go on when the proxy is told so.
func (s server) hangingAfter(t *testing.T, table string) (tableStore, opened, *servers.Proxy, *atomic.Int64) {
	t.Helper()
	left := new(atomic.Int64)
	store, proxy, db := s.through(t, table, func(p *servers.Proxy) {
		p.Watch(func() func([]byte) {
			return func([]byte) {
				if left.Add(-1) == 0 {
					p.Set(servers.Hang)
				}
			}
		})
	})
	return store, db, proxy, left
}

// Some drivers wait for a COMMIT without end, whatever the context says.
func TestALoginWithinALimitEndsWithItsTimeWhereverTheServerHangs(t *testing.T) {
	eachOf(t, append(otherWays(), sqlServers...), func(t *testing.T, s server) {
		t.Parallel()
		store, db, proxy, left := s.hangingAfter(t, s.table())
		for messages := range 8 {
			left.Store(int64(messages + 1))
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			returned := make(chan error, 1)
			go func() {
				rec := &session.Record{ID: fmt.Sprint("id ", messages), User: fmt.Sprint("user ", messages)}
				returned <- store.SaveWithin(ctx, rec, session.Limit{Max: 3})
			}()
			select {
			case <-returned: // with an error, unless it was over before
			case <-time.After(patience):
				t.Fatalf("SaveWithin goes on without end if the server hangs after %d messages", messages+1)
			}
			left.Store(0)
			proxy.Set(servers.None)
			db.released(t)
		}
	})
}
