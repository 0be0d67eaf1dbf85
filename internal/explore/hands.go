package explore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// grip is one request whose handler has two hands.
type grip struct {
	c     HandCase
	x     *Explorer
	store Store
	m     *session.Manager
	other *session.Manager // of the other request
	now   time.Time
	hands [2]*hand

	mu      sync.Mutex
	numbers map[string]int // of the hands, by their goroutines
	late    int            // events
	lost    int            // what was logged as an error

	before  string // the ticket that the request comes with
	s       *session.Session
	w       http.ResponseWriter
	r       *http.Request
	rec     *httptest.ResponseRecorder
	ended   [2]chan struct{}
	tickets []string // that the client has had
	deleted bool
	untold  bool  // of something stored, by a handler that panicked
	met     error // what the other request was answered
}

// hand is one goroutine of the handler.
type hand struct {
	*grip
	handDeed
	index  int
	wrote  []string // what is there when it is answered
	gone   []string // what is not
	steps  int      // of the counter
	popped bool
	saving bool
	err    error    // what a call answered
	broken []string // promises, while it ran
}

// HandPlay says how a HandCase is played.
type HandPlay struct {
	Store       Store // nobody else uses it
	Start       time.Time
	Preemptions int
	Settled     func() // synctest.Wait

	// Carry makes the store of sessions that are their tickets, and have what has ended remembered in another one.
	Carry func(retired session.Store) (session.Store, error)
}

// Explore plays the case in every order that the play allows. It returns how many orders there were.
func (c HandCase) Explore(p HandPlay) (orders int, err error) {
	g := &grip{c: c, store: p.Store, now: p.Start, x: &Explorer{Preemptions: p.Preemptions, Settled: p.Settled}}
	for _, m := range []**session.Manager{&g.m, &g.other} {
		if *m, err = g.newManager(p); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, (*m).Close()) }()
	}
	orders, err = g.x.Search(func() ([]func(context.Context), func() error, error) {
		err := g.begin()
		requests := []func(context.Context){g.serve, g.second}
		if c.meets {
			requests = append(requests, g.meet)
		}
		return requests, g.check, err
	})
	if err != nil {
		err = fmt.Errorf("%s: %w", c, err)
	}
	return orders, err
}

func (g *grip) newManager(p HandPlay) (m *session.Manager, err error) {
	var store session.Store = handStore{g.store, g}
	if g.c.from.carried {
		if store, err = p.Carry(store); err != nil {
			return nil, err
		}
	}
	return session.New(store, session.Options{
		Logger:     slog.New(lossHandler{slog.DiscardHandler, g}),
		Secrets:    []session.Secret{secret},
		Cookie:     session.Cookie{Name: cookieName},
		RenewEvery: g.c.from.renewEvery,
		SweepEvery: session.Never,
		OnEvent:    g.note,
		Now:        func() time.Time { return g.now },
	})
}

// begin clears the table, and puts the session there that the request comes with.
func (g *grip) begin() error {
	ctx := context.Background()
	recs, err := g.store.Page(ctx, "", 100)
	for _, rec := range recs {
		err = errors.Join(err, g.store.Delete(ctx, rec.ID))
	}
	*g = grip{c: g.c, x: g.x, store: g.store, m: g.m, other: g.other, now: g.now, numbers: map[string]int{}}
	for i, d := range g.c.deeds {
		g.hands[i] = &hand{grip: g, handDeed: d, index: i}
		g.ended[i] = make(chan struct{})
	}
	if g.c.from.stranger || err != nil {
		return err
	}
	s, err := g.m.Open(ctx, "")
	if err != nil {
		return err
	}
	if g.c.from.user != "" {
		s.Login(g.c.from.user)
	}
	owner.Set(s, desk)
	counter.Set(s, 1)
	s.Set("once", 1)
	s.Flash("notice", "hello")
	err = s.Save(ctx)
	g.before, g.tickets = s.Token(), []string{s.Token()}
	g.now = g.now.Add(2 * time.Hour)
	return err
}

// serve answers the request. The first hand is the goroutine of the handler.
func (g *grip) serve(ctx context.Context) {
	g.rec = httptest.NewRecorder()
	if !g.c.deeds[1].answers { // else either hand may make the commit of the response
		ctx = context.WithValue(ctx, handKey{}, 0)
	}
	r := httptest.NewRequestWithContext(ctx, "GET", "https://app.example.com/", nil)
	if g.before != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: g.before})
	}
	h := g.m.HandlerFunc(func(w http.ResponseWriter, r *http.Request, s *session.Session) {
		g.s, g.w, g.r = s, w, r
		g.hands[0].run()
		if !g.c.stays {
			<-g.ended[1]
		}
	})
	if g.answer(h, r) && !g.rec.Flushed { // as a server does
		g.rec.Flush()
	}
	g.keepCookies()
	close(g.ended[0])
}

// answer reports whether the handler did not panic, for then the server cuts the connection.
func (g *grip) answer(h http.Handler, r *http.Request) (whole bool) {
	defer func() {
		if recover() != nil {
			g.rec.Code = http.StatusInternalServerError
		}
	}()
	h.ServeHTTP(headerStop{g.rec, g}, r)
	return true
}

// keepCookies keeps what a browser would.
func (g *grip) keepCookies() {
	for _, c := range g.rec.Result().Cookies() {
		if c.Name == cookieName {
			g.deleted = c.MaxAge < 0
			if !g.deleted {
				g.tickets = append(g.tickets, c.Value)
			}
		}
	}
}

// second is the other hand.
func (g *grip) second(context.Context) {
	g.hands[1].run()
	close(g.ended[1])
}

// meet is the other request, at another node.
func (g *grip) meet(context.Context) {
	ctx := context.WithValue(context.Background(), handKey{}, len(g.hands))
	g.x.stop(len(g.hands), "begins", "")
	var s *session.Session
	if s, g.met = g.other.Open(ctx, g.before); g.met != nil {
		return
	}
	if s.IsNew() {
		g.met = session.ErrEnded
		return
	}
	counter.Update(s, func(n int) int { return n + 1 })
	s.Set("met", true)
	g.met = s.Save(ctx)
}

func (h *hand) run() {
	h.mu.Lock()
	h.numbers[goroutine()] = h.index
	h.mu.Unlock()
	h.step("begins")
	h.do(h)
	if h.c.stays && h.index == 1 {
		h.err = errors.Join(h.err, h.commit())
	}
}

func (h *hand) commit() error {
	h.step("saves")
	h.saving = true
	defer func() { h.saving = false }()
	return h.s.Save(h.ctx())
}
