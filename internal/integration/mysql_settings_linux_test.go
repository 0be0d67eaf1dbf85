package integration_test

import (
	"strings"
	"testing"
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
