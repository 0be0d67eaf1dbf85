package explore_test

import (
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/memstore"
)

// T-RACE-2: two requests in every order. The same on other stores is in internal/integration.
func TestEveryOrderOfTwoRequestsKeepsThePromises(t *testing.T) {
	exploreMemory(t, 2, -1)
}

// Three requests in every order with one interruption, or as many as COATCHECK_PREEMPTIONS says: two take some minutes.
func TestOrdersOfThreeRequestsKeepThePromises(t *testing.T) {
	preemptions := 1
	if text := os.Getenv("COATCHECK_PREEMPTIONS"); text != "" {
		var err error
		if preemptions, err = strconv.Atoi(text); err != nil {
			t.Fatalf("COATCHECK_PREEMPTIONS: %v", err)
		}
	}
	exploreMemory(t, 3, preemptions)
}

// exploreMemory explores in a bubble, where the pause before another try takes no time.
func exploreMemory(t *testing.T, requests, preemptions int) {
	t.Helper()
	total := 0
	for _, c := range explore.Cases(requests) {
		synctest.Test(t, func(t *testing.T) {
			store := memstore.New(memstore.Options{})
			orders, err := c.Explore([2]explore.Store{store, store}, time.Now(), preemptions)
			if err != nil {
				t.Error(err)
			}
			total += orders
		})
	}
	t.Logf("%d orders", total)
}
