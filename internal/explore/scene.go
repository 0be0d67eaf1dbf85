package explore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// Play says how cases are played.
type Play struct {
	Start       time.Time // when it begins
	Preemptions int       // see Explorer
	Faults      int

	// Settled, if set, is that of the Explorer, and all requests come to one node. Otherwise each has its own.
	Settled func()

	// Rest, if set, lets time pass between the requests and the checks, in which a manager removes what it left behind
	// when the store failed.
	Rest func()

	// Known, if set, reports failures that are expected. The search goes on after them.
	Known func(Case, *Broken) bool
}

// stage is a node for each request on one backend, on which scenes are played one after another.
type stage struct {
	c     Case
	play  Play
	x     *Explorer
	nodes []node
	store Store
	now   time.Time

	mu      sync.Mutex
	evicted map[string]bool             // by id
	ends    map[string][]session.Reason // by id, why it ended
	news    int                         // devices that were told of as new
}

// client is where ada is signed in.
type client struct {
	name, ticket, id string
	created          time.Time
}

// scene is sessions of ada, and requests that meet them at the nodes.
type scene struct {
	*stage
	clients []client
	form    string // a token for forms that the desk was shown
	// challenge is the ticket of the session in which that of a stranger waits.
	challenge string
	acts      []*act
}

// Explore plays the case in every order that the play allows, on two stores that share one backend, which nobody else
// uses. It returns how many orders there were.
func (c Case) Explore(stores [2]Store, p Play) (orders int, err error) {
	x := &Explorer{Preemptions: p.Preemptions, Faults: p.Faults, Settled: p.Settled}
	st := &stage{c: c, play: p, store: stores[0], now: p.Start, x: x}
	defer func() { err = errors.Join(err, st.close()) }()
	for i := range max(len(c.deeds), 2) {
		if i > 0 && p.Settled != nil {
			st.nodes = append(st.nodes, st.nodes[0])
		} else if err := st.addNode(stores[i%2]); err != nil {
			return 0, err
		}
	}
	orders, err = st.x.Search(func() ([]func(context.Context), func() error, error) {
		sc, err := st.scene()
		if err != nil {
			return nil, nil, err
		}
		requests := make([]func(context.Context), len(sc.acts))
		for i, a := range sc.acts {
			requests[i] = a.run
		}
		return requests, sc.check, nil
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", c, err)
	}
	return orders, err
}

func (st *stage) addNode(store Store) error {
	opts := session.Options{
		Logger:      slog.New(slog.DiscardHandler),
		Secrets:     []session.Secret{secret},
		Cookie:      session.Cookie{Name: cookieName},
		IdleTimeout: st.c.due.idle,
		RenewEvery:  st.c.due.renewEvery,
		SweepEvery:  -1,
		MaxPerUser:  st.c.room.perUser,
		Overflow:    st.c.room.overflow,
		OnEvent:     st.note,
		Now:         func() time.Time { return st.now }, // changed only while no request runs
	}
	steps := st.x.Steps(store)
	if e, ok := store.(session.Evicter); ok && st.c.room.bound > 0 {
		steps = boundStore{stepStore{store, st.x}, e}
	}
	m, err := session.New(steps, opts)
	if err != nil {
		return err
	}
	g, err := guard.New(m, guard.Options{SignIn: st.signInLimits(steps)})
	st.nodes = append(st.nodes, node{m, g, steps})
	return err
}

var secret = session.NewSecret()

func (st *stage) close() (err error) {
	for _, n := range st.nodes {
		err = errors.Join(err, n.m.Close())
	}
	return err
}

// note remembers who was evicted, and why sessions ended. Of an eviction by the store several nodes tell.
func (st *stage) note(_ context.Context, e session.Event) {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch e.Kind {
	case session.EventEvicted:
		st.evicted[e.ID] = true
	case session.EventEnded:
	case session.EventNewDevice:
		st.news++
		return
	default:
		return
	}
	st.ends[e.ID] = append(st.ends[e.ID], e.Reason)
}

// apart is the time between two that sign in, so that one is the older; too short for a touch to come due by it.
const apart = 20 * time.Second

// scene clears the stage and signs ada in.
func (st *stage) scene() (*scene, error) {
	ctx := context.Background()
	if err := st.clear(ctx); err != nil {
		return nil, err
	}
	sc := &scene{stage: st}
	for i, d := range st.c.deeds {
		sc.acts = append(sc.acts, &act{deed: d, index: i, sc: sc, node: st.nodes[i], status: 200})
	}
	names := []string{desk}
	if st.c.beside() {
		names = append(names, phone)
	}
	for _, name := range names {
		if err := sc.signIn(ctx, name); err != nil {
			return nil, err
		}
		st.now = st.now.Add(apart)
	}
	for _, prepare := range []func(context.Context) error{
		sc.confirmOperation, sc.askStranger, sc.knowDevice, sc.openStreams, sc.renew,
	} {
		if err := prepare(ctx); err != nil {
			return nil, err
		}
	}
	for _, a := range sc.acts {
		a.cookie = sc.at(a.by).ticket
	}
	err := sc.showForm()
	st.now = st.now.Add(st.c.due.age)
	return sc, err
}

// signIn begins a session of ada with what requests of a scene find in it.
func (sc *scene) signIn(ctx context.Context, name string) error {
	s, err := sc.nodes[0].m.Open(ctx, "")
	if err != nil {
		return err
	}
	s.Login("ada", session.Factor(atLogin))
	owner.Set(s, name)
	role.Set(s, "admin")
	s.Set("cart", 1)
	challenge.Set(s, "?")
	gift.Set(s, "!")
	if err := s.Save(ctx); err != nil {
		return err
	}
	sc.clients = append(sc.clients, client{name, s.Token(), s.ID(), s.CreatedAt()})
	return nil
}

// at returns a client of ada's, an empty one for a stranger.
func (sc *scene) at(name string) client {
	i := slices.IndexFunc(sc.clients, func(c client) bool { return c.name == name })
	if i < 0 {
		return client{}
	}
	return sc.clients[i]
}

func (sc *scene) any(fn func(*act) bool) bool { return slices.ContainsFunc(sc.acts, fn) }

func (st *stage) clear(ctx context.Context) error {
	st.mu.Lock()
	st.evicted, st.ends, st.news = map[string]bool{}, map[string][]session.Reason{}, 0
	st.mu.Unlock()
	const most = 100 // more than the few requests of one scene leave
	recs, err := st.store.Page(ctx, "", most)
	for _, rec := range recs {
		err = errors.Join(err, st.store.Delete(ctx, rec.ID))
	}
	return err
}
