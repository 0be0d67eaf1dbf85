package provider

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/explore"
)

// clock stands until it is moved.
type clock struct{ at atomic.Pointer[time.Time] }

func (c *clock) now() time.Time          { return *c.at.Load() }
func (c *clock) set(t time.Time)         { c.at.Store(&t) }
func (c *clock) advance(d time.Duration) { c.set(c.now().Add(d)) }

// holding is a session that a browser was given.
type holding struct {
	ticket    string
	user, sid string // sid is "" where a password began it
	later     bool   // it began after what the provider ends
}

// The browsers that are signed in before the scene begins.
const (
	phone = iota
	laptop
	office
	bobs
)

// scene is two people with a few sessions, and requests that meet, each at a node of its own.
type scene struct {
	t      testing.TB
	p      *Provider
	x      *explore.Explorer
	clock  clock
	suffix string // of all names, which nobody else on the store has
	nodes  []*Node
	judge  *Node // whose calls take no turns
	before []*holding
	acts   []*act
}

// own makes a name one of this scene.
func (sc *scene) own(name string) string { return name + sc.suffix }

func newScene(t testing.TB, p *Provider, x *explore.Explorer, play Play, stores [2]explore.Store, list []deed) *scene {
	sc := &scene{t: t, p: p, x: x, suffix: "-" + rand.Text()}
	sc.clock.set(play.Start)
	var renew time.Duration
	if play.Renew {
		renew = time.Minute
	}
	for i, d := range list {
		sc.nodes = append(sc.nodes, p.Node(t, x.Steps(stores[i%2]), sc.clock.now, renew))
		sc.acts = append(sc.acts, &act{deed: d, node: i})
	}
	sc.judge = p.Node(t, stores[1], sc.clock.now, renew)
	for _, h := range []*holding{
		{user: "ada", sid: "phone"}, {user: "ada", sid: "laptop"}, {user: "ada"}, {user: "bob", sid: "bob"},
	} {
		sc.begin(h)
		sc.before = append(sc.before, h)
	}
	sc.clock.advance(2 * time.Minute)
	return sc
}

// begin signs somebody in.
func (sc *scene) begin(h *holding) {
	path, form := "/password", url.Values{"user": {sc.own(h.user)}}
	if h.sid != "" {
		path, form = "/signin", url.Values{"id_token": {sc.p.IDToken(sc.own(h.user), sc.own(h.sid), sc.clock.now())}}
	}
	var status int
	if status, h.ticket = sc.nodes[0].Post(context.Background(), path, "", form); status != http.StatusOK {
		sc.t.Fatalf("a sign-in before the scene is answered with %d", status)
	}
}

func (sc *scene) close() {
	for _, n := range append(sc.nodes, sc.judge) {
		_ = n.Sessions.Close() // which has no error
	}
}
