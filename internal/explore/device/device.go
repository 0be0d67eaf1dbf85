package device

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/explore"
)

// Play is how requests are explored.
type Play struct {
	Start       time.Time // when they begin, by the clock of all nodes
	Requests    int       // how many meet
	Preemptions int       // see explore.Explorer
	Renew       bool      // a new id is due
}

// Orders lets a proof of a key meet other requests of its session in every order, each at a node of its own, on these
// two stores by turns, which are one. It returns how many orders there are.
func (p Play) Orders(t testing.TB, stores [2]explore.Store) (orders int) {
	t.Helper()
	for _, list := range explore.Choose(p.Requests, deeds) {
		if !isScene(list) {
			continue
		}
		var names []string
		for _, d := range list {
			names = append(names, d.name)
		}
		x := &explore.Explorer{Preemptions: p.Preemptions}
		found, err := x.Search(func() ([]func(context.Context), func() error, error) {
			sc := newScene(t, x, p, stores, list)
			var requests []func(context.Context)
			for _, d := range sc.acts {
				requests = append(requests, func(ctx context.Context) { d.do(ctx, sc, d) })
			}
			return requests, func() error {
				defer sc.close()
				return sc.check()
			}, nil
		})
		if orders += found; err != nil {
			t.Errorf("%s, renewals %v: %v", strings.Join(names, " + "), p.Renew, err)
		}
	}
	return orders
}

// isScene reports whether there is a proof among the deeds, of one kind: a session that is registered in a scene has no
// key to refresh by yet.
func isScene(list []deed) bool {
	named := func(name string) bool {
		return slices.ContainsFunc(list, func(d deed) bool { return d.name == name })
	}
	return named("register") != named("refresh") && (named("refresh") || !named("refresh of another tab"))
}
