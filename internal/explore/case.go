package explore

import (
	"fmt"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// due is what a request finds to do besides its own deed. It comes due before a confirmation is over.
type due struct {
	name       string
	renewEvery time.Duration
	age        time.Duration
	idle       time.Duration // 0: that of the manager
	renewals   int           // that have been made before
}

var (
	nothingDue = due{name: "nothing due"}
	touchDue   = due{name: "touch due", age: 3 * time.Minute}
	renewalDue = due{name: "renewal due", renewEvery: 2 * time.Minute, age: 3 * time.Minute}
)

// room is how many sessions there may be.
type room struct {
	perUser  int // 0: as many as they like
	overflow session.Overflow
	bound    int // of the store; 0: none
	phone    bool
}

func (r room) String() string {
	var text strings.Builder
	if r.phone {
		text.WriteString(", beside a phone")
	}
	if r.perUser > 0 {
		overflow := [...]string{"the oldest goes", "a new one is refused"}[r.overflow]
		fmt.Fprintf(&text, ", at most %d sessions, %s", r.perUser, overflow)
	}
	if r.bound > 0 {
		fmt.Fprintf(&text, ", at most %d records", r.bound)
	}
	return text.String()
}

// Case is some requests that meet.
type Case struct {
	deeds []deed
	due   due
	room  room
}

// String names the case, such as "set, logout, renewal due".
func (c Case) String() string {
	var text strings.Builder
	for _, d := range c.deeds {
		text.WriteString(d.name + ", ")
	}
	return text.String() + c.due.name + c.room.String()
}

// Bound is how many records the store of the case may keep, 0 for any number.
func (c Case) Bound() int { return c.room.bound }

// beside reports whether ada is signed in on her phone, too.
func (c Case) beside() bool {
	for _, d := range c.deeds {
		if d.by == phone || d.phone {
			return true
		}
	}
	return c.room.phone
}

// Cases returns every choice of n requests, with all that can be due.
func Cases(n int) []Case {
	return cases(Choose(n, deeds()), []due{nothingDue, touchDue, renewalDue}, []room{{}})
}

// CasesButTouches returns those of Cases in which no touch comes due.
func CasesButTouches(n int) []Case {
	return cases(Choose(n, deeds()), []due{nothingDue, renewalDue}, []room{{}})
}

// FewCases returns every choice of n of the requests that have broken most.
func FewCases(n int) []Case {
	return cases(Choose(n, deedsThatBreakMost()), []due{nothingDue, renewalDue}, []room{{}})
}

// CasesOfFailures returns every choice of n of those that a store which fails may harm.
func CasesOfFailures(n int) []Case {
	return cases(Choose(n, deedsOfFailures()), []due{nothingDue, renewalDue}, []room{{}})
}

// CasesOfMoves returns every choice of n of the requests that misjudge a session which is just getting another id.
func CasesOfMoves(n int) []Case {
	return cases(Choose(n, deedsOfMoves()), []due{nothingDue, renewalDue}, []room{{}})
}

// CasesOfEnds returns every choice of n of the requests that end a session, or change its id meanwhile.
func CasesOfEnds(n int) []Case {
	return cases(Choose(n, deedsThatEnd()), []due{nothingDue, renewalDue}, []room{{}})
}

// CasesOfFactors returns every choice of n of the requests that show a factor, spend a confirmation, or end both.
func CasesOfFactors(n int) []Case {
	return cases(Choose(n, deedsAroundFactors()), []due{nothingDue, renewalDue}, []room{{}})
}

// CasesOfStrangers returns every choice of n of the requests of people who are not signed in and are counted, or who
// answer a challenge.
func CasesOfStrangers(n int) []Case {
	return cases(Choose(n, deedsOfVisitors()), []due{nothingDue}, []room{{}})
}

// CasesOfTakers returns every choice of n of the requests that take a value which only one may have, or end the session
// that has it.
func CasesOfTakers(n int) []Case {
	return cases(Choose(n, deedsThatTake()), []due{nothingDue, renewalDue}, []room{{}})
}

// CasesWithALimit returns every choice of n of the requests that matter to a limit of sessions per user, with the
// limits.
func CasesWithALimit(n int) []Case { return casesWithALimit(Choose(n, deedsOfALimit())) }

// FewCasesWithALimit returns those of CasesWithALimit in which somebody moves and somebody signs in.
func FewCasesWithALimit(n int) []Case { return casesWithALimit(Choose(n, deedsThatTakeRoom())) }

func casesWithALimit(choices [][]deed) []Case {
	var rooms []room
	for _, overflow := range []session.Overflow{session.EvictOldest, session.RefuseNew} {
		for limit := 1; limit <= 2; limit++ {
			rooms = append(rooms, room{perUser: limit, overflow: overflow})
		}
		rooms = append(rooms, room{perUser: 2, overflow: overflow, phone: true})
	}
	var list []Case
	for _, c := range cases(choices, []due{nothingDue, renewalDue}, rooms) {
		if !c.beside() || c.room.phone {
			list = append(list, c)
		}
	}
	return list
}

// CasesWithABound returns every choice of n of the requests that matter to a store with a bound, with the smallest
// bounds.
func CasesWithABound(n int) []Case { return casesWithABound(Choose(n, deedsOfABound())) }

// FewCasesWithABound returns those of CasesWithABound in which somebody moves and somebody signs in.
func FewCasesWithABound(n int) []Case { return casesWithABound(Choose(n, deedsThatTakeRoom())) }

func casesWithABound(choices [][]deed) []Case {
	var list []Case
	for _, c := range cases(choices, []due{nothingDue, renewalDue}, []room{{bound: 1}, {bound: 2}, {bound: 3}}) {
		if !c.beside() || c.room.bound > 1 {
			list = append(list, c)
		}
	}
	return list
}

func cases(choices [][]deed, dues []due, rooms []room) (list []Case) {
	for _, due := range dues {
		for _, room := range rooms {
			for _, deeds := range choices {
				list = append(list, Case{deeds, due, room})
			}
		}
	}
	return list
}
