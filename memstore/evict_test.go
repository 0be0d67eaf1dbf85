package memstore_test

import (
	"fmt"
	"slices"
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
			rec := &session.Record{ID: fmt.Sprintf("%d-%02d", group, i), User: user, SeenAt: start.Add(time.Duration(i) * time.Minute)}
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
