package integration_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// unlisted makes sessions that are in use, and missing from the lists of their users.
func (y *year) unlisted(users ...string) {
	y.t.Helper()
	for _, user := range users {
		for i := range 20 {
			id := fmt.Sprint(user, i)
			save(y.t, y.store, &session.Record{ID: id, User: user, ExpiresAt: y.after(1)})
			if err := y.store.Touch(y.t.Context(), id, 1, y.began, y.after(3)); err != nil {
				y.t.Fatal(err)
			}
		}
	}
	y.forgetLists()
}

// sweepFails wants a sweep to report that it could not do all.
func (y *year) sweepFails(store *redisstore.Store) {
	y.t.Helper()
	if n, err := store.Sweep(y.t.Context(), y.after(2), 100); n != 0 || err == nil {
		y.t.Errorf("Sweep = %d, %v, want none and an error", n, err)
	}
}

// sweepLists wants the next sweep to put sessions on their lists, and what ends to leave nothing.
func (y *year) sweepLists(users ...string) {
	y.t.Helper()
	for range 2 {
		if n, err := y.store.Sweep(y.t.Context(), y.after(2), 100); n != 0 || err != nil {
			y.t.Errorf("the next Sweep = %d, %v, want 0: all are in use", n, err)
		}
	}
	for _, user := range users {
		y.wantListed(user, 20)
	}
	if n, err := y.store.Sweep(y.t.Context(), y.after(4), 100); n != 20*len(users) || err != nil {
		y.t.Errorf("Sweep after the end = %d, %v, want all", n, err)
	}
	if keys := y.keys("*"); len(keys) > 0 {
		y.t.Errorf("%q are left, want nothing", keys)
	}
}

// A list may be out of reach when a sweep meets a session that is missing there, just after a failover above all.
func TestASweepTriesAgainToPutSessionsBackOnTheirLists(t *testing.T) {
	for name, addrs := range map[string][]string{"single": singleRedis(t), "cluster": clusterRedis(t)} {
		t.Run(name, func(t *testing.T) {
			y := newYear(t, addrs)
			y.unlisted("ada")
			store, cut := y.cutAt(scriptName(t, "enlist.lua"))
			cut.left.Store(100)
			y.sweepFails(store)
			cut.left.Store(0)
			y.wantListed("ada", 0)
			y.sweepLists("ada")
		})
	}
}

// unheard loses the first answers to a word.
type unheard struct {
	word string
	left atomic.Int32
}

type unheardConn struct {
	net.Conn
	*unheard
	lost atomic.Bool
}

func (d *unheard) dial(ctx context.Context, addr string, dialer *net.Dialer, _ *tls.Config) (net.Conn, error) {
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	return &unheardConn{Conn: conn, unheard: d}, err
}

func (c *unheardConn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("\r\n"+c.word+"\r\n")) && c.left.Add(-1) >= 0 {
		c.lost.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *unheardConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.lost.Load() {
		return 0, io.EOF
	}
	return n, err
}

// The answer of the server that a session ends later may be lost, and the index has moved on.
func TestASweepWhoseAnswerIsLostMeetsSessionsAgain(t *testing.T) {
	y := newYear(t, singleRedis(t))
	y.unlisted("ada")
	d := &unheard{word: scriptName(t, "drop.lua")}
	store := redisStore(t, redisClient(t, rueidis.ClientOption{InitAddress: singleRedis(t), DialCtxFn: d.dial}),
		redisstore.Options{Prefix: y.prefix})
	d.left.Store(1)
	y.sweepFails(store)
	y.sweepLists("ada")
}

// onlyListOf is a year, and a store whose user may reach the list of nobody else.
func onlyListOf(t *testing.T, user string) (*year, *redisstore.Store) {
	t.Helper()
	rights := slices.DeleteFunc(redisRights(t), func(right string) bool { return right == "~session:*" })
	sum := sha256.Sum256([]byte(user))
	for _, keys := range []string{"s{*", "i{*", "d{*", "e{*", "u{" + hex.EncodeToString(sum[:16]) + "}"} {
		rights = append(rights, "~session:"+keys)
	}
	r, limited := limitedRedis(t, rights)
	t.Cleanup(r.Stop)
	y := newYear(t, []string{r.Addr})
	y.prefix = "session:"
	y.store = redisStore(t, y.client, redisstore.Options{})
	return y, redisStore(t, limited, redisstore.Options{})
}

// What could be done for one list does not hide what could not be done for another.
func TestASweepReportsTheListsThatItCouldNotReach(t *testing.T) {
	y, store := onlyListOf(t, "bob")
	y.unlisted("ada", "bob")
	y.sweepFails(store)
	y.wantListed("ada", 0)
	y.wantListed("bob", 20)
	y.sweepLists("ada", "bob")
}

// Whoever walks through all sessions after a failover hears at the end that some are still missing on their lists.
func TestAListOfAllReportsTheListsThatItCouldNotReach(t *testing.T) {
	y, store := onlyListOf(t, "bob")
	y.unlisted("ada", "bob")
	n := 0
	var failed error
	for _, err := range node(t, store).All(t.Context()) {
		if failed = err; err == nil {
			n++
		}
	}
	if n != 40 || !errors.Is(failed, session.ErrUnavailable) || !strings.Contains(failed.Error(), "lists") {
		t.Errorf("All = %d sessions, and %v, want all 40 and what could not be done", n, failed)
	}
	y.wantListed("ada", 0)
	y.wantListed("bob", 20)
	if page, err := y.store.Page(t.Context(), "", 100); len(page) != 40 || err != nil {
		t.Errorf("Page of who may reach all lists = %d, %v, want 40", len(page), err)
	}
	y.wantListed("ada", 20)
}
