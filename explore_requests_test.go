package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// deed is what a request does in an exploration.
type deed struct {
	name   string
	do     func(s *session.Session, i int)                                // through a handler
	direct func(ctx context.Context, m *session.Manager, id string) error // or to the manager
	writes bool                                                           // and what it wrote must be there at the end
	moves  bool                                                           // the data get another id
	ends   bool                                                           // nothing is left of the session
	begins bool                                                           // a session of its own where the old one is gone
}

var deeds = []deed{
	{name: "load", do: func(s *session.Session, _ int) { s.Get("n") }},
	{name: "set", writes: true, do: func(s *session.Session, i int) { s.Set(fmt.Sprint("k", i), i) }},
	{name: "update", writes: true, do: func(s *session.Session, i int) { session.Key[int]("n").Update(s, func(n int) int { return n + 1 }) }},
	{name: "append", writes: true, do: func(s *session.Session, i int) { s.Append("list", i) }},
	{name: "flash", do: func(s *session.Session, _ int) { s.Flash("notice", "hello") }},
	{name: "regenerate", moves: true, do: func(s *session.Session, _ int) { s.Regenerate() }},
	{name: "login", moves: true, begins: true, do: func(s *session.Session, _ int) { s.Login("ada") }},
	{name: "login as bob", ends: true, begins: true, do: func(s *session.Session, _ int) { s.Login("bob") }},
	{name: "logout", ends: true, do: func(s *session.Session, _ int) { s.Logout() }},
	{name: "invalidate", ends: true, do: func(s *session.Session, _ int) { s.Invalidate() }},
	{name: "revoke", ends: true, direct: func(ctx context.Context, m *session.Manager, id string) error {
		_, err := m.Revoke(ctx, id)
		return err
	}},
	{name: "revoke all", ends: true, direct: func(ctx context.Context, m *session.Manager, _ string) error {
		_, err := m.RevokeUser(ctx, "ada")
		return err
	}},
}

// outcome is what became of a request.
type outcome struct {
	deed    deed
	index   int
	status  int // of the response; 200 for what needs none
	ticket  string
	deleted bool
}

func (o outcome) String() string { return fmt.Sprintf("%d %s: %d", o.index, o.deed.name, o.status) }

// scene is a session of ada, and requests that meet it at two nodes.
type scene struct {
	nodes    [2]*session.Manager
	store    fullStore
	ticket   string
	id       string
	outcomes []outcome
}

// due is what a request finds to do besides its own deed.
type due struct {
	name string
	opts func(*session.Options)
	age  time.Duration
}

var dues = []due{
	{name: "nothing due", opts: func(*session.Options) {}},
	{name: "touch due", opts: func(*session.Options) {}, age: time.Hour},
	{name: "renewal due", opts: func(o *session.Options) { o.RenewEvery = time.Hour }, age: 2 * time.Hour},
}

func newScene(x *explorer, d due, list []deed) (*scene, error) {
	clock := newClock()
	sc := &scene{store: memstore.New(memstore.Options{}), outcomes: make([]outcome, len(list))}
	opts := session.Options{Secrets: []session.Secret{testSecret}, Now: clock.now, SweepEvery: -1}
	d.opts(&opts)
	for i := range sc.nodes {
		m, err := session.New(stepStore{sc.store, x}, opts)
		if err != nil {
			return nil, err
		}
		sc.nodes[i] = m
	}
	s, err := sc.nodes[0].Open(context.Background(), "")
	if err != nil {
		return nil, err
	}
	s.Login("ada")
	if err := s.Save(context.Background()); err != nil {
		return nil, err
	}
	sc.ticket, sc.id = s.Token(), s.ID()
	clock.advance(d.age)
	for i, deed := range list {
		sc.outcomes[i] = outcome{deed: deed, index: i, status: http.StatusOK}
	}
	return sc, nil
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
		r.AddCookie(&http.Cookie{Name: "__Host-session", Value: sc.ticket})
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		o.status = w.Code
		for _, c := range w.Result().Cookies() {
			o.ticket, o.deleted = c.Value, c.MaxAge < 0
		}
	}
}

// check looks at what the requests left, and at what they answered.
func (sc *scene) check() error {
	found, err := sc.reachable()
	if err != nil {
		return err
	}
	return errors.Join(sc.checkAnswers(), sc.checkEnds(found), sc.checkWrites(found), sc.checkAlive(found))
}

// reachable opens every ticket that somebody has, and returns the sessions by id. No other may be alive.
func (sc *scene) reachable() (map[string]*session.Session, error) {
	ctx := context.Background()
	alive, found := []string{}, map[string]*session.Session{}
	for info, err := range sc.nodes[0].All(ctx) {
		if err != nil {
			return nil, err
		}
		alive = append(alive, info.ID)
	}
	for _, ticket := range sc.tickets() {
		s, err := sc.nodes[1].Open(ctx, ticket)
		if err != nil {
			return nil, err
		}
		if !s.IsNew() {
			found[s.ID()] = s
		}
	}
	for _, id := range alive {
		if found[id] == nil {
			return nil, fmt.Errorf("a session is alive that nobody has the ticket of: %v", sc.outcomes)
		}
	}
	for id := range found {
		if !slices.Contains(alive, id) {
			return nil, fmt.Errorf("a ticket opens a session that is in no list: %v", sc.outcomes)
		}
	}
	return found, nil
}

func (sc *scene) tickets() []string {
	list := []string{sc.ticket}
	for _, o := range sc.outcomes {
		if o.ticket != "" && !o.deleted {
			list = append(list, o.ticket)
		}
	}
	return list
}

// checkAnswers wants that each request succeeded or was told that its session has ended, and that only the one that ended
// it deleted the cookie.
func (sc *scene) checkAnswers() error {
	for _, o := range sc.outcomes {
		switch {
		case o.status != http.StatusOK && o.status != http.StatusConflict:
			return fmt.Errorf("a strange status: %v", sc.outcomes)
		case o.status == http.StatusConflict && !sc.any(func(o outcome) bool { return o.deed.ends || o.deed.moves }):
			return fmt.Errorf("a session ended that nobody ended: %v", sc.outcomes)
		case o.deleted && !(o.deed.ends && o.status == http.StatusOK):
			return fmt.Errorf("a response deleted the cookie without having ended the session: %v", sc.outcomes)
		}
	}
	return nil
}

func (sc *scene) any(fn func(outcome) bool) bool { return slices.ContainsFunc(sc.outcomes, fn) }

func done(o outcome) bool { return o.status == http.StatusOK }

// checkEnds wants that what ended is gone. Only a login may have begun another session of ada; a request that came later and
// wrote something has begun an anonymous one.
func (sc *scene) checkEnds(found map[string]*session.Session) error {
	// A login as bob with a ticket that was moved already begins a session of its own, and ends nothing.
	moved := sc.any(func(o outcome) bool { return o.deed.moves && done(o) })
	ended := sc.any(func(o outcome) bool { return o.deed.ends && done(o) && !(o.deed.begins && moved) })
	for _, s := range found {
		switch {
		case ended && s.User() == "ada" && !sc.any(func(o outcome) bool { return o.deed.name == "login" && done(o) }):
			return fmt.Errorf("a session is alive that was ended: %v", sc.outcomes)
		case s.User() == "bob" && len(s.All()) > 0:
			return fmt.Errorf("bob has the data of ada: %v", sc.outcomes)
		}
	}
	return nil
}

// checkWrites wants that, where nothing ended the session, one has every write that was answered and no other.
func (sc *scene) checkWrites(found map[string]*session.Session) error {
	if sc.any(func(o outcome) bool { return o.deed.ends }) {
		return nil
	}
	var wrong error
	for _, s := range found {
		if wrong = sc.hasWrites(s); wrong == nil {
			return nil
		}
	}
	return errors.Join(wrong, fmt.Errorf("%d sessions, and none has what was written: %v", len(found), sc.outcomes))
}

func (sc *scene) hasWrites(s *session.Session) error {
	updates, appended := 0, []string{}
	for _, o := range sc.outcomes {
		if !done(o) {
			continue
		}
		switch o.deed.name {
		case "update":
			updates++
		case "append":
			appended = append(appended, fmt.Sprint(o.index))
		case "set":
			if s.Get(fmt.Sprint("k", o.index)) != int64(o.index) {
				return fmt.Errorf("the value of request %d is lost", o.index)
			}
		}
	}
	if n := session.Key[int]("n").Or(s, 0); n != updates {
		return fmt.Errorf("the counter is %d, want %d", n, updates)
	}
	var list []string
	if values, ok := s.Get("list").([]any); ok {
		for _, v := range values {
			list = append(list, fmt.Sprint(v))
		}
	}
	slices.Sort(list)
	if got, want := strings.Join(list, " "), strings.Join(appended, " "); got != want {
		return fmt.Errorf("the list has %q, want %q", got, want)
	}
	return nil
}

// checkAlive wants that nobody is signed out whose session nobody ended or moved, with any ticket that he has; and that a
// move leaves the old ticket without a use.
func (sc *scene) checkAlive(found map[string]*session.Session) error {
	if sc.any(func(o outcome) bool { return o.deed.ends || o.deed.moves }) {
		s, err := sc.nodes[0].Open(context.Background(), sc.ticket)
		if err != nil {
			return err
		}
		if !s.IsNew() && sc.any(func(o outcome) bool { return (o.deed.ends || o.deed.moves) && done(o) }) {
			return fmt.Errorf("the old ticket still opens a session: %v", sc.outcomes)
		}
		return nil
	}
	if len(found) != 1 {
		return fmt.Errorf("%d sessions are alive, want 1: %v", len(found), sc.outcomes)
	}
	for _, ticket := range sc.tickets() {
		if s, err := sc.nodes[0].Open(context.Background(), ticket); err != nil || s.User() != "ada" {
			return fmt.Errorf("a ticket no longer opens the session, %v: %v", err, sc.outcomes)
		}
	}
	return nil
}

// T-RACE-2: two requests in every order.
func TestEveryOrderOfTwoRequestsKeepsThePromises(t *testing.T) {
	for _, d := range dues {
		t.Run(d.name, func(t *testing.T) {
			orders := 0
			for i, a := range deeds {
				for _, b := range deeds[i:] {
					orders += exploreDeeds(t, -1, d, a, b)
				}
			}
			t.Logf("%d orders", orders)
		})
	}
}

// Three requests in every order with one interruption, or as many as COATCHECK_PREEMPTIONS says: two take some minutes.
func TestOrdersOfThreeRequestsKeepThePromises(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	preemptions := 1
	if text := os.Getenv("COATCHECK_PREEMPTIONS"); text != "" {
		var err error
		if preemptions, err = strconv.Atoi(text); err != nil {
			t.Fatalf("COATCHECK_PREEMPTIONS: %v", err)
		}
	}
	for _, d := range dues {
		t.Run(d.name, func(t *testing.T) {
			orders := 0
			for i, a := range deeds {
				for j, b := range deeds[i:] {
					for _, c := range deeds[i+j:] {
						orders += exploreDeeds(t, preemptions, d, a, b, c)
					}
				}
			}
			t.Logf("%d orders", orders)
		})
	}
}

func exploreDeeds(t *testing.T, preemptions int, d due, list ...deed) int {
	t.Helper()
	x := &explorer{preemptions: preemptions}
	orders, err := x.search(t, func() ([]func(context.Context), func() error) {
		sc, err := newScene(x, d, list)
		if err != nil {
			t.Fatal(err)
		}
		requests := make([]func(context.Context), len(list))
		for i := range list {
			requests[i] = sc.request(i)
		}
		return requests, sc.check
	})
	if err != nil {
		t.Error(err)
	}
	return orders
}
