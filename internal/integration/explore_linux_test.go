package integration_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/explore"
)

// T-RACE-2 on every store: two requests in every order of their calls with one interruption, or as many as
// COATCHECK_PREEMPTIONS says, and of COATCHECK_REQUESTS requests. In memory it is all orders: see internal/explore.
func TestOrdersOfTwoRequestsKeepThePromisesOnEveryStore(t *testing.T) {
	requests, preemptions := number(t, "COATCHECK_REQUESTS", 2), number(t, "COATCHECK_PREEMPTIONS", 1)
	eachBackend(t, func(t *testing.T, stores [2]session.Store) {
		pair := [2]explore.Store{stores[0].(explore.Store), stores[1].(explore.Store)}
		total := 0
		for _, c := range explore.Cases(requests) {
			orders, err := c.Explore(pair, time.Now(), preemptions)
			if err != nil {
				t.Error(err)
			}
			total += orders
		}
		t.Logf("%d orders", total)
	})
}

// number is what an environment variable says.
func number(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
