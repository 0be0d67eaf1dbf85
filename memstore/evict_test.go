package memstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// The records of each group are saved in the wrong order, and lie in many shards.
func TestWhatExpiredGoesFirstThenStrangersThenTheLongestUnseen(t *testing.T) {
	const each = 20
	var recs []*session.Record
	var want []string
	for group, user := range []string{"ada", "", "bob"} {
		for i := range each {
			rec := &session.Record{ID: fmt.Sprintf("%d-%02d", group, i), User: user,
				SeenAt: start.Add(time.Duration(i) * time.Minute)}
			if group == 0 {
				rec.ExpiresAt = rec.SeenAt.Add(time.Second)
			}
			recs, want = append(recs, rec), append(want, rec.ID)
		}
	}
	slices.Reverse(recs)
	if got := dropped(t, recs, "carl"); !slices.Equal(got, want) {
		t.Errorf("dropped are %q, want %q", got, want)
	}
}

func TestAStrangerNeverDisplacesAUser(t *testing.T) {
	users := []*session.Record{{ID: "a", User: "ada", SeenAt: start}, {ID: "b", User: "bob", SeenAt: start}}
	if got, want := dropped(t, users, ""), []string{"new-0", "new-1"}; !slices.Equal(got, want) {
		t.Errorf("dropped are %q, want the strangers themselves, %q", got, want)
	}
}

// full is a store of this size, filled with sessions of users, the first seen first. It tells who is dropped.
func full(t *testing.T, users ...string) (s *memstore.Store, gone func() []string) {
	t.Helper()
	s = memstore.New(memstore.Options{MaxSessions: len(users)})
	var ids []string
	s.OnEvict(func(id, _ string) { ids = append(ids, id) })
	for i, user := range users {
		save(t, s, &session.Record{ID: user, User: user, SeenAt: start.Add(time.Duration(i) * time.Minute)})
	}
	return s, func() []string { return ids }
}

func save(t *testing.T, s *memstore.Store, rec *session.Record) {
	t.Helper()
	if err := s.Save(t.Context(), rec); err != nil {
		t.Fatalf("Save of %s: %v", rec.ID, err)
	}
}

// move gives a session a new id, as the manager does: the new record names the old one, which is retired then.
func move(t *testing.T, s *memstore.Store, user, from, to string, now time.Time) {
	t.Helper()
	save(t, s, &session.Record{ID: to, User: user, SeenAt: now, Successor: from})
	save(t, s, &session.Record{ID: from, User: user, SeenAt: now, Version: 1, Kind: session.KindAlias, Successor: to})
}

// A user's new id costs nobody a session, however small the store is, and the old id leads on.
func TestARenewalInAFullStoreSignsNobodyOut(t *testing.T) {
	for _, users := range [][]string{{"ada"}, {"ada", "bob"}, {"ada", "bob", "carl"}} {
		t.Run(fmt.Sprintf("bound %d", len(users)), func(t *testing.T) {
			s, gone := full(t, users...)
			id := users[0] // the longest unseen
			for i := range 20 {
				next := fmt.Sprintf("ada %d", i)
				move(t, s, "ada", id, next, start.Add(time.Duration(i+1)*time.Hour))
				for _, want := range append([]string{id, next}, users[1:]...) {
					if _, err := s.Load(t.Context(), want); err != nil {
						t.Fatalf("after %d moves: Load(%q): %v", i+1, want, err)
					}
				}
				id = next
			}
			for _, id := range gone() {
				if id == users[len(users)-1] && len(users) > 1 {
					t.Errorf("%s was dropped", id)
				}
			}
		})
	}
}

// While a session moves its old record is the longest unseen of all, and must not go for somebody who signs in.
func TestASessionThatMovesIsNotDroppedForAnother(t *testing.T) {
	s, gone := full(t, "ada", "bob")
	later := start.Add(time.Hour)
	save(t, s, &session.Record{ID: "ada's next", User: "ada", SeenAt: later, Successor: "ada"})
	save(t, s, &session.Record{ID: "carl", User: "carl", SeenAt: later})
	save(t, s, &session.Record{ID: "ada", User: "ada", SeenAt: later, Version: 1, Kind: session.KindTombstone,
		Successor: "ada's next"})
	if got := gone(); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("dropped are %q, want bob alone", got)
	}
	if _, err := s.Load(t.Context(), "ada's next"); err != nil {
		t.Errorf("the session that moved: %v", err)
	}
}

// A stranger's session ends just when another stranger comes and would have taken its place. No user goes instead.
func TestAStrangerDisplacesNoUserWhileOthersLeave(t *testing.T) {
	s, gone := full(t, "ada", "bob", "carl", "dan", "eve")
	leaving := make(chan string, 4)
	var wg sync.WaitGroup
	wg.Go(func() {
		for id := range leaving {
			if err := s.Delete(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
	})
	if err := s.Delete(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		id := fmt.Sprint("stranger ", i)
		save(t, s, &session.Record{ID: id, SeenAt: start.Add(time.Duration(i) * time.Second)})
		leaving <- id
	}
	close(leaving)
	wg.Wait()
	for _, id := range gone() {
		if !strings.HasPrefix(id, "stranger") {
			t.Fatalf("%s was dropped for a stranger", id)
		}
	}
}

// Two requests give one session a new id. The record of the one that loses is there for a while, and counts for nobody.
func TestAMoveThatLosesTakesNoPlace(t *testing.T) {
	s, gone := full(t, "ada", "bob")
	later := start.Add(time.Hour)
	for _, id := range []string{"ada 1", "ada 2"} {
		save(t, s, &session.Record{ID: id, User: "ada", SeenAt: later, Successor: "ada"})
	}
	save(t, s, &session.Record{ID: "ada", User: "ada", SeenAt: later, Version: 1, Kind: session.KindAlias,
		Successor: "ada 1"})
	save(t, s, &session.Record{ID: "carl", User: "carl", SeenAt: later})
	if got := gone(); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("dropped are %q, want bob alone", got)
	}
	err := s.Save(t.Context(), &session.Record{ID: "ada 3", User: "ada", SeenAt: later, Successor: "ada"})
	var conflict *session.ConflictError
	if !errors.As(err, &conflict) || conflict.Newest.ID != "ada" {
		t.Errorf("Save of a record whose predecessor was retired = %v, want a conflict with that one", err)
	}
	if err := s.Delete(t.Context(), "ada 2"); err != nil {
		t.Fatal(err)
	}
	save(t, s, &session.Record{ID: "dan", User: "dan", SeenAt: later.Add(time.Minute)})
	if got := gone(); len(got) != 2 {
		t.Errorf("dropped are %q, want bob and one more", got)
	}
}

// A move that was given up leaves the session where it was, to be dropped in its turn.
func TestAMoveThatWasGivenUpProtectsNobody(t *testing.T) {
	for name, giveUp := range map[string]func(t *testing.T, s *memstore.Store){
		"deleted": func(t *testing.T, s *memstore.Store) {
			if err := s.Delete(t.Context(), "ada's next"); err != nil {
				t.Fatal(err)
			}
		},
		"swept": func(t *testing.T, s *memstore.Store) {
			if n, err := s.Sweep(t.Context(), start.Add(2*time.Hour), 10); n != 1 || err != nil {
				t.Fatalf("Sweep = %d, %v, want 1", n, err)
			}
		},
		"saved as its own": func(t *testing.T, s *memstore.Store) {
			save(t, s, &session.Record{ID: "ada's next", User: "eve", SeenAt: start.Add(-time.Hour), Version: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, gone := full(t, "ada", "bob")
			later := start.Add(time.Hour)
			save(t, s, &session.Record{ID: "ada's next", User: "ada", SeenAt: later, ExpiresAt: later,
				Successor: "ada"})
			giveUp(t, s)
			for i := range 3 {
				save(t, s, &session.Record{ID: fmt.Sprint("new ", i), User: "carl", SeenAt: later.Add(time.Hour)})
			}
			if !slices.Contains(gone(), "ada") || !slices.Contains(gone(), "bob") {
				t.Errorf("dropped are %q, want ada and bob among them", gone())
			}
		})
	}
}

// Retired ids have a bound of their own, so that nobody fills the memory by moving on and on; a stranger's go first.
func TestRetiredIDsAreKeptUpToTheBound(t *testing.T) {
	s, gone := full(t, "ada", "bob")
	now := start.Add(time.Hour)
	move(t, s, "ada", "ada", "ada 1", now)
	save(t, s, &session.Record{ID: "a stranger's", SeenAt: now.Add(time.Hour), Kind: session.KindTombstone})
	move(t, s, "bob", "bob", "bob 1", now.Add(time.Minute))
	move(t, s, "ada", "ada 1", "ada 2", now.Add(2*time.Minute))
	save(t, s, &session.Record{ID: "another stranger's", SeenAt: now.Add(time.Hour), Kind: session.KindTombstone})
	if got, want := gone(), []string{"a stranger's", "ada", "another stranger's"}; !slices.Equal(got, want) {
		t.Errorf("dropped are %q, want %q", got, want)
	}
}

// dropped fills a store and returns what goes as often as a record of the user is saved, once for each that was there.
func dropped(t *testing.T, recs []*session.Record, user string) (ids []string) {
	t.Helper()
	s := memstore.New(memstore.Options{MaxSessions: len(recs)})
	s.OnEvict(func(id, _ string) { ids = append(ids, id) })
	for i := range recs {
		if err := s.Save(t.Context(), recs[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range recs {
		rec := &session.Record{ID: fmt.Sprintf("new-%d", i), User: user, SeenAt: start.Add(time.Hour)}
		if err := s.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

// A stranger takes the place of the stranger who was seen last before all others.
func TestAStrangerDisplacesAStranger(t *testing.T) {
	strangers := []*session.Record{{ID: "a", SeenAt: start.Add(time.Minute)}, {ID: "b", SeenAt: start}}
	if got, want := dropped(t, strangers, ""), []string{"b", "a"}; !slices.Equal(got, want) {
		t.Errorf("dropped are %q, want %q", got, want)
	}
}

// Who copies a store into another brings retired ids as new records. They take the place of no session.
func TestARetiredIDThatIsCreatedDropsNoSession(t *testing.T) {
	s, gone := full(t, "ada", "bob")
	save(t, s, &session.Record{ID: "ada's last", User: "ada", SeenAt: start, Kind: session.KindTombstone})
	if got := gone(); len(got) != 0 {
		t.Errorf("dropped are %q, want none", got)
	}
	if _, err := s.Load(t.Context(), "ada's last"); err != nil {
		t.Error(err)
	}
}
