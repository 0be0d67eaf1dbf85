package transfer_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/transfer"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/memstore"
)

const counter = session.Key[int]("n")

func manage(t *testing.T, store session.Store, secrets ...session.Secret) *session.Manager {
	t.Helper()
	m, err := session.New(store, session.Options{Secrets: secrets, SweepEvery: -1, Seal: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// begin stores a session of a user.
func begin(t *testing.T, m *session.Manager, user string) *session.Session {
	t.Helper()
	s, err := m.Open(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		s.Login(user)
	}
	s.Set("n", 0)
	if err := s.Save(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t *testing.T, m *session.Manager, token string) *session.Session {
	t.Helper()
	s, err := m.Open(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func addOne(m *session.Manager, token string) error {
	s, err := m.Open(context.Background(), token)
	if err != nil {
		return err
	}
	counter.Update(s, func(n int) int { return n + 1 })
	return s.Save(context.Background())
}

func files(t *testing.T) session.Store {
	t.Helper()
	store, err := filestore.New(filepath.Join(t.TempDir(), "sessions"), filestore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

func TestRekeyingWhileVisitorsComeLosesNothing(t *testing.T) {
	for name, store := range map[string]session.Store{"memory": memstore.New(memstore.Options{}), "files": files(t)} {
		t.Run(name, func(t *testing.T) {
			older, newer := session.NewSecret(), session.NewSecret()
			site := manage(t, store, older, newer) // knows the new secret, and does not seal with it yet
			const sessions = 16
			var tokens []string
			for range sessions {
				tokens = append(tokens, begin(t, site, "ada").Token())
			}
			stop := make(chan struct{})
			added := make([]atomic.Int64, sessions)
			var visitors sync.WaitGroup
			for range 4 {
				visitors.Go(func() {
					for i := 0; running(stop); i = (i + 1) % sessions {
						if err := addOne(site, tokens[i]); err != nil {
							t.Error(err)
							return
						}
						added[i].Add(1)
					}
				})
			}
			m := manage(t, store, newer, older)
			for range 3 {
				if r, err := transfer.Rekey(t.Context(), m, store, func(int) {}); err != nil || len(r.Problems) > 0 {
					t.Errorf("Rekey = %+v, %v", r, err)
				}
			}
			close(stop)
			visitors.Wait()
			if _, err := transfer.Rekey(t.Context(), m, store, func(int) {}); err != nil {
				t.Fatal(err)
			}
			for i, token := range tokens {
				if s := open(t, m, token); counter.Or(s, -1) != int(added[i].Load()) {
					t.Errorf("a session counts %d, want %d", counter.Or(s, -1), added[i].Load())
				}
			}
			r, err := transfer.Rekey(t.Context(), m, store, func(int) {})
			if err != nil || r.Current != sessions || r.Resealed != 0 {
				t.Errorf("the last run = %+v, %v, want all current", r, err)
			}
		})
	}
}

func running(stop chan struct{}) bool {
	select {
	case <-stop:
		return false
	default:
		return true
	}
}

// stumbling fails at a call, as a run does that is killed there.
type stumbling struct {
	*memstore.Store
	calls, at atomic.Int64
}

var errKilled = errors.New("killed")

func (s *stumbling) Save(ctx context.Context, rec *session.Record) error {
	if s.calls.Add(1) == s.at.Load() {
		return errKilled
	}
	return s.Store.Save(ctx, rec)
}

func TestRekeyingThatStopsAnywhereGoesOnLater(t *testing.T) {
	older, newer := session.NewSecret(), session.NewSecret()
	store := &stumbling{Store: memstore.New(memstore.Options{})}
	site := manage(t, store, older)
	var tokens []string
	for range 12 {
		tokens = append(tokens, begin(t, site, "").Token())
	}
	m := manage(t, store, newer, older)
	for at := int64(1); ; at++ {
		store.calls.Store(0)
		store.at.Store(at)
		_, err := transfer.Rekey(t.Context(), m, store, func(int) {})
		if err == nil {
			break
		}
		if !errors.Is(err, session.ErrUnavailable) || at > 12 {
			t.Fatalf("at save %d: %v, want an outage of the store", at, err)
		}
	}
	only := manage(t, store, newer)
	listed := 0
	for info, err := range only.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		rec, err := store.Load(t.Context(), info.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, stale, err := only.Contents(rec); stale || err != nil {
			t.Errorf("the newest secret alone: stale %v, %v", stale, err)
		}
		listed++
	}
	if listed != len(tokens) {
		t.Errorf("%d sessions are left, want %d", listed, len(tokens))
	}
}

func TestRekeyingTellsWhatDoesNotOpenAndLeavesIt(t *testing.T) {
	store := memstore.New(memstore.Options{})
	begin(t, manage(t, store, session.NewSecret()), "ada")
	newer := session.NewSecret()
	begin(t, manage(t, store, newer), "grace")
	r, err := transfer.Rekey(t.Context(), manage(t, store, newer), store, func(int) {})
	if err != nil || len(r.Problems) != 1 || r.Problems[0].User != "ada" || r.Current != 1 {
		t.Errorf("Rekey = %+v, %v, want one problem and one that is current", r, err)
	}
}

func TestRekeyingEndsNothingAndKeepsDeadlines(t *testing.T) {
	store := memstore.New(memstore.Options{})
	older, newer := session.NewSecret(), session.NewSecret()
	id := begin(t, manage(t, store, older), "ada").ID()
	before, err := store.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transfer.Rekey(t.Context(), manage(t, store, newer, older), store, func(int) {}); err != nil {
		t.Fatal(err)
	}
	after, err := store.Load(t.Context(), id)
	if err != nil || !after.ExpiresAt.Equal(before.ExpiresAt) || !after.SeenAt.Equal(before.SeenAt) ||
		after.User != "ada" {
		t.Errorf("after = %v, %v, want the deadline %v", after, err, before.ExpiresAt.Format(time.RFC3339))
	}
}
