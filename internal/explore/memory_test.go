package explore_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session/internal/explore"
	"github.com/coatcheck/session/memstore"
)

// Without this variable the tests take half a minute of processor time; with it, as in make explore, they try all that
// is known to be worth it. COATCHECK_CASE chooses cases by a regular expression: what a failure begins with.
var (
	everything = os.Getenv("COATCHECK_EXPLORE") != ""
	chosen     = os.Getenv("COATCHECK_CASE")
	only       = regexp.MustCompile(chosen)
)

// The race detector makes the explorer eight times as slow, and has little to find where one call happens at a time:
// each hands over to the next. With it the tests play every seventh case, and make test plays all of them without it.
const stride = 7

// played returns those of the cases that are played.
func played[C fmt.Stringer](cases []C) (list []C) {
	sample := raced && !everything && chosen == ""
	for i, c := range cases {
		if only.MatchString(c.String()) && (!sample || i%stride == 0) {
			list = append(list, c)
		}
	}
	return list
}

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if flag.Lookup("test.run").Value.String() == "" && chosen == "" && !raced {
		for _, text := range explore.Mended(everything) {
			fmt.Fprintln(os.Stderr, text)
			code = 1
		}
	}
	os.Exit(code)
}

// Two requests in every order. The same on other stores is in internal/integration.
func TestEveryOrderOfTwoRequestsKeepsThePromises(t *testing.T) {
	exploreMemory(t, fewOrAll(2, explore.CasesButTouches, explore.Cases), explore.Play{Preemptions: thorough(-1, 1)})
}

func TestOrdersOfThreeRequestsKeepThePromises(t *testing.T) {
	exploreMemory(t, fewOrAll(3, explore.FewCases, explore.Cases), explore.Play{Preemptions: 1})
}

func TestOrdersOfThreeRequestsKeepThePromisesWhileAnIDChanges(t *testing.T) {
	exploreMemory(t, explore.CasesOfMoves(3), explore.Play{Preemptions: thorough(3, 2)})
}

// The reason that arrives is that of whoever ended the session first.
func TestOrdersOfThreeEndsTellTheFirstReason(t *testing.T) {
	exploreMemory(t, explore.CasesOfEnds(3), explore.Play{Preemptions: thorough(2, 1)})
}

func TestOrdersOfThreeRequestsKeepFactorsAndConfirmations(t *testing.T) {
	exploreMemory(t, explore.CasesOfFactors(3), explore.Play{Preemptions: thorough(2, 1)})
}

// What a lost answer may have used up lets nobody through a second time.
func TestOrdersOfTwoRequestsKeepFactorsAndConfirmationsWhenTheStoreFails(t *testing.T) {
	exploreMemory(t, explore.CasesOfFactors(2), explore.Play{Preemptions: thorough(2, 1), Faults: 1})
}

func TestOrdersOfThreeRequestsTakeAValueOnce(t *testing.T) {
	exploreMemory(t, explore.CasesOfTakers(3), explore.Play{Preemptions: thorough(3, 1)})
}

func TestOrdersOfTwoRequestsTakeAValueOnceWhenTheStoreFails(t *testing.T) {
	exploreMemory(t, explore.CasesOfTakers(2), explore.Play{Preemptions: thorough(2, 1), Faults: 1})
}

func TestOrdersOfThreeStrangersKeepTheirLimits(t *testing.T) {
	exploreMemory(t, explore.CasesOfStrangers(3), explore.Play{Preemptions: thorough(2, 1)})
}

func TestOrdersOfTwoStrangersKeepTheirLimitsWhenTheStoreFails(t *testing.T) {
	exploreMemory(t, explore.CasesOfStrangers(2), explore.Play{Preemptions: thorough(2, 1), Faults: 1})
}

func TestEveryOrderOfTwoRequestsKeepsALimit(t *testing.T) {
	exploreMemory(t, explore.CasesWithALimit(2), explore.Play{Preemptions: thorough(-1, 2)})
}

func TestEveryOrderOfTwoRequestsKeepsThePromisesInAFullStore(t *testing.T) {
	exploreMemory(t, explore.CasesWithABound(2), explore.Play{Preemptions: -1})
}

// What was loaded long ago is the same session, whatever became of its id since.
func TestOrdersOfRequestsAndStreamsKeepThePromises(t *testing.T) {
	exploreMemory(t, explore.CasesOfStreams(thorough(3, 2)), explore.Play{Preemptions: 1})
}

func TestOrdersOfRequestsAndStreamsKeepThePromisesWhenTheStoreFails(t *testing.T) {
	exploreMemory(t, explore.CasesOfStreams(2), explore.Play{Preemptions: thorough(1, 0), Faults: 1})
}

// A store that fails once costs one answer, and none of the promises.
func TestOrdersOfTwoRequestsKeepThePromisesWhenTheStoreFails(t *testing.T) {
	exploreMemory(t, fewOrAll(2, explore.CasesOfFailures, explore.Cases), explore.Play{Preemptions: 1, Faults: 1})
}

func TestOrdersOfThreeRequestsKeepALimit(t *testing.T) {
	exploreMemory(t, fewOrAll(3, explore.FewCasesWithALimit, explore.CasesWithALimit), explore.Play{Preemptions: 1})
}

// Requests of one node wait for each other in its queue, and go on while others pause.
func TestOrdersOfRequestsToOneNodeKeepALimit(t *testing.T) {
	cases := explore.FewCasesWithALimit(thorough(3, 2))
	exploreMemory(t, cases, explore.Play{Preemptions: thorough(1, -1), Settled: synctest.Wait})
}

func TestOrdersOfThreeRequestsKeepThePromisesInAFullStore(t *testing.T) {
	exploreMemory(t, fewOrAll(3, explore.FewCasesWithABound, explore.CasesWithABound), explore.Play{Preemptions: 1})
}

func fewOrAll(n int, few, all func(n int) []explore.Case) []explore.Case {
	if everything {
		return all(n)
	}
	return few(n)
}

func thorough(n, otherwise int) int {
	if everything {
		return n
	}
	return otherwise
}

// exploreMemory explores in a bubble, where the pause before another try takes no time.
func exploreMemory(t *testing.T, cases []explore.Case, p explore.Play) {
	t.Helper()
	p.Rest, p.Known = func() { time.Sleep(time.Minute) }, explore.Known
	total, failed := 0, 0
	for _, c := range played(cases) {
		var orders int
		var err error
		synctest.Test(t, func(*testing.T) { // which would end all at the first failure
			store := memstore.New(memstore.Options{MaxSessions: c.Bound()})
			p.Start = time.Now()
			orders, err = c.Explore([2]explore.Store{store, store}, p)
		})
		total += orders
		if err != nil {
			t.Error(err)
			failed++
		}
		if failed == 20 {
			t.Fatal("there may be more")
		}
	}
	t.Logf("%d orders", total)
}
