package memstore_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session"
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
