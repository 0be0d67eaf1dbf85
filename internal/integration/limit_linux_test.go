package integration_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sqlstore"
)

// A hundred logins at once, through two nodes, leave exactly as many sessions as a user may have.
func TestAHundredLoginsAtOnceLeaveExactlyTheLimit(t *testing.T) {
	eachBackend(t, hundredLogins)
}

func hundredLogins(t *testing.T, stores [2]session.Store) {
	const room, logins = 5, 100
	for _, overflow := range []session.Overflow{session.EvictOldest, session.RefuseNew} {
		t.Run(fmt.Sprint("overflow ", overflow), func(t *testing.T) {
			var nodes [2]*session.Manager
			for i := range nodes {
				nodes[i] = node(t, unhurried(stores[i]), func(o *session.Options) {
					o.MaxPerUser, o.Overflow = room, overflow
				})
			}
			user := fmt.Sprint("user ", overflow)
			statuses := make([]int, logins)
			var all sync.WaitGroup
			for i := range logins {
				b := newBrowser(t)
				all.Go(func() {
					statuses[i] = b.with(nodes[i%2], func(s *session.Session) { s.Login(user) }).StatusCode
				})
			}
			all.Wait()
			checkLogins(t, statuses, overflow, room)
			infos, err := nodes[0].Sessions(t.Context(), user)
			if err != nil || len(infos) != room {
				t.Errorf("the user has %d sessions, %v, want %d", len(infos), err, room)
			}
		})
	}
}

func checkLogins(t *testing.T, statuses []int, overflow session.Overflow, room int) {
	t.Helper()
	answers := map[int]int{}
	for _, status := range statuses {
		answers[status]++
	}
	want := map[int]int{http.StatusOK: len(statuses)}
	if overflow == session.RefuseNew {
		want = map[int]int{http.StatusOK: room, http.StatusForbidden: len(statuses) - room}
	}
	if fmt.Sprint(answers) != fmt.Sprint(want) {
		t.Errorf("the answers have the statuses %v, want %v", answers, want)
	}
}

// Logins of different users have nothing to wait for in each other. MySQL counts the deadlocks that it breaks, also
// those that a store then gets over.
func TestLoginsOfDifferentUsersDoNotDeadlock(t *testing.T) {
	const users, at = 640, 16
	eachServer(t, func(t *testing.T, s server) {
		db := s.open(t)
		store := s.store(t, db, s.table())
		before := deadlocks(t, db.DB, s.dialect)
		var all sync.WaitGroup
		for i := range at {
			all.Go(func() {
				for n := i; n < users; n += at {
					user := fmt.Sprint("user ", n)
					rec := &session.Record{ID: fmt.Sprint("id of ", user), User: user}
					if err := store.SaveWithin(t.Context(), rec, session.Limit{Max: 3}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if n := deadlocks(t, db.DB, s.dialect) - before; n != 0 {
			t.Errorf("%d first logins of %d users met %d deadlocks, want none", users, users, n)
		}
	})
}

func deadlocks(t *testing.T, db *sql.DB, d sqlstore.Dialect) (n int) {
	t.Helper()
	query := "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
	if d == sqlstore.MySQL {
		query = "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Innodb_deadlocks'"
	}
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestALimitOnAServerThatLogsStatementsSaysWhatToSet(t *testing.T) {
	s, _ := ownMySQL(t, "--log-bin", "--binlog-format=STATEMENT")
	store := s.store(t, s.open(t), s.table())
	save(t, store, &session.Record{ID: "a", User: "ada"})
	err := store.SaveWithin(t.Context(), &session.Record{ID: "b", User: "ada"}, session.Limit{Max: 3})
	if err == nil || errors.Is(err, session.ErrTooMany) || !strings.Contains(err.Error(), "set it to ROW or MIXED") {
		t.Errorf("SaveWithin = %v, want an error that says what to set", err)
	}
}
