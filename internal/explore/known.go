package explore

import (
	"fmt"
	"regexp"
	"slices"
	"sync"
)

// A failure is one that is known and not mended yet: a promise that is broken in cases whose name matches.
type failure struct {
	promise, cases string
	deep           bool // only shown by all that make explore tries
}

// known are the failures that do not stop a search. A line goes when its failure is mended, and the tests say so when none of
// their cases shows it any more.
var known = []failure{
	// While a session gets another id, who revokes the others ends its new record.
	{promise: "what was to be kept is there", cases: "(revoke|end) others"},
	{promise: "nobody is signed out whom nobody signed out", cases: "(revoke|end) others"},
	{promise: "each answer has its reason", cases: "(revoke|end) others.*renewal due"},
	// A store with a bound drops the session that gets another id.
	{promise: "nobody is signed out for whom there is room", cases: "records"},
	// A store with a bound drops counts in silence.
	{promise: "a limit lets through as many as it says", cases: "limited user, .*records"},
	// A session that gets another id takes the room of two.
	{promise: "no login is refused while there is room", cases: "sessions, a new one is refused"},
	{promise: "nobody is signed out for whom there is room", cases: "sessions, the oldest goes"},
	// A login within Atomic evicts, and then fails.
	{promise: "nobody is signed out for whom there is room", cases: "atomic login, .*at most 1 sessions, the oldest goes"},
	// The page of devices does not find a session that has got another id.
	{promise: "what was ended is gone", cases: "phone: .*end"},
	// A logout within Atomic does not reach a session that has got another id.
	{promise: "what was ended is gone", cases: "atomic logout"},
	// A move that begins again makes anew what was revoked or changed meanwhile, under the same id.
	{promise: "what was ended is gone", cases: "list and revoke one"},
	{promise: "a change of all sessions reaches each", cases: "update user"},
	{promise: "what was answered is there, and nothing else", cases: "regenerate, update user"},
	// When the store fails while an alias is followed, what comes next is written over the alias.
	{promise: "a session is alive once", cases: "save, then set.*renewal due"},
	{promise: "what was ended is gone", cases: "save, then logout.*renewal due"},
	{promise: "what was answered is there, and nothing else", cases: "save, then set.*renewal due"},
	{promise: "an old ticket opens nothing", cases: "save, then login.*renewal due", deep: true},
	// When a renewal failed and that of another request came first, the page of devices does not know its own session.
	{promise: "who ended the session deletes the cookie, nobody else", cases: "list and end others.*renewal due", deep: true},
}

var seen struct {
	mu   sync.Mutex
	what []failure
}

// Known is a function for Play.Known.
func Known(c Case, b *Broken) (found bool) {
	for _, f := range known {
		if f.promise != b.Promise || !regexp.MustCompile(f.cases).MatchString(c.String()) {
			continue
		}
		seen.mu.Lock()
		if !slices.Contains(seen.what, f) {
			seen.what = append(seen.what, f)
		}
		seen.mu.Unlock()
		found = true
	}
	return found
}

// Mended returns a sentence for each known failure that no search has met, of those that show when not everything is tried.
func Mended(everything bool) (list []string) {
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, f := range known {
		if !slices.Contains(seen.what, f) && (everything || !f.deep) {
			list = append(list, fmt.Sprintf("no case that matches %q fails any more with %q: take the line out of known", f.cases, f.promise))
		}
	}
	return list
}
