package explore

import (
	"fmt"
	"slices"
	"time"
)

// A HandCase is a handler with two goroutines, its hands, that use the one session of the request at the same time.
// They stop where they could be held up: before each call to the store and each thing that they do to the session,
// inside each function that they give to it, where an event is told, and before the headers leave. In between a session
// is locked, or nobody else can tell the difference.
type HandCase struct {
	deeds [2]handDeed
	from  beginning
	stays bool // the second hand goes on when the handler has returned, and saves by itself; else the handler waits
	meets bool // another request changes the same session
}

// handDeed is what a hand does.
type handDeed struct {
	name     string
	do       func(*hand)
	drops    bool   // what the other hand did may be gone
	reloads  bool   // and be undone
	signs    string // who is signed in then
	moves    bool   // the ticket from before is of no use then
	ends     bool   // the session from before is over
	answers  bool   // sends the headers
	panics   bool   // instead of an answer
	lists    bool   // asks for the sessions of ada, who is signed in
	identity bool   // is refused when the headers are out
}

// beginning is the session that the request comes with.
type beginning struct {
	name       string
	user       string
	stranger   bool // none
	carried    bool // it is its ticket
	renewEvery time.Duration
}

var beginnings = []beginning{
	{name: "of a stranger", stranger: true},
	{name: "of a visitor"},
	{name: "of ada", user: "ada"},
	{name: "of ada, renewal due", user: "ada", renewEvery: time.Hour},
	{name: "of ada, in her cookie", user: "ada", carried: true},
	{name: "of a stranger, in a cookie", stranger: true, carried: true},
}

// String names the case, such as "set and logout, of ada".
func (c HandCase) String() string {
	text := fmt.Sprintf("%s and %s, %s", c.deeds[0].name, c.deeds[1].name, c.from.name)
	if c.stays {
		text += ", who is left behind"
	}
	if c.meets {
		text += ", beside another request"
	}
	return text
}

// HandCases returns every pair of what two hands can do, with every session that they can come with.
func HandCases() (list []HandCase) { return handCases(beginnings) }

// FewHandCases returns those of HandCases that differ most.
func FewHandCases() []HandCase {
	return slices.DeleteFunc(handCases([]beginning{beginnings[0], beginnings[3], beginnings[4]}),
		func(c HandCase) bool { return c.from.carried && c.stays })
}

func handCases(from []beginning) (list []HandCase) {
	deeds := handDeeds()
	for _, from := range from {
		for i, a := range deeds {
			for j, b := range deeds {
				if from.carried && (a.lists || b.lists) { // nobody can
					continue
				}
				if j >= i && !(a.answers && b.answers) && !a.panics && !b.panics { // no response is for two goroutines
					list = append(list, HandCase{deeds: [2]handDeed{a, b}, from: from})
				}
				if !b.answers && !b.panics { // nor for one that is left behind
					list = append(list, HandCase{deeds: [2]handDeed{a, b}, from: from, stays: true})
				}
			}
		}
	}
	return list
}

// HandCasesThatMeet returns those of HandCases in which the session is in a store and another request changes it too.
func HandCasesThatMeet() (list []HandCase) {
	for _, c := range handCases([]beginning{beginnings[2], beginnings[3]}) {
		if !c.stays {
			c.meets = true
			list = append(list, c)
		}
	}
	return list
}

// FewHandCasesThatMeet returns those of HandCasesThatMeet in which both hands change something, and a renewal is due.
func FewHandCasesThatMeet() []HandCase {
	few := []string{"set", "pop", "update", "regenerate", "login", "save", "atomic", "atomic login"}
	return slices.DeleteFunc(HandCasesThatMeet(), func(c HandCase) bool {
		changes := slices.Contains(few, c.deeds[0].name) && slices.Contains(few, c.deeds[1].name)
		return !changes || c.from.renewEvery == 0
	})
}
