package memstore_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
)

// Of a session that moves one record counts. When the old one goes, that is the new one.
func TestTheNewRecordOfASessionCountsWhenTheOldOneIsGone(t *testing.T) {
	s, gone := full(t, "ada", "bob")
	later := start.Add(time.Hour)
	save(t, s, &session.Record{ID: "ada's next", User: "ada", SeenAt: later, Successor: "ada"})
	if err := s.Delete(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	save(t, s, &session.Record{ID: "carl", User: "carl", SeenAt: later})
	if got := gone(); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("dropped are %q, want bob for carl", got)
	}
}

func TestAnIDThatLedToANewOneIsDroppedInItsTurn(t *testing.T) {
	s, gone := full(t, "ada", "bob")
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	stone := func(id string, hours int) *session.Record {
		return &session.Record{ID: id, User: id, SeenAt: at(hours), Version: 1, Kind: session.KindTombstone}
	}
	move(t, s, "ada", "ada", "ada's next", at(1))
	save(t, s, stone("bob", 2))
	save(t, s, &session.Record{ID: "carl", User: "carl", SeenAt: at(3)})
	save(t, s, stone("carl", 3))
	if got := gone(); !slices.Equal(got, []string{"ada"}) {
		t.Errorf("dropped are %q, want the oldest of the retired ids", got)
	}
}

// Whose move was given up is as long unseen as before, also after the store had looked for somebody to drop.
func TestSessionsWhoseMoveWasGivenUpAreDroppedInTheirOrder(t *testing.T) {
	var users []string
	for i := range 200 {
		users = append(users, fmt.Sprintf("user %03d", i))
	}
	s, gone := full(t, users...)
	later := start.Add(1000 * time.Hour)
	for i := 0; i < len(users); i += 2 {
		save(t, s, &session.Record{ID: users[i] + "'s next", User: users[i], SeenAt: later, Successor: users[i]})
	}
	save(t, s, &session.Record{ID: "stranger", SeenAt: later}) // for whom nobody has to go
	for i := 0; i < len(users); i += 2 {
		if err := s.Delete(t.Context(), users[i]+"'s next"); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		save(t, s, &session.Record{ID: fmt.Sprint("new ", i), User: "new", SeenAt: later})
	}
	if got, want := gone(), append([]string{"stranger"}, users[:100]...); !slices.Equal(got, want) {
		t.Errorf("dropped are %q, want the stranger and then the longest unseen", got)
	}
}

func TestASaveThatIsRefusedDropsNobody(t *testing.T) {
	s, gone := full(t, "ada", "bob")
	err := s.Save(t.Context(), &session.Record{ID: "bob", User: "bob", SeenAt: start.Add(time.Hour)})
	if !errors.Is(err, session.ErrConflict) {
		t.Errorf("Save = %v, want ErrConflict", err)
	}
	if got := gone(); len(got) != 0 {
		t.Errorf("dropped are %q, want nobody", got)
	}
}

// The new record of a session that moves is the one to go by every order there is: it belongs to a stranger, or the
// clock went back. The session is one, so another one goes.
func TestTheNewRecordOfASessionThatMovesIsNotDroppedForAnother(t *testing.T) {
	for name, users := range map[string]struct{ old, new string }{
		"renewed":    {"ada", "ada"},
		"signed in":  {"", "ada"},
		"signed out": {"ada", ""},
		"a stranger": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, gone := full(t, "old", "bob", "carl")
			save(t, s, &session.Record{ID: "old", User: users.old, SeenAt: start, Version: 1})
			save(t, s, &session.Record{ID: "new", User: users.new, SeenAt: start.Add(-time.Hour), Successor: "old"})
			for i := range 5 {
				id := fmt.Sprint("dan ", i)
				save(t, s, &session.Record{ID: id, User: "dan", SeenAt: start.Add(time.Duration(i+1) * time.Hour)})
			}
			save(t, s, &session.Record{ID: "old", User: users.old, SeenAt: start, Version: 2, Kind: session.KindAlias,
				Successor: "new"})
			if _, err := s.Load(t.Context(), "new"); err != nil {
				t.Errorf("the session that moved: %v", err)
			}
			save(t, s, &session.Record{ID: "eve", User: "eve", SeenAt: start.Add(time.Hour)})
			want := []string{"bob", "carl", "dan 0", "dan 1", "dan 2", "new"}
			if got := gone(); !slices.Equal(got, want) {
				t.Errorf("dropped are %q, want %q", got, want)
			}
		})
	}
}

// Sessions that nobody would miss more than others move all the time, while strangers and users come. What is put aside
// for a move has its turn later on.
func TestSessionsThatMoveAreKeptWhileOthersCome(t *testing.T) {
	const size, rounds = 4, 1500
	s := memstore.New(memstore.Options{MaxSessions: size})
	var wg sync.WaitGroup
	for _, user := range []string{"", "ada", "bob"} {
		wg.Go(func() {
			for i := range rounds {
				moveWatched(t, s, user, fmt.Sprintf("%s old %d", user, i), fmt.Sprintf("%s new %d", user, i))
			}
		})
		wg.Go(func() {
			for i := range rounds {
				id := fmt.Sprintf("%s other %d", user, i)
				if err := s.Save(t.Context(), &session.Record{ID: id, User: user, SeenAt: start}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var want []string
	for i := range size {
		id := fmt.Sprint("last ", i)
		save(t, s, &session.Record{ID: id, User: "eve", SeenAt: start.Add(time.Hour)})
		want = append(want, id)
	}
	if got := liveIDs(t, s); !slices.Equal(got, want) {
		t.Errorf("the store has %q in the end, want %q", got, want)
	}
}

// moveWatched moves a new session, and fails the test if a record of it is dropped between the two steps. It may be
// dropped before.
func moveWatched(t *testing.T, s *memstore.Store, user, from, to string) {
	old := &session.Record{ID: from, User: user, SeenAt: start}
	next := &session.Record{ID: to, User: user, SeenAt: start.Add(-time.Hour), Successor: from}
	if err := errors.Join(s.Save(t.Context(), old), s.Save(t.Context(), next)); err != nil {
		t.Error(err)
	}
	if _, err := s.Load(t.Context(), from); err != nil {
		return
	}
	_, err := s.Load(t.Context(), to)
	old.Version, old.Kind, old.Successor = 1, session.KindAlias, to
	if err := errors.Join(err, s.Save(t.Context(), old)); err != nil {
		t.Errorf("while %s became %s: %v", from, to, err)
	}
}

// liveIDs are the ids of the sessions, sorted.
func liveIDs(t *testing.T, s *memstore.Store) (ids []string) {
	t.Helper()
	recs, err := s.Page(t.Context(), "", 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range recs {
		if rec.Kind == session.KindLive {
			ids = append(ids, rec.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// A store in which every session moves keeps both of its promises, so that nothing but the new session can go.
func TestANewSessionIsDroppedWhereEveryOtherMoves(t *testing.T) {
	s, gone := full(t, "ada")
	var users []string
	s.OnEvict(func(_, user string) { users = append(users, user) })
	later := start.Add(time.Hour)
	save(t, s, &session.Record{ID: "ada's next", User: "ada", SeenAt: later, Successor: "ada"})
	save(t, s, &session.Record{ID: "bob's", User: "bob", SeenAt: later})
	if got := gone(); !slices.Equal(got, []string{"bob's"}) || !slices.Equal(users, []string{"bob"}) {
		t.Errorf("dropped are %q of %q, want that of bob alone", got, users)
	}
}

// The old record of a session that was renewed at the last moment runs out before it is retired.
func TestAnOldRecordThatExpiresWhileTheSessionMovesIsNotDropped(t *testing.T) {
	s, gone := full(t, "ada", "bob")
	later := start.Add(time.Hour)
	save(t, s, &session.Record{ID: "ada", User: "ada", SeenAt: start, ExpiresAt: later, Version: 1})
	save(t, s, &session.Record{ID: "ada's next", User: "ada", SeenAt: later, Successor: "ada"})
	save(t, s, &session.Record{ID: "carl", User: "carl", SeenAt: later.Add(time.Second)})
	if got := gone(); !slices.Equal(got, []string{"bob"}) {
		t.Errorf("dropped are %q, want bob alone", got)
	}
}

// Moves are given up while others come. None of that makes room, so that each who comes takes the place of another.
func TestAMoveThatIsGivenUpMakesNoRoomForAMoment(t *testing.T) {
	s, gone := full(t, "ada", "bob")
	var ids []string
	for i := range 10_000 {
		ids = append(ids, fmt.Sprint("ada's next ", i))
		save(t, s, &session.Record{ID: ids[i], User: "ada", SeenAt: start.Add(1000 * time.Hour), Successor: "ada"})
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, id := range ids {
			if err := s.Delete(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
	}()
	defer func() { <-done }()
	for i, more := 0, true; more; i++ {
		save(t, s, &session.Record{ID: fmt.Sprint("new ", i), User: "carl", SeenAt: start.Add(time.Hour)})
		if n := len(gone()); n != i+1 {
			t.Fatalf("after %d saves in a full store %d records were dropped", i+1, n)
		}
		select {
		case <-done:
			more = false
		default:
		}
	}
}
