package session_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// ended is a session of ada that is about to end: the request that is under way, and an id that leads to it.
type ended struct {
	*rig
	own *session.Session
	id  string
}

// anyEnd are the ways in which somebody ends a session. Each says how many it ended.
var anyEnd = map[string]func(ctx context.Context, s ended) (int, error){
	"Revoke":        func(ctx context.Context, s ended) (int, error) { return s.Revoke(ctx, s.id) },
	"RevokeFor":     func(ctx context.Context, s ended) (int, error) { return s.RevokeFor(ctx, "operator", s.id) },
	"RevokeOwn":     func(ctx context.Context, s ended) (int, error) { return s.RevokeOwn(ctx, "ada", s.id) },
	"RevokeUser":    func(ctx context.Context, s ended) (int, error) { return s.RevokeUser(ctx, "ada") },
	"RevokeUserFor": func(ctx context.Context, s ended) (int, error) { return s.RevokeUserFor(ctx, "operator", "ada") },
	"RevokeWhere": func(ctx context.Context, s ended) (int, error) {
		return s.RevokeWhere(ctx, "operator", "ada", func(*session.Session) bool { return true })
	},
	"Logout": func(ctx context.Context, s ended) (int, error) {
		s.own.Logout()
		return saved(ctx, s.own)
	},
	"Atomic": func(ctx context.Context, s ended) (int, error) {
		err := s.own.Atomic(ctx, func(s *session.Session) error { s.Logout(); return nil })
		if err != nil {
			return 0, err
		}
		return 1, nil
	},
	"Login": func(ctx context.Context, s ended) (int, error) {
		if s.own.User() == "ada" {
			s.own.Login("bob")
		}
		return saved(ctx, s.own)
	},
}

func saved(ctx context.Context, s *session.Session) (int, error) {
	if err := s.Save(ctx); err != nil {
		return 0, err
	}
	return 1, nil
}

// Whatever call of the store fails, done or not: who asks again has ended one session once. A store that does not say
// what it did, and does not answer afterwards either, is another matter.
func TestAnEndIsCountedAndToldOnceWhateverCallFails(t *testing.T) {
	for name, end := range anyEnd {
		for _, way := range []string{"not done", "done", "cancelled"} {
			for _, renewed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/renewed=%v", name, way, renewed), func(t *testing.T) {
					for n := 1; endsDespite(t, end, n, way, renewed); n++ {
					}
				})
			}
		}
	}
}

// endsDespite has the n-th call of the store fail, and the one after it when that was done, and reports whether there
// was one.
func endsDespite(t *testing.T, end func(context.Context, ended) (int, error), n int, way string, renewed bool) bool {
	t.Helper()
	store := &lossy{fullStore: memstore.New(memstore.Options{})}
	r := newRigOn(t, store, hourly)
	v, id := r.signIn("ada")
	if renewed {
		r.clock.advance(2 * time.Hour)
		v.alive()
	}
	s := ended{r, v.open(), id}
	ctx, cancel := context.WithCancel(bg)
	defer cancel()
	var calls atomic.Int64
	fails := func(string) error {
		switch call := int(calls.Add(1)); {
		case way == "cancelled" && call == n:
			cancel()
			return ctx.Err()
		case call == n, way == "done" && call == n+1:
			return errDown
		}
		return nil
	}
	if way == "not done" {
		r.store.hook(func(call, _ string) error { return fails(call) })
	} else {
		store.then(fails)
	}
	sum, err := end(ctx, s)
	reached := int(calls.Load()) >= n
	for tries := 0; err != nil && tries < 5; tries++ {
		var more int
		more, err = end(bg, s)
		sum += more
	}
	if told := r.ev.count(session.EventEnded); sum != 1 || err != nil || told != 1 || v.user() != "" {
		t.Errorf("from call %d: ended %d, %v, with %d events, and the ticket is %q's", n, sum, err, told, v.user())
	}
	return reached
}
