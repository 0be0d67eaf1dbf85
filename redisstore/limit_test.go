package redisstore_test

import (
	"errors"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/redisstore"
)

// A limit is for what is new. A record that was saved before is refused without a look at the server.
func TestSaveWithinOnlyCreates(t *testing.T) {
	store, err := redisstore.New(noServer{}, redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range []*session.Record{{ID: "a", User: "ada", Version: 1}, {ID: "a", Version: 1}} {
		err := store.SaveWithin(t.Context(), rec, session.Limit{Max: 9})
		if err == nil || errors.Is(err, session.ErrConflict) || errors.Is(err, session.ErrNotFound) ||
			errors.Is(err, session.ErrTooMany) {
			t.Errorf("SaveWithin of a record of %q with version 1 = %v, want an error of its own", rec.User, err)
		}
	}
}
