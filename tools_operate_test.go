package session_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

func manage(t *testing.T, store session.Store, opts session.Options) *session.Manager {
	t.Helper()
	opts.SweepEvery = -1
	m, err := session.New(store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// begun stores a session, and returns its ticket and its record.
func begun(t *testing.T, m *session.Manager, store session.Store, saves int) (string, *session.Record) {
	t.Helper()
	s, err := m.Open(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.Login("ada")
	for i := range saves {
		s.Set("n", i+1)
		s.Set("text", "canary")
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	rec, err := store.Load(t.Context(), s.ID())
	if err != nil {
		t.Fatal(err)
	}
	return s.Token(), rec
}

func TestARecordThatMovesKeepsItsTicket(t *testing.T) {
	old, fresh := session.NewSecret(), session.NewSecret()
	for _, seal := range []bool{false, true} {
		from, to := memstore.New(memstore.Options{}), memstore.New(memstore.Options{})
		token, rec := begun(t, manage(t, from, session.Options{Secrets: []session.Secret{old}}), from, 3)
		m := manage(t, to, session.Options{Secrets: []session.Secret{fresh, old}, Seal: seal})
		for version := range uint64(2) {
			out, err := m.Reseal(rec, version)
			if err != nil {
				t.Fatal(err)
			}
			if err := to.Save(t.Context(), out); err != nil {
				t.Fatal(err)
			}
		}
		s, err := m.Open(t.Context(), token)
		if err != nil || s.User() != "ada" || s.Get("n") != int64(3) || s.ID() != rec.ID ||
			!s.CreatedAt().Equal(rec.CreatedAt) {
			t.Errorf("sealed %v: after the move user %q, n %v, %v", seal, s.User(), s.Get("n"), err)
		}
		moved, err := to.Load(t.Context(), rec.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, stale, err := manage(t, to, session.Options{Secrets: []session.Secret{fresh}, Seal: seal}).Contents(
			moved); stale || err != nil {
			t.Errorf("sealed %v: the newest secret alone opens it: stale %v, %v", seal, stale, err)
		}
	}
}

func TestRetiredRecordsMoveAsTheyAre(t *testing.T) {
	from, to := memstore.New(memstore.Options{}), memstore.New(memstore.Options{})
	secrets := []session.Secret{session.NewSecret()}
	a, b := manage(t, from, session.Options{Secrets: secrets}), manage(t, to, session.Options{Secrets: secrets})
	token, rec := begun(t, a, from, 1)
	s, err := a.Open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	s.Regenerate()
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{rec.ID, s.ID()} {
		rec, err := from.Load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		out, err := b.Reseal(rec, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Save(t.Context(), out); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := b.Open(t.Context(), token); err != nil || old.User() != "" {
		t.Errorf("the retired ticket opens %q, %v", old.User(), err)
	}
	if n, err := b.Revoke(t.Context(), rec.ID); n != 1 || err != nil {
		t.Errorf("revoking the retired id ends %d, %v, want its successor", n, err)
	}
}

func TestContentsAreThoseOfTheRecord(t *testing.T) {
	store := memstore.New(memstore.Options{})
	old := session.NewSecret()
	m := manage(t, store, session.Options{Secrets: []session.Secret{old}})
	_, rec := begun(t, m, store, 1)
	list, stale, err := m.Contents(rec)
	if err != nil || stale || len(list) != 2 || list[0].Key != "n" || list[0].Value != int64(1) ||
		list[1].Size != len(`"canary"`) {
		t.Errorf("Contents gives %d, stale %v, %v", len(list), stale, err)
	}
	newer := manage(t, store, session.Options{Secrets: []session.Secret{session.NewSecret(), old}})
	if _, stale, err := newer.Contents(rec); !stale || err != nil {
		t.Errorf("under an older secret stale is %v, %v", stale, err)
	}
	stranger := manage(t, store, session.Options{Secrets: []session.Secret{session.NewSecret()}})
	if _, _, err := stranger.Contents(rec); !errors.Is(err, session.ErrCorrupt) {
		t.Errorf("under another secret Contents gives %v", err)
	}
	if _, err := stranger.Reseal(rec, 0); !errors.Is(err, session.ErrCorrupt) {
		t.Errorf("under another secret Reseal gives %v", err)
	}
	rec.User = "mallory"
	if _, err := m.Reseal(rec, 0); !errors.Is(err, session.ErrCorrupt) || strings.Contains(err.Error(), "canary") {
		t.Errorf("a record that was given to somebody else is sealed anew: %v", err)
	}
}
