package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// many is more sessions than are ended one by one, and more than are ended until their events are told.
const many = 200

// endsAll are the ways in which somebody ends all sessions of ada.
var endsAll = map[string]func(ctx context.Context, m *session.Manager, ids []string) (int, error){
	"Revoke": func(ctx context.Context, m *session.Manager, ids []string) (int, error) {
		return m.Revoke(ctx, ids...)
	},
	"RevokeFor": func(ctx context.Context, m *session.Manager, ids []string) (int, error) {
		return m.RevokeFor(ctx, "operator", ids...)
	},
	"RevokeOwn": func(ctx context.Context, m *session.Manager, ids []string) (int, error) {
		return m.RevokeOwn(ctx, "ada", ids...)
	},
	"RevokeUser": func(ctx context.Context, m *session.Manager, _ []string) (int, error) {
		return m.RevokeUser(ctx, "ada")
	},
	"RevokeUserFor": func(ctx context.Context, m *session.Manager, _ []string) (int, error) {
		return m.RevokeUserFor(ctx, "operator", "ada")
	},
	"RevokeWhere": func(ctx context.Context, m *session.Manager, _ []string) (int, error) {
		return m.RevokeWhere(ctx, "operator", "ada", func(*session.Session) bool { return true })
	},
}

// signInMany signs ada in on many browsers. The ids are in the order of a list of hers.
func signInMany(t *testing.T, r *rig, n int) (ids []string) {
	t.Helper()
	for range n {
		_, id := r.signIn("ada")
		ids = append(ids, id)
	}
	return ids
}

// toldOnce checks that each of the sessions that ended was told of once.
func (r *rig) toldOnce(ended int) {
	r.t.Helper()
	r.ev.mu.Lock()
	defer r.ev.mu.Unlock()
	told := map[string]int{}
	for _, e := range r.ev.list {
		if e.Kind == session.EventEnded {
			told[e.ID]++
		}
	}
	for id, n := range told {
		if n != 1 {
			r.t.Errorf("the end of %s was told %d times", id, n)
		}
	}
	if len(told) != ended {
		r.t.Errorf("%d ends were told, and %d counted", len(told), ended)
	}
}

// Whether one asks or four do at the same time, each session ends once, and is counted and told once.
func TestManySessionsEndOnceEach(t *testing.T) {
	for name, end := range endsAll {
		for _, askers := range []int{1, 4} {
			t.Run(fmt.Sprintf("%s/%d", name, askers), func(t *testing.T) {
				r := newRig(t)
				ids := signInMany(t, r, many)
				_, bobs := r.signIn("bob")
				twice := slices.Concat(ids, []string{"unknown"}, ids)
				var sum atomic.Int64
				var all sync.WaitGroup
				for range askers {
					all.Go(func() {
						n, err := end(bg, r.Manager, twice)
						if sum.Add(int64(n)); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				if n := sum.Load(); n != many || r.alive("ada") != 0 || !r.stored(bobs) {
					t.Errorf("ended %d, %d are left, and bob's is there: %v", n, r.alive("ada"), r.stored(bobs))
				}
				r.toldOnce(many)
			})
		}
	}
}

// A store that fails for every third session, before it did anything or after: what the error leaves out is ended by
// those who ask again.
func TestWhoeverEndsManySessionsIsToldHowManyBeforeAFailure(t *testing.T) {
	for name, end := range endsAll {
		for _, way := range []string{"not done", "done"} {
			t.Run(name+"/"+way, func(t *testing.T) {
				store := &lossy{fullStore: memstore.New(memstore.Options{})}
				r := newRigOn(t, store)
				ids := signInMany(t, r, many)
				var saves atomic.Int64
				fails := func(call string) error {
					if call == "save" && saves.Add(1)%90 == 0 || call == "delete" && saves.Load()%50 == 0 {
						return errDown
					}
					return nil
				}
				if way == "not done" {
					r.store.hook(func(call, _ string) error { return fails(call) })
				} else {
					store.then(fails)
				}
				sum, failures := 0, 0
				for err := errDown; err != nil && failures < many; failures++ {
					var n int
					n, err = end(bg, r.Manager, ids)
					if sum += n; err != nil && !errors.Is(err, session.ErrUnavailable) {
						t.Fatal(err)
					}
					if left := r.alive("ada"); sum+left != many {
						t.Fatalf("%d were counted, and %d of %d are left", sum, left, many)
					}
				}
				if sum != many || way == "not done" && failures < 2 {
					t.Errorf("ended %d of %d after %d failures, want all after some", sum, many, failures)
				}
				r.toldOnce(many)
			})
		}
	}
}

func TestManySessionsCanBeCalledOffHalfWay(t *testing.T) {
	for name, end := range endsAll {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			ids := signInMany(t, r, many)
			ctx, cancel := context.WithCancel(bg)
			var saves atomic.Int64
			r.store.hook(func(call, _ string) error {
				if call == "save" && saves.Add(1) == many/2 {
					cancel()
				}
				return ctx.Err()
			})
			n, err := end(ctx, r.Manager, ids)
			r.store.hook(nil)
			if left := r.alive("ada"); !errors.Is(err, context.Canceled) || n == 0 || n+left != many {
				t.Errorf("ended %d, %v, and %d of %d are left", n, err, left, many)
			}
			r.toldOnce(n)
		})
	}
}

// None slips away under a new id, from whichever of two nodes it gets that.
func TestNoneOfManySessionsEscapesUnderANewID(t *testing.T) {
	r := newRig(t, hourly)
	nodes := []*rig{r, r.node(hourly)}
	var browsers []*visitor
	for range 60 {
		v, _ := r.signIn("ada")
		browsers = append(browsers, v)
	}
	var all sync.WaitGroup
	for i, v := range browsers {
		all.Go(func() {
			v := v.on(nodes[i%2].Manager)
			for range 5 {
				v.with(func(s *session.Session) {
					if s.User() == "ada" {
						s.Regenerate()
					}
				})
			}
		})
	}
	n, err := r.RevokeUser(bg, "ada")
	all.Wait()
	more, again := r.RevokeUser(bg, "ada")
	if n+more != len(browsers) || err != nil || again != nil || more != 0 {
		t.Errorf("ended %d, %v, and then %d, %v, of %d", n, err, more, again, len(browsers))
	}
	for _, v := range browsers {
		v.isUser("")
	}
}

// The session of the request is kept, although its id changes in the middle.
func TestOneOfManySessionsIsKept(t *testing.T) {
	r := newRig(t)
	signInMany(t, r, many)
	v, kept := r.signIn("ada")
	var moved sync.Once
	r.store.hook(func(call, id string) error {
		if call == "save" && id != kept {
			moved.Do(func() { v.on(r.node().Manager).with((*session.Session).Regenerate) })
		}
		return nil
	})
	if n, err := r.RevokeUser(bg, "ada", kept); n != many || err != nil {
		t.Errorf("RevokeUser = %d, %v, want %d", n, err, many)
	}
	r.store.hook(nil)
	v.isUser("ada")
	if n := r.alive("ada"); n != 1 {
		t.Errorf("%d sessions are left, want the one to keep", n)
	}
}

// OnEvent and the function of RevokeWhere are called one after the other, whatever they do with what is not locked.
func TestFunctionsOfTheSiteDoNotOverlap(t *testing.T) {
	told, asked := 0, 0
	r := newRig(t, func(o *session.Options) {
		add := o.OnEvent
		o.OnEvent = func(ctx context.Context, e session.Event) {
			told++
			add(ctx, e)
		}
	})
	signInMany(t, r, many)
	told = 0
	n, err := r.RevokeWhere(bg, "operator", "ada", func(s *session.Session) bool {
		asked++
		return s.ID() < "8" // one in two
	})
	if left := r.alive("ada"); n == 0 || left == 0 || n+left != many || n != told || asked < many || err != nil {
		t.Errorf("ended %d, %v, with %d events, after %d were judged, and %d are left", n, err, told, asked, left)
	}
}

// What a store or a function of the site panics with reaches whoever asked, with everything that had ended told.
func TestAPanicWhileManySessionsEndReachesTheCaller(t *testing.T) {
	for name, end := range endsAll {
		for _, where := range []string{"load", "save", "OnEvent", "which"} {
			t.Run(name+"/"+where, func(t *testing.T) { fallsWithin(t, name, end, where) })
		}
	}
}

func fallsWithin(t *testing.T, name string, end func(context.Context, *session.Manager, []string) (int, error),
	where string) {
	var calls atomic.Int64
	falls := func(at string) {
		if at == where && calls.Add(1) > many/2 {
			panic(http.ErrAbortHandler)
		}
	}
	r := newRig(t, func(o *session.Options) {
		add := o.OnEvent
		o.OnEvent = func(ctx context.Context, e session.Event) {
			if add(ctx, e); e.Kind == session.EventEnded {
				falls("OnEvent")
			}
		}
	})
	ids := signInMany(t, r, many)
	r.store.hook(func(call, _ string) error {
		falls(call)
		return nil
	})
	if name == "RevokeWhere" {
		end = func(ctx context.Context, m *session.Manager, _ []string) (int, error) {
			return m.RevokeWhere(ctx, "operator", "ada", func(*session.Session) bool {
				falls("which")
				return true
			})
		}
	}
	defer func() {
		r.store.hook(nil)
		p, left := recover(), r.alive("ada")
		switch asked := calls.Load() > 0; {
		case asked && (p != http.ErrAbortHandler || left == 0 || left == many):
			t.Errorf("the caller got %v, and %d of %d are left", p, left, many)
		case !asked && (p != nil || left != 0):
			t.Errorf("nothing fell, and the caller got %v, and %d are left", p, left)
		}
		if where != "OnEvent" {
			r.toldOnce(many - left)
		}
	}()
	_, _ = end(bg, r.Manager, ids)
}

// A test that gives up in a store of its own ends, as it did when there were no other goroutines.
func TestAGoroutineThatEndsWhileManySessionsEndIsTheCallers(t *testing.T) {
	r := newRig(t)
	signInMany(t, r, many)
	r.store.hook(func(call, _ string) error {
		if call == "save" {
			runtime.Goexit()
		}
		return nil
	})
	went := make(chan bool)
	go func() {
		defer close(went)
		_, _ = r.RevokeUser(bg, "ada")
		went <- true
	}()
	if <-went {
		t.Error("RevokeUser returned, although what it called did not")
	}
}

// Where the list has the version, ending a session is a save, and without a reason a delete.
func TestEndingManySessionsLoadsNone(t *testing.T) {
	for name, want := range map[string]int{"RevokeUser": 1, "RevokeUserFor": 0} {
		r := newRig(t)
		signInMany(t, r, many)
		r.store.reset()
		if n, err := endsAll[name](bg, r.Manager, nil); n != many || err != nil {
			t.Fatalf("%s = %d, %v", name, n, err)
		}
		if c := r.store.calls; c["load"] != 0 || c["save"] != many || c["delete"] != want*many {
			t.Errorf("%s of %d sessions calls %v", name, many, c)
		}
	}
}

// It has its second id when the revocation meets it, and the record for a third is there already.
func TestASessionThatMovesTwiceWhileItIsRevokedCountsOnce(t *testing.T) {
	r := newRig(t)
	v, first := r.signIn("ada")
	var finish func() int
	r.before("save", first, func() {
		r.store.hook(nil)
		v.with((*session.Session).Regenerate)
		finish = hold(r, v, v.sessionID(), (*session.Session).Regenerate)
		r.store.hook(nil)
	})
	if n, err := r.RevokeUser(t.Context(), "ada"); n != 1 || err != nil {
		t.Errorf("RevokeUser = %d, %v, want 1", n, err)
	}
	if status := finish(); status != http.StatusConflict || v.user() != "" {
		t.Errorf("the request that moves it is answered %d, and is %q's; want 409 and nobody's", status, v.user())
	}
}
