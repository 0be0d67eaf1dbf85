package integration_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/coatcheck/session"
)

// Without autocommit every change would be undone when its connection ends, and seen by nobody else until then.
func TestMySQLWithoutAutocommitIsRefused(t *testing.T) {
	for _, params := range []string{"?autocommit=0", "?autocommit=0&interpolateParams=true"} {
		refusesEveryCall(t, params, "autocommit=1")
	}
}

// refusesEveryCall wants that connections with these parameters are refused.
func refusesEveryCall(t *testing.T, params, want string) {
	t.Helper()
	s, table := sqlServers[1], sqlServers[1].table()
	s.store(t, s.open(t), table)
	s.params = params
	store := s.newStore(t, s.open(t), table)
	calls := everyCall(t.Context(), store)
	calls["Migrate"] = store.Migrate(t.Context())
	_, calls["Rollback"] = store.Rollback(t.Context())
	for call, err := range calls {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s with %s = %v, want an error that says what to set", call, params, err)
		}
	}
}

// MariaDB would find no session of a user there, and none would end with all of them.
func TestMariaDBThatTakesAnEmptyTextForNullIsRefused(t *testing.T) {
	refusesEveryCall(t, "?sql_mode='EMPTY_STRING_IS_NULL'", "take EMPTY_STRING_IS_NULL out")
}

// MariaDB refuses a prepared statement for as long as its connection lives, once its data were too large.
func TestASessionThatMySQLDoesNotTakeIsInNobodysWay(t *testing.T) {
	s, at := ownMySQL(t, "--max-allowed-packet=1M")
	for _, params := range []string{"", "?maxAllowedPacket=0", "?maxAllowedPacket=0&interpolateParams=true"} {
		store := s.store(t, s.connect(t, at.DSN+params, 1), s.table())
		for _, id := range []string{"a", "b"} {
			err := store.Save(t.Context(), &session.Record{ID: id, Data: make([]byte, 2<<20)})
			if !errors.Is(err, session.ErrTooLarge) || !strings.Contains(err.Error(), "raise its max_allowed_packet") {
				t.Errorf("Save with %s = %v, want an error that says what to set", params, err)
			}
			if err := store.Save(t.Context(), &session.Record{ID: id}); err != nil {
				t.Errorf("the next Save with %s = %v", params, err)
			}
		}
		save(t, store, &session.Record{ID: "c", Data: make([]byte, 1<<20-8<<10)})
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
