package explore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coatcheck/session"
)

// outcome is what became of a request.
type outcome struct {
	deed    deed
	index   int
	status  int // of the response; 200 for what needs none
	ticket  string
	deleted bool
}

func (o outcome) String() string { return fmt.Sprintf("%d %s: %d", o.index, o.deed.name, o.status) }

// stage is two nodes on one backend, on which scenes are played one after another.
type stage struct {
	nodes [2]*session.Manager
	store Store
	now   time.Time
}

// scene is a session of ada, and requests that meet it at two nodes.
type scene struct {
	*stage
	ticket   string
	id       string
	outcomes []outcome
}

// Explore plays the case in every order with so many interruptions, on two stores that share one backend, which nobody else
// uses. Start is the time at which it begins. It returns how many orders there were.
func (c Case) Explore(stores [2]Store, start time.Time, preemptions int) (orders int, err error) {
	x := &Explorer{Preemptions: preemptions}
	st, err := c.stage(x, stores, start)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, st.nodes[0].Close(), st.nodes[1].Close()) }()
	orders, err = x.Search(func() ([]func(context.Context), func() error, error) {
		sc, err := st.scene(c)
		if err != nil {
			return nil, nil, err
		}
		requests := make([]func(context.Context), len(c.deeds))
		for i := range requests {
			requests[i] = sc.request(i)
		}
		return requests, sc.check, nil
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", c, err)
	}
	return orders, err
}

func (c Case) stage(x *Explorer, stores [2]Store, start time.Time) (*stage, error) {
	st := &stage{store: stores[0], now: start}
	opts := session.Options{
		Secrets:    []session.Secret{session.NewSecret()},
		RenewEvery: c.due.renewEvery,
		SweepEvery: -1,
		Now:        func() time.Time { return st.now }, // changed only while no request runs
	}
	for i, store := range stores {
		m, err := session.New(x.Steps(store), opts)
		if err != nil {
			return nil, err
		}
		st.nodes[i] = m
	}
	return st, nil
}

// scene clears the stage and signs ada in.
func (st *stage) scene(c Case) (*scene, error) {
	ctx := context.Background()
	if err := st.clear(ctx); err != nil {
		return nil, err
	}
	s, err := st.nodes[0].Open(ctx, "")
	if err != nil {
		return nil, err
	}
	s.Login("ada")
	if err := s.Save(ctx); err != nil {
		return nil, err
	}
	st.now = st.now.Add(c.due.age)
	sc := &scene{stage: st, ticket: s.Token(), id: s.ID()}
	for i, deed := range c.deeds {
		sc.outcomes = append(sc.outcomes, outcome{deed: deed, index: i, status: http.StatusOK})
	}
	return sc, nil
}

func (st *stage) clear(ctx context.Context) error {
	const all = 100 // more than the few requests of one scene leave
	recs, err := st.store.Page(ctx, "", all)
	for _, rec := range recs {
		err = errors.Join(err, st.store.Delete(ctx, rec.ID))
	}
	return err
}

// request returns the i-th of the requests.
func (sc *scene) request(i int) func(context.Context) {
	o, m := &sc.outcomes[i], sc.nodes[i%2]
	if o.deed.direct != nil {
		return func(ctx context.Context) {
			if err := o.deed.direct(ctx, m, sc.id); err != nil {
				o.status = http.StatusInternalServerError
			}
		}
	}
	h := m.HandlerFunc(func(_ http.ResponseWriter, _ *http.Request, s *session.Session) { o.deed.do(s, i) })
	return func(ctx context.Context) {
		r := httptest.NewRequestWithContext(ctx, "GET", "https://app.example.com/", nil)
		r.AddCookie(&http.Cookie{Name: "__Host-Http-session", Value: sc.ticket})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		o.status = w.Code
		for _, c := range w.Result().Cookies() {
			o.ticket, o.deleted = c.Value, c.MaxAge < 0
		}
	}
}
