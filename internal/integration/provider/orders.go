package provider

import (
	"context"
	"errors"
	"fmt"
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
	Faults      int       // see explore.Explorer
	Renew       bool      // a new id is due
	Only        []string  // these deeds; nil: all
}

// Few and Fewest are the deeds that differ most.
var (
	Few = []string{"sign in on the phone", "bob signs in on the phone", "renew", "logout of new", "logout of the phone",
		"logout of ada"}
	Fewest = []string{"sign in on the phone", "renew", "logout of new"}
)

// Orders lets what a provider ends meet other requests in every order, each at a node of its own, on these two stores
// by turns, which are one. It returns how many orders there are.
func (play Play) Orders(t testing.TB, stores [2]explore.Store) (orders int, err error) {
	t.Helper()
	p := New(t)
	for _, list := range play.scenes() {
		var names []string
		for _, d := range list {
			names = append(names, d.name)
		}
		x := &explore.Explorer{Preemptions: play.Preemptions, Faults: play.Faults}
		found, failed := x.Search(func() ([]func(context.Context), func() error, error) {
			sc := newScene(t, p, x, play, stores, list)
			return sc.requests(), func() error {
				defer sc.close()
				return sc.check()
			}, nil
		})
		if orders += found; failed != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", strings.Join(names, " + "), failed))
		}
	}
	return orders, err
}

func (sc *scene) requests() (list []func(context.Context)) {
	for _, a := range sc.acts {
		list = append(list, func(ctx context.Context) { a.do(ctx, sc) })
	}
	return list
}

// scenes are the ways to take that many deeds, one of which is the provider's.
func (play Play) scenes() (scenes [][]deed) {
	from := deeds
	if play.Only != nil {
		others := func(d deed) bool { return !slices.Contains(play.Only, d.name) }
		from = slices.DeleteFunc(slices.Clone(deeds), others)
	}
	for _, list := range explore.Choose(play.Requests, from) {
		if slices.ContainsFunc(list, deed.notice) {
			scenes = append(scenes, list)
		}
	}
	return scenes
}
