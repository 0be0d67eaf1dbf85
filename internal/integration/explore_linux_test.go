package integration_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/internal/explore/device"
)

// On every store, two requests in every order of their calls with one interruption, or as many as
// COATCHECK_PREEMPTIONS says, and of COATCHECK_REQUESTS requests. With COATCHECK_EXPLORE it is all kinds of request, as
// in memory: see internal/explore.
func TestOrdersOfTwoRequestsKeepThePromisesOnEveryStore(t *testing.T) {
	exploreEach(t, explore.FewCases, explore.Cases)
}

func TestOrdersOfTwoRequestsKeepALimitOnEveryStore(t *testing.T) {
	exploreEach(t, explore.FewCasesWithALimit, explore.CasesWithALimit)
}

func TestOrdersOfTwoRequestsKeepFactorsAndConfirmationsOnEveryStore(t *testing.T) {
	exploreEach(t, explore.CasesOfFactors, explore.CasesOfFactors)
}

func TestOrdersOfTwoRequestsTakeAValueOnceOnEveryStore(t *testing.T) {
	exploreEach(t, explore.CasesOfTakers, explore.CasesOfTakers)
}

func TestOrdersOfTwoStrangersKeepTheirLimitsOnEveryStore(t *testing.T) {
	exploreEach(t, explore.CasesOfStrangers, explore.CasesOfStrangers)
}

// exploreEach explores every fifth one of few cases on each store, so that a store plays those that the four before it
// have not, or all of them.
func exploreEach(t *testing.T, few, all func(n int) []explore.Case) {
	t.Helper()
	every := 5
	if os.Getenv("COATCHECK_EXPLORE") != "" {
		few, every = all, 1
	}
	cases, store := few(number(t, "COATCHECK_REQUESTS", 2)), 0
	play := explore.Play{Preemptions: number(t, "COATCHECK_PREEMPTIONS", 1), Known: explore.Known}
	eachBackend(t, func(t *testing.T, stores [2]session.Store) {
		pair := [2]explore.Store{stores[0].(explore.Store), stores[1].(explore.Store)}
		play.Start = time.Now()
		store++
		total := 0
		for i := store % every; i < len(cases); i += every {
			orders, err := cases[i].Explore(pair, play)
			if err != nil {
				t.Error(err)
			}
			total += orders
		}
		t.Logf("%d orders", total)
	})
}

// A proof of a device's key and another request of its session, in every order on every store.
func TestEveryOrderOfTwoRequestsKeepsABindingOnEveryStore(t *testing.T) {
	eachBackend(t, func(t *testing.T, stores [2]session.Store) {
		t.Parallel()
		pair := [2]explore.Store{stores[0].(explore.Store), stores[1].(explore.Store)}
		total := 0
		for _, renew := range []bool{false, true} {
			total += device.Play{Start: time.Now(), Requests: 2, Preemptions: -1, Renew: renew}.Orders(t, pair)
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
