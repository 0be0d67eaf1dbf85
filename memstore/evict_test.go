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
func TestWhatExpiredGoesFirstThenStrangersThenRetiredIDsThenTheLongestUnseen(t *testing.T) {
	const each = 20
	var recs []*session.Record
	var want []string
	for group, user := range []string{"ada", "", "carl", "bob"} {
		for i := range each {
			rec := &session.Record{ID: fmt.Sprintf("%d-%02d", group, i), User: user, SeenAt: start.Add(time.Duration(i) * time.Minute)}
			switch group {
			case 0:
				rec.ExpiresAt = rec.SeenAt.Add(time.Second)
			case 1, 2: // of a stranger's an alias goes as a session does
				rec.Kind = []session.RecordKind{session.KindAlias, session.KindTombstone, session.KindLive}[i%(4-group)]
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
	users := []*session.Record{
		{ID: "a", User: "ada", SeenAt: start}, {ID: "b", User: "bob", SeenAt: start, Kind: session.KindAlias},
	}
	if got, want := dropped(t, users, ""), []string{"new-0", "new-1"}; !slices.Equal(got, want) {
		t.Errorf("dropped are %q, want the strangers themselves, %q", got, want)
	}
}

// A user's new id costs nobody a session as long as there are retired ones.
func TestARenewalInAFullStoreSignsNobodyOut(t *testing.T) {
	s := memstore.New(memstore.Options{MaxSessions: 3})
	ids := map[string]string{}
	save := func(rec *session.Record) {
		t.Helper()
		if err := s.Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	for i, user := range []string{"ada", "bob"} {
		save(&session.Record{ID: user, User: user, SeenAt: start.Add(time.Duration(i) * time.Minute)})
		ids[user] = user
	}
	for i := range 20 {
		now := start.Add(time.Duration(i) * time.Hour)
		old := ids["bob"]
		ids["bob"] = fmt.Sprintf("bob %d", i)
		save(&session.Record{ID: ids["bob"], User: "bob", SeenAt: now})
		save(&session.Record{ID: old, User: "bob", SeenAt: now, Version: 1, Kind: session.KindTombstone, Successor: ids["bob"]})
	}
	for user, id := range ids {
		if _, err := s.Load(t.Context(), id); err != nil {
			t.Errorf("the session of %s: %v", user, err)
		}
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
