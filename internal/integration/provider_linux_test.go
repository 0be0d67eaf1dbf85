package integration_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/internal/integration/provider"
	"github.com/coatcheck/session/redisstore"
)

// A sign-in by a provider, a renewal, another sign-in on the same browser, and logouts by sid and by sub: two of them
// in every order with one interruption, on every store that two nodes may share.
func TestOrdersOfASignInAndItsLogoutKeepTheLinkOnEveryStore(t *testing.T) {
	deeds := provider.Fewest
	if os.Getenv("COATCHECK_EXPLORE") != "" {
		deeds = provider.Few
	}
	eachShared(t, func(t *testing.T, stores [2]session.Store) {
		pair := [2]explore.Store{stores[0].(explore.Store), stores[1].(explore.Store)}
		play := provider.Play{Start: time.Now(), Requests: 2, Preemptions: number(t, "COATCHECK_PREEMPTIONS", 1),
			Only: deeds}
		orders, err := play.Orders(t, pair)
		if err != nil {
			t.Error(err)
		}
		t.Logf("%d orders", orders)
	})
}

// The same with many browsers at once, whose calls really overlap.
func TestAStormOfSignInsAndLogoutsLeavesWhatWasAnsweredOnEveryStore(t *testing.T) {
	eachShared(t, func(t *testing.T, stores [2]session.Store) {
		for range 3 {
			if err := provider.Storm(t, stores, rand.Uint64N(1e9), time.Now()); err != nil {
				t.Error(err)
			}
		}
	})
}

// What is kept of a logout goes when no ID token is good any more that was issued before, and what is kept of a sign-in
// goes with the link.
func TestWhatIsKeptOfSignInsAndLogoutsGoesOnEveryStore(t *testing.T) {
	eachShared(t, func(t *testing.T, stores [2]session.Store) {
		const signedIn, unknown = 5, 10
		p, now := provider.New(t), time.Now()
		n := p.Node(t, stores[1], func() time.Time { return now }, 0)
		post := func(path, name, token string) {
			t.Helper()
			if status, _ := n.Post(t.Context(), path, "", url.Values{name: {token}}); status != http.StatusOK {
				t.Fatalf("%s is answered with %d", path, status)
			}
		}
		for i := range signedIn {
			post("/signin", "id_token", p.IDToken("ada", fmt.Sprint("sid ", i), now))
		}
		for i := range signedIn + unknown {
			sid := fmt.Sprint("sid ", i)
			post("/logout", "logout_token", p.LogoutToken("sid", sid, "end of "+sid, now))
		}
		// Of each logout its mark and its token, of each session its tombstone, and what is known of ada.
		records := func(after time.Duration, want int) {
			t.Helper()
			now = now.Add(after)
			_, err := n.Sessions.Sweep(t.Context())
			page, listed := stores[1].(session.Lister).Page(t.Context(), "", 1000)
			if err := errors.Join(err, listed); err != nil || len(page) != want {
				t.Errorf("%v later %d records are left, %v, want %d", after, len(page), err, want)
			}
		}
		records(0, 2*(signedIn+unknown)+signedIn+1)
		records(time.Hour, 2*signedIn+1)
		records(31*24*time.Hour, 0)
	})
}

// eachShared is eachBackend, and a node that caches what is in Redis beside one that does not: one that the server
// tells of changes, and one that it does not reach any more.
func eachShared(t *testing.T, fn func(t *testing.T, stores [2]session.Store)) {
	eachBackend(t, fn)
	for name, hears := range map[string]bool{"Redis with a cache": true, "Redis with a cache that is not told": false} {
		t.Run(name, func(t *testing.T) {
			opts := redisstore.Options{Prefix: newPrefix()}
			plain := redisStore(t, clientThatHears(t, true), opts)
			opts.CacheTTL = time.Minute
			fn(t, [2]session.Store{redisStore(t, clientThatHears(t, hears), opts), plain})
		})
	}
}

func clientThatHears(t *testing.T, hears bool) rueidis.Client {
	t.Helper()
	opts := rueidis.ClientOption{InitAddress: singleRedis(t)}
	if !hears {
		opts.DialCtxFn = func(ctx context.Context, addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
			conn, err := d.DialContext(ctx, "tcp", addr)
			return deaf{conn}, err
		}
	}
	return redisClient(t, opts)
}

// deaf is a connection on which no message comes that a key was changed, as one that hangs.
type deaf struct{ net.Conn }

var invalidation = regexp.MustCompile(`>2\r\n\$10\r\ninvalidate\r\n\*1\r\n\$\d+\r\n[^\r]*\r\n`)

func (c deaf) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if n = copy(b, invalidation.ReplaceAll(b[:n], nil)); n > 0 || err != nil {
			return n, err
		}
	}
}

// hooked does something before each save.
type hooked struct {
	*redisstore.Store
	before func(*session.Record)
}

func (h *hooked) Save(ctx context.Context, rec *session.Record) error {
	if h.before != nil {
		h.before(rec)
	}
	return h.Store.Save(ctx, rec)
}

// The sign-in looks at the server whether it is over, and not at what another sign-in on this node has just read.
func TestALogoutIsFoundByANodeThatCachesAndWasNotTold(t *testing.T) {
	opts := redisstore.Options{Prefix: newPrefix()}
	plain := redisStore(t, clientThatHears(t, true), opts)
	opts.CacheTTL = time.Minute
	cached := &hooked{Store: redisStore(t, clientThatHears(t, false), opts)}
	p, now := provider.New(t), time.Now()
	clock := func() time.Time { return now }
	one, two := p.Node(t, cached, clock, 0), p.Node(t, plain, clock, 0)
	post := func(n *provider.Node, path, name, token string) int {
		status, _ := n.Post(t.Context(), path, "", url.Values{name: {token}})
		return status
	}
	var other, ended int
	cached.before = func(rec *session.Record) {
		if rec.Kind == session.KindLive {
			cached.before = nil
			other = post(one, "/signin", "id_token", p.IDToken("ada", "laptop", now))
			ended = post(two, "/logout", "logout_token", p.LogoutToken("sub", "ada", "once", now))
		}
	}
	status := post(one, "/signin", "id_token", p.IDToken("ada", "phone", now))
	sids, err := two.Links(t.Context(), "ada")
	if answers := [3]int{other, ended, status}; answers != [3]int{http.StatusOK, http.StatusOK, http.StatusForbidden} {
		t.Errorf("a sign-in, a logout and the sign-in that began before them are answered with %v", answers)
	}
	if len(sids) > 0 || err != nil {
		t.Errorf("sessions by %q go on, %v", sids, err)
	}
}
