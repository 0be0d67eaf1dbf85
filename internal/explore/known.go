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

// known are the failures that do not stop a search. A line goes when its failure is mended, and the tests say so when
// none of their cases shows it any more.
var known = []failure{}

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

// Mended returns a sentence for each known failure that no search has met, of those that show when not everything is
// tried.
func Mended(everything bool) (list []string) {
	seen.mu.Lock()
	defer seen.mu.Unlock()
	for _, f := range known {
		if !slices.Contains(seen.what, f) && (everything || !f.deep) {
			list = append(list,
				fmt.Sprintf("no case that matches %q fails any more with %q: take the line out of known", f.cases,
					f.promise))
		}
	}
	return list
}
