package provider

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// A storm has so many browsers, each of which sends so many requests. The provider's clock goes on by a second with
// each token, and a logout token must not get old, so that there cannot be many.
const (
	browsers = 8
	visits   = 6
	notices  = 20 // of each of the provider's two servers
)

// storm is people who sign in and move on at two nodes, while the provider ends what they have begun or are about to
// begin. All of it happens at once.
type storm struct {
	p      *Provider
	clock  clock
	suffix string
	nodes  [2]*Node

	mu     sync.Mutex
	signed []*visitor
	ended  []ending
	wrong  []error
}

// visitor is a browser, and what it should find.
type visitor struct {
	holding
	at    time.Time // of the token
	maybe bool      // its last sign-in was refused, which may have ended the session before
}

// ending is what the provider was told that it is done.
type ending struct {
	by, value string
	at        time.Time
}

// Storm plays a round on two stores that are one. The seed decides who does what, and not in which order.
func Storm(t testing.TB, stores [2]session.Store, seed uint64, start time.Time) error {
	t.Helper()
	w := &storm{p: New(t), suffix: fmt.Sprint("-", seed)}
	w.clock.set(start)
	for i, store := range stores {
		w.nodes[i] = w.p.Node(t, store, w.clock.now, 10*time.Second)
		defer w.nodes[i].Sessions.Close()
	}
	var all sync.WaitGroup
	for i := range browsers {
		v := &visitor{}
		w.signed = append(w.signed, v)
		all.Go(func() { w.visit(v, i, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	for i := range w.nodes {
		all.Go(func() { w.end(w.nodes[i], i, rand.New(rand.NewPCG(seed, uint64(browsers+i)))) })
	}
	all.Wait()
	return errors.Join(append(w.wrong, w.check())...)
}

// tick is the time of a token.
func (w *storm) tick() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.clock.advance(time.Second)
	return w.clock.now()
}

func (w *storm) note(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, err)
}

func (w *storm) sid(browser, visit int) string {
	return fmt.Sprint("sid ", browser, " ", visit, w.suffix)
}

// visit has a browser send its requests one after the other.
func (w *storm) visit(v *visitor, number int, rng *rand.Rand) {
	for i := range visits {
		next := visitor{holding: holding{user: []string{"ada", "bob"}[rng.IntN(2)] + w.suffix}, at: w.tick()}
		path, form := "/renew", url.Values{"user": {next.user}}
		switch rng.IntN(6) {
		case 0, 1, 2:
			next.sid = w.sid(number, i)
			path, form = "/signin", url.Values{"id_token": {w.p.IDToken(next.user, next.sid, next.at)}}
		case 3:
			path = "/password"
		case 4:
			path, next.user = "/leave", ""
		default:
			next = *v
		}
		status, given := w.nodes[rng.IntN(2)].Post(context.Background(), path, v.ticket, form)
		if next.ticket = v.ticket; given != "" {
			next.ticket = given
		}
		switch {
		case status == http.StatusOK:
			*v = next
		case path == "/signin" && status == http.StatusForbidden && w.sentFor(next):
			v.ticket, v.maybe = next.ticket, true
		case path == "/renew" && status == http.StatusConflict && w.sentFor(*v): // its session is over meanwhile
		default:
			w.note(fmt.Errorf("%s is answered with %d", path, status))
		}
	}
}

// end sends what the provider ends, before, beside and after the sign-in, and sometimes twice.
func (w *storm) end(n *Node, number int, rng *rand.Rand) {
	for i := range notices {
		e := ending{by: "sid", value: w.sid(rng.IntN(browsers), rng.IntN(visits)), at: w.tick()}
		if rng.IntN(notices) == 0 {
			e.by, e.value = "sub", "ada"+w.suffix
		}
		w.mu.Lock()
		w.ended = append(w.ended, e)
		w.mu.Unlock()
		jti := fmt.Sprint("jti ", number, " ", i, w.suffix)
		if rng.IntN(3) == 0 {
			status := n.Push(context.Background(), w.p.Event("session-revoked", e.by, e.value, jti, e.at))
			if status != http.StatusAccepted {
				w.note(fmt.Errorf("an event is answered with %d", status))
			}
			continue
		}
		w.logOutTwice(url.Values{"logout_token": {w.p.LogoutToken(e.by, e.value, jti, e.at)}})
	}
}

// logOutTwice sends a token to both nodes at the same time.
func (w *storm) logOutTwice(form url.Values) {
	var statuses [2]int
	var both sync.WaitGroup
	for i, n := range w.nodes {
		both.Go(func() { statuses[i], _ = n.Post(context.Background(), "/logout", "", form) })
	}
	both.Wait()
	if slices.Sort(statuses[:]); statuses != [2]int{http.StatusOK, http.StatusBadRequest} {
		w.note(fmt.Errorf("two uses of a token are answered with %v", statuses))
	}
}

// sentFor reports whether the provider has sent a notice about a sign-in.
func (w *storm) sentFor(v visitor) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return v.sid != "" && slices.ContainsFunc(w.ended, func(e ending) bool {
		return e.by == "sid" && e.value == v.sid || e.by == "sub" && e.value == v.user && !v.at.After(e.at)
	})
}

// check compares what is left with what was answered.
func (w *storm) check() (err error) {
	lists := map[string][]string{}
	for i, v := range w.signed {
		got, failed := w.nodes[1].Open(v.ticket)
		over := v.user == "" || w.sentFor(*v)
		switch {
		case failed != nil:
		case got.User == "" && (over || v.maybe):
			continue
		case over || got.User != v.user || got.SID != v.sid:
			failed = fmt.Errorf("browser %d has the session of %q by %q, and not of %q by %q; over: %v", i, got.User,
				got.SID, v.user, v.sid, over)
		}
		lists[v.user] = append(lists[v.user], v.sid)
		err = errors.Join(err, failed)
	}
	for _, user := range []string{"ada" + w.suffix, "bob" + w.suffix} {
		slices.Sort(lists[user])
		got, failed := w.nodes[1].Links(context.Background(), user)
		if err = errors.Join(err, failed); !slices.Equal(got, lists[user]) {
			err = errors.Join(err, fmt.Errorf("%s has sessions by %q, and the browsers %q", user, got, lists[user]))
		}
	}
	return err
}
