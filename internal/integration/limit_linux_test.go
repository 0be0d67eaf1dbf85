package integration_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/coatcheck/session"
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
				nodes[i] = node(t, stores[i], func(o *session.Options) { o.MaxPerUser, o.Overflow = room, overflow })
			}
			user := fmt.Sprint("user ", overflow)
			statuses := make([]int, logins)
			var all sync.WaitGroup
			for i := range logins {
				b := newBrowser(t)
				all.Go(func() { statuses[i] = b.with(nodes[i%2], func(s *session.Session) { s.Login(user) }).StatusCode })
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
