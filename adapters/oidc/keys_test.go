package oidcsession_test

import (
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	oidcsession "github.com/coatcheck/session/adapters/oidc"
	"github.com/coatcheck/session/memstore"
)

// silent is a server of keys that never answers, once it is told to.
type silent struct {
	on    atomic.Bool
	asked atomic.Int64
}

func (s *silent) RoundTrip(r *http.Request) (*http.Response, error) {
	if !s.on.Load() {
		return http.DefaultTransport.RoundTrip(r)
	}
	s.asked.Add(1)
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// Whoever waits for keys does so for ten seconds at most, whoever comes then does not wait again, and tokens that need
// no other keys never do.
func TestKeysThatNeverComeAreGivenUp(t *testing.T) {
	p := newProvider(t)
	way := &silent{}
	n := newNode(t, p, memstore.New(memstore.Options{}), oidcsession.Options{Client: &http.Client{Transport: way}})
	n.logsOut(p.logoutToken(t, "", "sid 1")) // the keys are at hand
	stranger := newProvider(t)
	stranger.rotate(t)
	p.clock.advance(time.Minute)
	way.on.Store(true)
	known, unknown := p.logoutToken(t, "", "sid 2"), stranger.sign(t, "", p.logoutClaims("", "sid 1"))
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		sent := func(token string, want int, after time.Duration) {
			t.Helper()
			body := url.Values{"logout_token": {token}}.Encode()
			if got := send(n.links.Logout(), formType, body); got != want || time.Since(began) != after {
				t.Errorf("%d after %v, want %d after %v", got, time.Since(began), want, after)
			}
		}
		var waiting sync.WaitGroup
		waiting.Go(func() { sent(unknown, http.StatusServiceUnavailable, 10*time.Second) })
		synctest.Wait()
		sent(known, http.StatusOK, 0)
		waiting.Wait()
		for range 20 {
			sent(unknown, http.StatusServiceUnavailable, 10*time.Second)
		}
		if asked := way.asked.Load(); asked != 1 {
			t.Errorf("the keys were asked for %d times, want once", asked)
		}
	})
}
