package explore

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// checkOnce wants that a confirmation or a challenge lets one request through, goes with the Login, and is there for as
// long as nobody has used it.
func (v *sight) checkOnce() {
	var seen []string
	for _, a := range v.acts {
		if a.uses != "" && !slices.Contains(seen, a.uses) {
			seen = append(seen, a.uses)
			v.checkUsed(a)
		}
	}
}

// checkUsed looks at what a request, and perhaps others, needed.
func (v *sight) checkUsed(a *act) {
	passed := v.passed(a.uses)
	if len(passed) > 1 {
		v.fail(onlyOnce, "it let %q", passed)
	}
	for _, b := range v.acts {
		if b.signs == "bob" && b.done() && a.by == desk && v.again(a, b.cookie).passed {
			v.fail(onlyOnce, "that of ada let bob through")
		}
	}
	ticket := v.challenge
	if a.by == desk {
		s := v.of(desk)
		if s == nil {
			return
		}
		ticket = s.Token()
	}
	signs := func(b *act) bool { return a.by == desk && a.uses != theGift && b.by == desk && b.signs == "ada" }
	switch late := v.again(a, ticket); {
	case late.passed && len(passed) > 0:
		v.fail(onlyOnce, "it let %q, and one later", passed)
	case late.passed && v.any(func(b *act) bool { return signs(b) && b.done() && !v.mayBegin(b) }):
		v.fail(onlyOnce, "that from before a sign-in let one through")
	case !late.passed && len(passed) == 0 && !v.any(signs) && !v.usedBy(late):
		v.fail("a confirmation is there until it is used", "%q was refused: %d", a.name, late.status)
	}
}

const onlyOnce = "a confirmation lets one request through"

// passed are the requests of one kind that were let through.
func (v *sight) passed(what string) (list []string) {
	for _, a := range v.acts {
		if a.uses == what && a.passed {
			list = append(list, fmt.Sprint(a.index))
		}
	}
	return list
}

// again asks once more for what a request needed, when all is over.
func (v *sight) again(a *act, ticket string) *act {
	late := &act{deed: a.deed, index: len(v.acts), sc: v.scene, node: v.nodes[0], status: http.StatusOK, cookie: ticket}
	switch {
	case a.by == stranger:
		late.cookie = ""
	case a.uses == theGift:
		late.deed = named("take")[0]
	}
	late.run(context.Background())
	return late
}

// usedBy reports whether another request may have used what this one needs.
func (v *sight) usedBy(a *act) bool {
	return a.uses != "" && v.any(func(b *act) bool { return b != a && b.uses == a.uses && (b.passed || b.faulted()) })
}
