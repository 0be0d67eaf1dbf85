package integration_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/provider"
	"github.com/coatcheck/session/redisstore"
)

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
