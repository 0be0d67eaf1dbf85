package explore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/coatcheck/session"
)

// deed is what a request does.
type deed struct {
	name   string
	do     func(s *session.Session, i int)                                // through a handler
	direct func(ctx context.Context, m *session.Manager, id string) error // or to the manager
	moves  bool                                                           // the data get another id
	ends   bool                                                           // nothing is left of the session
	begins bool                                                           // a session of its own where the old one is gone
}

func deeds() []deed {
	return []deed{
		{name: "load", do: func(s *session.Session, _ int) { s.Get("n") }},
		{name: "set", do: func(s *session.Session, i int) { s.Set(fmt.Sprint("k", i), i) }},
		{name: "update", do: func(s *session.Session, _ int) { counter.Update(s, func(n int) int { return n + 1 }) }},
		{name: "append", do: func(s *session.Session, i int) { s.Append("list", i) }},
		{name: "flash", do: func(s *session.Session, _ int) { s.Flash("notice", "hello") }},
		{name: "regenerate", moves: true, do: func(s *session.Session, _ int) { s.Regenerate() }},
		{name: "login", moves: true, begins: true, do: func(s *session.Session, _ int) { s.Login("ada") }},
		{name: "login as bob", ends: true, begins: true, do: func(s *session.Session, _ int) { s.Login("bob") }},
		{name: "logout", ends: true, do: func(s *session.Session, _ int) { s.Logout() }},
		{name: "invalidate", ends: true, do: func(s *session.Session, _ int) { s.Invalidate() }},
		{name: "revoke", ends: true, direct: func(ctx context.Context, m *session.Manager, id string) error {
			_, err := m.Revoke(ctx, id)
			return err
		}},
		{name: "revoke all", ends: true, direct: func(ctx context.Context, m *session.Manager, _ string) error {
			_, err := m.RevokeUser(ctx, "ada")
			return err
		}},
	}
}

const counter = session.Key[int]("n")

// due is what a request finds to do besides its own deed.
type due struct {
	name       string
	renewEvery time.Duration
	age        time.Duration
}

func dues() []due {
	return []due{
		{name: "nothing due"},
		{name: "touch due", age: time.Hour},
		{name: "renewal due", renewEvery: time.Hour, age: 2 * time.Hour},
	}
}

// Case is some requests that meet.
type Case struct {
	deeds []deed
	due   due
}

// String names the case, such as "set, logout, renewal due".
func (c Case) String() string {
	var text strings.Builder
	for _, d := range c.deeds {
		text.WriteString(d.name + ", ")
	}
	return text.String() + c.due.name
}

// Cases returns every choice of n requests, with all that can be due.
func Cases(n int) []Case {
	var list []Case
	for _, due := range dues() {
		for _, deeds := range choose(n, deeds()) {
			list = append(list, Case{deeds, due})
		}
	}
	return list
}

// choose returns the ways to take n of a list, each as often as one likes, in its order.
func choose(n int, list []deed) [][]deed {
	if n == 0 {
		return [][]deed{nil}
	}
	var all [][]deed
	for i, d := range list {
		for _, rest := range choose(n-1, list[i:]) {
			all = append(all, append([]deed{d}, rest...))
		}
	}
	return all
}
