package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

func TestTheRateIsLimitedAndRecovers(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{Requests: 3, Per: time.Minute})(inside)
	v := r.signIn("ada")
	for i := range 3 {
		w := v.get(h, "/")
		wantInside(t, w)
		if got, want := w.Header().Get("RateLimit"), fmt.Sprintf(`"default";r=%d;t=%d`, 2-i, 20*(i+1)); got != want {
			t.Errorf("request %d: RateLimit %q, want %q", i, got, want)
		}
		if got := w.Header().Get("RateLimit-Policy"); got != `"default";q=3;w=60` {
			t.Errorf("request %d: RateLimit-Policy %q", i, got)
		}
	}
	w := v.get(h, "/", asJSON)
	wantProblem(t, w, 429, guard.TooMany)
	if w.Header().Get("Retry-After") != "20" || w.Header().Get("RateLimit") != `"default";r=0;t=60` {
		t.Errorf("Retry-After %q, RateLimit %q, want 20 and nothing left", w.Header().Get("Retry-After"),
			w.Header().Get("RateLimit"))
	}
	wantPage(t, v.get(h, "/", asPage), 429)
	r.clock.advance(20*time.Second - time.Microsecond)
	wantProblem(t, v.get(h, "/", asJSON), 429, guard.TooMany)
	r.clock.advance(time.Microsecond)
	wantInside(t, v.get(h, "/"))
	wantProblem(t, v.get(h, "/", asJSON), 429, guard.TooMany)
	r.clock.advance(time.Hour)
	for range 3 {
		wantInside(t, v.get(h, "/"))
	}
	wantProblem(t, v.get(h, "/", asJSON), 429, guard.TooMany)
}

func TestABurstIsWhatMayComeAtOnce(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{Requests: 60, Per: time.Minute, Burst: 2})(inside)
	v := r.signIn("ada")
	wantInside(t, v.get(h, "/"))
	wantInside(t, v.get(h, "/"))
	wantProblem(t, v.get(h, "/", asJSON), 429, guard.TooMany)
	r.clock.advance(time.Second)
	wantInside(t, v.get(h, "/"))
}

func TestLimitsAreToldApartByName(t *testing.T) {
	r := newRig(t, guard.Options{})
	search := r.Rate(guard.Limit{Name: "search.v1", Requests: 1, Per: time.Minute})
	upload := r.Rate(guard.Limit{Name: "up\"load\n", Requests: 1, Per: 1500 * time.Millisecond})
	v := r.signIn("ada")
	w := v.get(search(upload(inside)), "/")
	wantInside(t, w)
	if got := fmt.Sprint(w.Header()["Ratelimit"]); got != `["search.v1";r=0;t=60 "up\"load?";r=0;t=2]` {
		t.Errorf("RateLimit %s", got)
	}
	if got := fmt.Sprint(w.Header()["Ratelimit-Policy"]); got != `["search.v1";q=1;w=60 "up\"load?";q=1;w=2]` {
		t.Errorf("RateLimit-Policy %s", got)
	}
	r.clock.advance(2 * time.Second)
	wantProblem(t, v.get(search(inside), "/", asJSON), 429, guard.TooMany)
	wantInside(t, v.get(upload(inside), "/"))
}

func TestALimitOfNothingLetsNobodyThrough(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	for _, l := range []guard.Limit{{}, {Requests: 1}, {Per: time.Second}, {Requests: -1, Per: -time.Second}} {
		if w := v.get(r.Rate(l)(inside), "/", asJSON); w.Code != 429 {
			t.Errorf("%+v: status %d, want 429", l, w.Code)
		}
	}
}

func TestAStrangerPassesUncountedAndLeavesNothing(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{Requests: 1, Per: time.Hour})(inside)
	v := r.visitor()
	for range 5 {
		w := v.get(h, "/")
		wantInside(t, w)
		if w.Header().Get("RateLimit") != "" || len(w.Result().Cookies()) != 0 {
			t.Errorf("a stranger gets %v", w.Header())
		}
	}
	for info := range r.m.All(t.Context()) {
		t.Errorf("a session is stored: %+v", info)
	}
}

func TestARefusalCostsNoSave(t *testing.T) {
	r := newRig(t, guard.Options{})
	counting := &counting{Store: r.store.(*memstore.Store)}
	r2 := newRigOn(t, counting, r.clock, guard.Options{})
	v := r2.signIn("ada")
	h := r2.Rate(guard.Limit{Requests: 2, Per: time.Hour})(inside)
	counting.saves.Store(0)
	for range 10 {
		v.get(h, "/")
	}
	if got := counting.saves.Load(); got != 2 {
		t.Errorf("10 requests of which 2 pass made %d saves, want 2", got)
	}
}

func TestWhatIsLeftIsToldOfAMillionASecondToo(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{Requests: 1_000_000, Per: time.Second, Burst: 5})(inside)
	if got := r.signIn("ada").get(h, "/").Header().Get("RateLimit"); !strings.HasPrefix(got, `"default";r=4;`) {
		t.Errorf("RateLimit %s, want 4 to be left of 5", got)
	}
}

func TestTheRefusalOfAStrangerCostsNoSave(t *testing.T) {
	r, store := newRig(t, guard.Options{}), &counting{Store: memstore.New(memstore.Options{})}
	h := r.Rate(guard.Limit{By: guard.Address, Requests: 2, Per: time.Hour, Store: store})(inside)
	for range 10 {
		from(h, "192.0.2.1")
	}
	if got := store.saves.Load(); got != 2 {
		t.Errorf("10 requests of which 2 pass made %d saves, want 2", got)
	}
}

type counting struct {
	*memstore.Store
	saves atomic.Int64
}

func (c *counting) Save(ctx context.Context, rec *session.Record) error {
	c.saves.Add(1)
	return c.Store.Save(ctx, rec)
}

// flood sends n requests of each visitor at once, alternating between two nodes, and says how many passed.
func flood(n int, handlers []http.Handler, visitors ...*visitor) int64 {
	var passed atomic.Int64
	var wg sync.WaitGroup
	for i := range n * len(visitors) {
		wg.Go(func() {
			if visitors[i%len(visitors)].get(handlers[i/len(visitors)%len(handlers)], "/", asJSON).Code == 200 {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	return passed.Load()
}

func TestTheLimitIsExactUnderParallelRequestsOfTwoNodes(t *testing.T) {
	r, gate := newGatedRig(t)
	limit := guard.Limit{Requests: 7, Per: time.Hour}
	handlers := []http.Handler{r.Rate(limit)(inside), r.node().Rate(limit)(inside)}
	for range 5 {
		v := r.signIn("ada")
		gate.arm(60, true)
		if got := flood(60, handlers, v); got != 7 {
			t.Errorf("%d of 60 parallel requests passed, want 7", got)
		}
	}
}

func TestTheLimitOfAUserIsExactOverAllOfHisSessions(t *testing.T) {
	r, gate := newGatedRig(t)
	limit := guard.Limit{Requests: 7, Per: time.Hour, Users: plain{r.store}}
	handlers := []http.Handler{r.Rate(limit)(inside), r.node().Rate(limit)(inside)}
	for round := range 5 {
		user := fmt.Sprint("user", round)
		a, b, c := r.signIn(user), r.signIn(user), r.signIn(user)
		gate.arm(2, false) // no count is there yet for the first of each node
		if got := flood(20, handlers, a, b, c); got != 7 {
			t.Errorf("%d of 60 parallel requests passed, want 7", got)
		}
		again := r.signIn(user)
		wantProblem(t, again.get(handlers[0], "/", asJSON), 429, guard.TooMany)
	}
	wantInside(t, r.signIn("bob").get(handlers[0], "/"))
}

// plain is a store that does not say what stands in the way.
type plain struct{ session.Store }

func (p plain) Save(ctx context.Context, rec *session.Record) error {
	if err := p.Store.Save(ctx, rec); !errors.Is(err, session.ErrConflict) {
		return err
	}
	return session.ErrConflict
}

func TestTheCountOfAUserIsNoSessionAndIsSwept(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{Requests: 2, Per: time.Hour, Users: r.store})(inside)
	v := r.signIn("ada")
	wantInside(t, v.get(h, "/"))
	n := 0
	for info, err := range r.m.All(t.Context()) {
		if n++; err != nil || info.User != "ada" {
			t.Errorf("All lists %+v, %v", info, err)
		}
	}
	if infos, err := r.m.Sessions(t.Context(), "ada"); n != 1 || len(infos) != 1 || err != nil {
		t.Errorf("All lists %d, Sessions %v, %v, want ada's session alone", n, infos, err)
	}
	r.clock.advance(31 * time.Minute)
	if n, err := r.m.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want the count gone when the quota is whole again", n, err)
	}
	wantInside(t, v.get(h, "/"))
}

func TestAStoreOfCountsThatIsDownIsAnOutage(t *testing.T) {
	r := newRig(t, guard.Options{})
	v := r.signIn("ada")
	h := r.Rate(guard.Limit{Requests: 1, Per: time.Hour, Users: broken{memstore.New(memstore.Options{})}})(inside)
	if w := v.get(h, "/"); w.Code != 503 {
		t.Errorf("status %d, want 503", w.Code)
	}
	h = r.Rate(guard.Limit{Requests: 1, Per: time.Hour, Users: unsaving{memstore.New(memstore.Options{})}})(inside)
	if w := v.get(h, "/"); w.Code != 503 {
		t.Errorf("status %d, want 503", w.Code)
	}
}

type unsaving struct{ *memstore.Store }

func (unsaving) Save(context.Context, *session.Record) error { return errors.New("disk full") }

func TestAClockThatStepsBackLocksNobodyOut(t *testing.T) {
	r := newRig(t, guard.Options{})
	h := r.Rate(guard.Limit{Requests: 1, Per: time.Minute})(inside)
	v := r.signIn("ada")
	r.clock.advance(time.Hour)
	wantInside(t, v.get(h, "/"))
	r.clock.advance(-time.Hour)
	if w := v.get(h, "/", asJSON); w.Code != 429 || w.Header().Get("Retry-After") != "60" {
		t.Errorf("status %d, Retry-After %q, want no more than a minute to wait", w.Code, w.Header().Get("Retry-After"))
	}
}

// A request that comes first and is counted last finds the quota as whole as the other one did.
func TestARequestThatIsOvertakenIsNotRefused(t *testing.T) {
	slow := &overtaken{Store: memstore.New(memstore.Options{})}
	for name, tt := range map[string]struct {
		limit guard.Limit
		call  int // of the store, that the other request overtakes
	}{
		"user": {guard.Limit{Users: slow}, 2}, "session": {guard.Limit{}, 2},
		"address": {guard.Limit{By: guard.Address, Store: slow}, 1},
	} {
		r := newRigOn(t, slow, &clock{t: time.Unix(1e9, 0)}, guard.Options{})
		tt.limit.Requests, tt.limit.Per = 2, time.Hour
		h, other, v := r.Rate(tt.limit)(inside), r.node().Rate(tt.limit)(inside), r.signIn("ada")
		slow.call, slow.meanwhile = tt.call, func() {
			r.clock.advance(time.Microsecond)
			wantInside(t, v.get(other, "/"))
		}
		if w := v.get(h, "/"); w.Code != 200 || slow.meanwhile != nil {
			t.Errorf("by %s: the second of two requests gets %d", name, w.Code)
		}
	}
}

// overtaken is a store in which something happens after a load, or before a save.
type overtaken struct {
	*memstore.Store
	call      int
	meanwhile func()
}

func (o *overtaken) happen() {
	if o.call--; o.call == 0 {
		fn := o.meanwhile
		o.meanwhile = nil
		fn()
	}
}

func (o *overtaken) Load(ctx context.Context, id string) (*session.Record, error) {
	rec, err := o.Store.Load(ctx, id)
	o.happen()
	return rec, err
}

func (o *overtaken) Save(ctx context.Context, rec *session.Record) error {
	o.happen()
	return o.Store.Save(ctx, rec)
}
