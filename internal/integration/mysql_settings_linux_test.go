package integration_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// Without autocommit every change would be undone when its connection ends, and seen by nobody else until then.
func TestMySQLWithoutAutocommitIsRefused(t *testing.T) {
	for _, params := range []string{"?autocommit=0", "?autocommit=0&interpolateParams=true"} {
		s, table := sqlServers[1], sqlServers[1].table()
		s.store(t, s.open(t), table)
		s.params = params
		store := s.newStore(t, s.open(t), table)
		calls := everyCall(t.Context(), store)
		calls["Migrate"] = store.Migrate(t.Context())
		_, calls["Rollback"] = store.Rollback(t.Context())
		for call, err := range calls {
			if err == nil || !strings.Contains(err.Error(), "autocommit=1") {
				t.Errorf("%s with %s = %v, want an error that says what to set", call, params, err)
			}
		}
	}
}

// In some character sets of East Asia a byte of a text takes the backslash behind it for its second half, and with it
// the mark before a quote that ends no text.
func TestMySQLTakesAnyBytesInAnyCharacterSet(t *testing.T) {
	for _, set := range []string{"gbk", "sjis", "big5", "cp932", "latin1", "utf8mb4"} {
		for _, params := range []string{"?charset=" + set, "?interpolateParams=true&charset=" + set} {
			t.Run(params, func(t *testing.T) {
				s := sqlServers[1]
				s.params = params
				takesAnyBytes(t, s)
			})
		}
	}
}

func takesAnyBytes(t *testing.T, s server) {
	store := s.store(t, s.open(t), s.table())
	data := []byte(`\'"`)
	for b := range 256 {
		data = append(data, byte(b), '\\', byte(b), '\'', byte(b), 0, byte(b), '"')
	}
	for _, user := range []string{"ada", "中' OR 1=1 -- ", "中\\", `ひ表' OR ''='`} {
		rec := &session.Record{ID: "of " + user, User: user, Data: data}
		if err := store.SaveWithin(t.Context(), rec, session.Limit{Max: 2}); err != nil {
			t.Errorf("SaveWithin for %s = %v", user, err)
			continue
		}
		if got := loaded(t, store, rec.ID); !bytes.Equal(got.Data, data) || got.User != user {
			t.Errorf("the record of %s came back as that of %s, or with other data", user, got.User)
		}
		if recs, err := store.ByUser(t.Context(), user); err != nil || len(recs) != 1 {
			t.Errorf("ByUser(%s) = %d records, %v, want 1", user, len(recs), err)
		}
	}
}
