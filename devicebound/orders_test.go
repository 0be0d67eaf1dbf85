package devicebound_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/devicebound"
	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessiontest"
)

// scene is a session of ada, and requests that meet it, each at a node of its own.
type scene struct {
	clock    *clock
	nodes    []*session.Manager
	handlers []http.Handler
	register *http.Request // that the browser would send
	refresh  *http.Request
	cookies  []string // tickets and bound cookies that anybody was given
	tickets  []string
	acts     []*deed
}

// deed is one request, and how it was answered.
type deed struct {
	name   string
	do     func(context.Context, *scene, *deed)
	node   int
	status int
	ticket string // that it gave out
}

// page is a request for a page of the site with the first ticket.
func page(path string) func(context.Context, *scene, *deed) {
	return func(ctx context.Context, sc *scene, d *deed) {
		sc.send(ctx, d, httptest.NewRequest("GET", sessiontest.Site+path, nil))
	}
}

var deeds = []deed{
	{name: "register", do: func(ctx context.Context, sc *scene, d *deed) { sc.send(ctx, d, sc.register) }},
	{name: "refresh", do: func(ctx context.Context, sc *scene, d *deed) { sc.send(ctx, d, sc.refresh) }},
	{name: "read", do: page("/")}, // and the id is renewed, where that is due
	{name: "regenerate", do: page("/regenerate")},
	{name: "login", do: page("/login")},
	{name: "login as bob", do: page("/login?user=bob")},
	{name: "logout", do: page("/logout")},
	{name: "revoke", do: func(ctx context.Context, sc *scene, d *deed) {
		if _, err := sc.nodes[d.node].RevokeUser(ctx, "ada"); err == nil {
			d.status = http.StatusOK
		}
	}},
}

// send sends a request to the node of the deed, with the cookies from before.
func (sc *scene) send(ctx context.Context, d *deed, r *http.Request) {
	r = r.Clone(ctx)
	r.Header.Set("Cookie", strings.Join(sc.cookies[:2], "; "))
	w := httptest.NewRecorder()
	sc.handlers[d.node].ServeHTTP(w, r)
	d.status = w.Code
	if c := setCookie(w.Result(), ticketCookie); c != nil && c.MaxAge >= 0 {
		d.ticket = c.Value
	}
	if c := setCookie(w.Result(), boundCookie); c != nil && c.MaxAge >= 0 {
		sc.cookies = append(sc.cookies, boundCookie+"="+c.Value)
	}
}

// newScene signs ada in. A session that is to be registered is not bound yet; another is.
func newScene(t *testing.T, x *explore.Explorer, renew bool, acts []deed) *scene {
	sc := &scene{clock: &clock{t: noon}}
	var opts session.Options
	if renew {
		opts.RenewEvery = time.Minute
	}
	opts.Secrets, opts.Now, opts.SweepEvery = []session.Secret{secret}, sc.clock.now, -1
	opts.Logger = slog.New(slog.DiscardHandler)
	store := memstore.New(memstore.Options{})
	for i, d := range acts {
		m, err := session.New(x.Steps(store), opts)
		if err != nil {
			t.Fatal(err)
		}
		b, err := devicebound.New(m, devicebound.Options{Policy: devicebound.Enforce, PendingFor: 5 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		for path, fn := range pages {
			mux.Handle(path, m.HandlerFunc(fn))
		}
		sc.nodes, sc.handlers = append(sc.nodes, m), append(sc.handlers, b.Middleware(mux))
		d.node = i
		sc.acts = append(sc.acts, &d)
	}
	sc.signIn(t)
	sc.clock.advance(2 * time.Minute)
	return sc
}

func (sc *scene) signIn(t *testing.T) {
	b := sessiontest.NewBrowser(t, sc.clock.now, sc.handlers[0])
	b.Hold = true
	b.Get("/login")
	var sent *http.Request
	note := func(r *http.Request) {
		sent = r.Clone(r.Context())
		r.Method = http.MethodGet // so that it is not answered
	}
	if sc.has("register") {
		b.Alter = note
		b.Register()
		sc.register = sent
	} else {
		b.Register()
		sc.clock.advance(time.Second)
		b.Alter = note
		b.Refresh()
		sc.refresh = sent
	}
	sc.cookies = []string{ticketCookie + "=" + b.Cookie(ticketCookie), boundCookie + "=" + b.Cookie(boundCookie)}
	sc.tickets = []string{b.Cookie(ticketCookie)}
}

func (sc *scene) has(names ...string) bool {
	return slices.ContainsFunc(sc.acts, func(d *deed) bool { return slices.Contains(names, d.name) })
}

// opens returns what a ticket opens with any of the bound cookies, "" for nothing.
func (sc *scene) opens(ticket string) (best string) {
	for _, cookie := range sc.cookies[1:] {
		r := httptest.NewRequest("GET", sessiontest.Site+"/", nil)
		r.Header.Set("Cookie", ticketCookie+"="+ticket+"; "+cookie)
		w := httptest.NewRecorder()
		sc.handlers[0].ServeHTTP(w, r)
		if text := w.Body.String(); w.Code == http.StatusOK && text != " none" {
			best = text
		}
	}
	return best
}

// check is what holds in whatever order.
func (sc *scene) check() error {
	return errors.Join(sc.checkEnd(), sc.checkLogin(), sc.checkRenewal(), sc.checkOnce())
}

func (sc *scene) all() (list []string) {
	list = append(list, sc.tickets...)
	for _, d := range sc.acts {
		if d.ticket != "" {
			list = append(list, d.ticket)
		}
	}
	return list
}

// checkEnd: neither a refresh nor a registration revives a session that was ended.
func (sc *scene) checkEnd() error {
	if !sc.has("logout", "revoke") || sc.has("login", "login as bob") {
		return nil
	}
	for _, d := range sc.acts {
		if (d.name == "logout" || d.name == "revoke") && d.status != http.StatusOK {
			return nil // nobody was told that it is over
		}
	}
	for _, ticket := range sc.all() {
		if got := sc.opens(ticket); got != "" {
			return fmt.Errorf("a ticket opens the session of %s after its end", got)
		}
	}
	return nil
}

// checkLogin: what was registered before a Login is nothing after it.
func (sc *scene) checkLogin() error {
	if !sc.has("register", "refresh") {
		return nil
	}
	for _, d := range sc.acts {
		if !strings.HasPrefix(d.name, "login") || d.ticket == "" {
			continue
		}
		if got := sc.opens(d.ticket); got != "" && !strings.HasSuffix(got, " pending") {
			return fmt.Errorf("after a Login the session is of %s, by a key from before", got)
		}
		again := *d
		if sc.register != nil {
			r := sc.register.Clone(context.Background())
			sc.cookies[0] = ticketCookie + "=" + d.ticket
			if sc.send(context.Background(), &again, r); again.status == http.StatusOK {
				return errors.New("an offer from before the Login is good after it")
			}
		}
	}
	return nil
}

// checkRenewal: while nobody ends the session, somebody has a ticket that opens it, and no browser forgets its key.
func (sc *scene) checkRenewal() error {
	if sc.has("logout", "revoke", "login", "login as bob", "register") {
		return nil
	}
	for _, d := range sc.acts {
		if d.name == "refresh" && d.status != http.StatusOK && d.status != http.StatusServiceUnavailable &&
			d.status != http.StatusForbidden {
			return fmt.Errorf("a refresh beside a new id is answered by %d", d.status)
		}
	}
	if !slices.ContainsFunc(sc.all(), func(ticket string) bool { return sc.opens(ticket) == "ada bound" }) {
		return errors.New("no ticket opens the session any more")
	}
	return nil
}

// checkOnce: one proof is good once.
func (sc *scene) checkOnce() error {
	good := map[string]int{}
	for _, d := range sc.acts {
		if d.status == http.StatusOK {
			good[d.name]++
		}
	}
	if good["register"] > 1 || good["refresh"] > 1 {
		return fmt.Errorf("a proof was good %d times", max(good["register"], good["refresh"]))
	}
	return nil
}

// choose returns the ways to take n deeds.
func choose(n int, from []deed) [][]deed {
	if n == 0 {
		return [][]deed{nil}
	}
	var all [][]deed
	for i, d := range from {
		for _, rest := range choose(n-1, from[i:]) {
			all = append(all, append([]deed{d}, rest...))
		}
	}
	return all
}

// isScene reports whether there is a proof among the deeds, of one kind: a session that is registered in a scene has no
// key to refresh by yet.
func isScene(list []deed) bool {
	named := func(name string) bool {
		return slices.ContainsFunc(list, func(d deed) bool { return d.name == name })
	}
	return named("register") != named("refresh")
}

func exploreOrders(t *testing.T, n, preemptions int, renewals []bool) {
	orders := 0
	for _, renew := range renewals {
		for _, list := range choose(n, deeds) {
			if !isScene(list) {
				continue
			}
			var names []string
			for _, d := range list {
				names = append(names, d.name)
			}
			x := &explore.Explorer{Preemptions: preemptions}
			found, err := x.Search(func() ([]func(context.Context), func() error, error) {
				sc := newScene(t, x, renew, list)
				var requests []func(context.Context)
				for _, d := range sc.acts {
					requests = append(requests, func(ctx context.Context) { d.do(ctx, sc, d) })
				}
				return requests, func() error {
					defer sc.close()
					return sc.check()
				}, nil
			})
			if orders += found; err != nil {
				t.Errorf("%s, renewals %v: %v", strings.Join(names, " + "), renew, err)
			}
		}
	}
	t.Logf("%d orders", orders)
}

func (sc *scene) close() {
	for _, m := range sc.nodes {
		_ = m.Close() // which has no error
	}
}

func TestEveryOrderOfTwoRequestsKeepsTheBinding(t *testing.T) {
	exploreOrders(t, 2, -1, []bool{false, true})
}

func TestOrdersOfThreeRequestsKeepTheBinding(t *testing.T) {
	exploreOrders(t, 3, 1, []bool{true})
}
