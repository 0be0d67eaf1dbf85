package session_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// swept is a store that counts its sweeps.
type swept struct {
	fullStore
	sweeps atomic.Int64
	sweep  func(context.Context) error
}

func newSwept(sweep func(context.Context) error) *swept {
	return &swept{fullStore: memstore.New(memstore.Options{}), sweep: sweep}
}

func (s *swept) Sweep(ctx context.Context, _ time.Time, _ int) (int, error) {
	s.sweeps.Add(1)
	return 0, s.sweep(ctx)
}

func TestSweepsComeEveryFiveMinutesATenthMoreOrLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newSwept(func(context.Context) error { return nil })
		newRigOn(t, store, bubbled, func(o *session.Options) { o.SweepEvery = 0 })
		time.Sleep(500 * time.Minute)
		if n := store.sweeps.Load(); n < 90 || n > 111 {
			t.Errorf("%d sweeps in 500 minutes, want 90 to 111", n)
		}
	})
}

func TestASweepThatFailsIsLoggedAndTheNextOneComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, log := newSwept(func(context.Context) error { return errDown }), &logged{}
		newRigOn(t, store, bubbled, log.to, func(o *session.Options) { o.SweepEvery = time.Minute })
		time.Sleep(5 * time.Minute)
		if n := store.sweeps.Load(); n < 4 || !log.has("WARN", "session: sweep", errDown.Error()) {
			t.Errorf("%d sweeps, and the log is\n%s", n, log.text())
		}
	})
}

func TestASweepThatCloseEndsIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, log := newSwept(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }), &logged{}
		r := newRigOn(t, store, bubbled, log.to, func(o *session.Options) { o.SweepEvery = time.Minute })
		time.Sleep(2 * time.Minute)
		if err := r.Close(); err != nil || store.sweeps.Load() != 1 {
			t.Fatalf("Close = %v after %d sweeps", err, store.sweeps.Load())
		}
		if text := log.text(); strings.Contains(text, "sweep") {
			t.Errorf("the log says\n%s", text)
		}
	})
}

// What a source says first, or says again, is no news, and no failure.
func TestAChangeOfSecretsIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secrets, log := atomic.Pointer[[]session.Secret]{}, &logged{}
		secrets.Store(&[]session.Secret{session.NewSecret()})
		newRig(t, bubbled, log.to, func(o *session.Options) {
			o.Secrets, o.SecretSource = nil, func(context.Context) ([]session.Secret, error) {
				return *secrets.Load(), nil
			}
		})
		const line = "session: the secrets have changed"
		time.Sleep(5 * time.Minute)
		if text := log.text(); strings.Contains(text, line) || strings.Contains(text, "stay") {
			t.Errorf("the log says\n%s", text)
		}
		secrets.Store(&[]session.Secret{session.NewSecret(), (*secrets.Load())[0]})
		time.Sleep(2 * time.Minute)
		if text := log.text(); strings.Count(text, line) != 1 || !log.has("INFO", line, "count=2") {
			t.Errorf("the log says\n%s", text)
		}
	})
}

// The time of a session runs out while its new record is there and the old one has not given way, and a sweep takes the
// old one. To the request that is as if it had come a moment later, and nothing is left behind.
func TestASweepInTheMiddleOfAMoveLeavesNothingBehind(t *testing.T) {
	for _, bound := range []int{0, 2} {
		for _, c := range []struct {
			name         string
			do           func(*session.Session)
			status, left int
		}{
			{"renewal that is due", func(*session.Session) {}, http.StatusOK, 0},
			{"regenerate", (*session.Session).Regenerate, http.StatusConflict, 0},
			{"login again", signInAda, http.StatusOK, 1},
			{"login as another", signInBob, http.StatusOK, 1},
		} {
			r := newRigOn(t, memstore.New(memstore.Options{MaxSessions: bound}), clocks(3*time.Hour, never), hourly)
			v, id := r.signIn("ada")
			r.clock.advance(3*time.Hour - time.Second)
			r.atTheSaveOf(id, func() {
				r.clock.advance(2 * time.Second)
				if n, err := r.Sweep(t.Context()); n != 1 || err != nil {
					t.Errorf("%s: Sweep = %d, %v, want the old record", c.name, n, err)
				}
			})
			status := v.with(c.do).StatusCode
			page, err := r.store.fullStore.Page(t.Context(), "", 100)
			if status != c.status || len(page) != c.left || err != nil {
				t.Errorf("%s: status %d, and %d records are left, %v; want %d and %d", c.name, status, len(page), err,
					c.status, c.left)
			}
			if alive := v.alive(); alive != (c.left == 1) {
				t.Errorf("%s: the visitor has a session: %t", c.name, alive)
			}
		}
	}
}
