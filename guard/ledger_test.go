package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
	"github.com/coatcheck/session/memstore"
)

// slowStore is a store with one writer at a time, as a database in a file: a save takes five milliseconds.
type slowStore struct {
	*memstore.Store
	writer chan struct{}
}

func (s *slowStore) Save(ctx context.Context, rec *session.Record) error {
	select {
	case s.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.writer }()
	time.Sleep(5 * time.Millisecond) // virtual
	return s.Store.Save(ctx, rec)
}

func (s *slowStore) Load(ctx context.Context, id string) (*session.Record, error) {
	time.Sleep(time.Millisecond) // virtual
	return s.Store.Load(ctx, id)
}

// Many attempts at once that are counted in one record must not keep each other from being counted.
func TestNobodyIsTurnedAwayForWantOfATurnToBeCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{Store: memstore.New(memstore.Options{}), writer: make(chan struct{}, 1)}
		sessions := memstore.New(memstore.Options{})
		opts := guard.Options{SignIn: guard.SignInLimits{Store: store}}
		r := newRigOn(t, sessions, &clock{t: time.Unix(1e9, 0)}, opts)
		d := doorOf(r)
		users := r.Rate(guard.Limit{Requests: 10, Per: time.Hour, Users: store})(inside)
		ann, one := r.signIn("ann"), d.from(1000).address
		fromOne := func() at { return at{d.visitor(), one} }
		type answer = *httptest.ResponseRecorder
		for name, send := range map[string]func(i int) answer{
			"attempts at one account":   func(i int) answer { return d.from(i).try(d, "ann", "wrong") },
			"attempts from one address": func(i int) answer { return fromOne().try(d, fmt.Sprint(i), "wrong") },
			"requests of one user":      func(int) answer { return ann.get(users, "/") },
		} {
			passed := together(t, 200, name, func(i int) int { return send(i).Code })
			if want := map[bool]int64{true: 20, false: 10}[name == "attempts from one address"]; passed != want {
				t.Errorf("%s: %d passed, want %d", name, passed, want)
			}
		}
	})
}

// together sends requests at once, none of which may find the store unavailable, and says how many passed.
func together(t *testing.T, n int, name string, send func(int) int) int64 {
	t.Helper()
	var all sync.WaitGroup
	var passed atomic.Int64
	for i := range n {
		all.Go(func() {
			switch code := send(i); code {
			case http.StatusUnprocessableEntity, http.StatusOK:
				passed.Add(1)
			case http.StatusTooManyRequests:
			default:
				t.Errorf("%s: one of %d at once is answered %d", name, n, code)
			}
		})
	}
	all.Wait()
	return passed.Load()
}

// Who writes for others does so to the end, whatever becomes of the request that was the first.
func TestAClientThatLeavesTakesNobodysTurnAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &slowStore{Store: memstore.New(memstore.Options{}), writer: make(chan struct{}, 1)}
		r := newRigOn(t, memstore.New(memstore.Options{}), &clock{t: time.Unix(1e9, 0)}, guard.Options{})
		h := r.Rate(guard.Limit{By: guard.Address, Requests: 10, Per: time.Hour, Store: store})(inside)
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*time.Millisecond)
				defer cancel()
				r := request("GET", "/")
				if i%3 == 0 {
					r = r.WithContext(ctx)
				}
				r.RemoteAddr = "192.0.2.1:4711"
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); i%3 != 0 && w.Code != http.StatusOK && w.Code != http.StatusTooManyRequests {
					t.Errorf("request %d gets %d", i, w.Code)
				}
			})
		}
		all.Wait()
	})
}

// Users come and go, and nothing of them stays in the memory of a process that counts them in a store.
func TestNothingStaysInMemoryOfThoseWhoWereCounted(t *testing.T) {
	l := guard.NewLedger(memstore.New(memstore.Options{}))
	for i := range 10 {
		err := guard.Change(l, t.Context(), fmt.Sprint("user ", i), func(rec *session.Record) *session.Record {
			if l.Open() != 1 {
				t.Errorf("%d records are in mind while one is changed", l.Open())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if l.Open() != 0 {
		t.Errorf("%d records are in mind when nobody changes any", l.Open())
	}
}

// failingStore takes its time to fail.
type failingStore struct{ *memstore.Store }

func (failingStore) Save(context.Context, *session.Record) error {
	time.Sleep(5 * time.Millisecond) // virtual
	return errors.New("down")
}

func TestAFailureIsToldToAllWhoShareTheSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := guard.NewLedger(failingStore{memstore.New(memstore.Options{})})
		var told atomic.Int32
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				err := guard.Change(l, t.Context(), "one", func(rec *session.Record) *session.Record { return rec })
				if err != nil {
					told.Add(1)
				}
			})
		}
		if all.Wait(); told.Load() != 10 {
			t.Errorf("%d of 10 are told that they were not counted", told.Load())
		}
	})
}
