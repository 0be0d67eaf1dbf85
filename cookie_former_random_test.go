package session_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
)

// wanderer is a browser that goes to and fro between nodes with the old name of the cookie and nodes with the new one,
// while its session is renewed and copies of its cookies turn up again.
type wanderer struct {
	*visitor
	nodes  []*rig
	rnd    *rand.Rand
	copies []string // of cookies, with their names
	ended  []string // of cookies that the browser had at a logout
	log    []string
}

func (w *wanderer) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// step does something at one of the nodes.
func (w *wanderer) step() {
	i := w.rnd.IntN(len(w.nodes))
	v := w.on(w.nodes[i].Manager)
	switch n := w.rnd.IntN(13); {
	case n < 4:
		w.note("read at %d", i)
		v.with(func(s *session.Session) { _ = s.User() })
	case n < 6:
		w.note("set at %d", i)
		v.with(func(s *session.Session) { s.Set("x", n) })
	case n == 6:
		w.note("regenerate at %d", i)
		v.with((*session.Session).Regenerate)
	case n == 7:
		w.note("login at %d", i)
		v.with(func(s *session.Session) { s.Login("ada") })
	case n < 10:
		d := time.Duration(1+w.rnd.IntN(90)) * time.Minute
		w.note("wait %v", d)
		w.nodes[0].clock.advance(d)
	case n == 11: // a browser may have one session under either name
		other := w.nodes[i].visitor()
		other.with(func(s *session.Session) { s.Login("ada") })
		name, value, _ := strings.Cut((&wanderer{visitor: other}).cookies()[0], "=")
		w.note("plant another session's %s", name)
		w.plant(name, value)
	case n == 10 && len(w.copies) > 0:
		name, value, _ := strings.Cut(w.copies[w.rnd.IntN(len(w.copies))], "=")
		w.note("plant %s", name)
		w.plant(name, value)
	default:
		w.note("logout at %d", i)
		w.logout(v)
	}
	w.copies = append(w.copies, w.cookies()...)
}

func (w *wanderer) cookies() (list []string) {
	for _, c := range w.jar.Cookies(mustURL()) {
		list = append(list, c.Name+"="+c.Value)
	}
	return list
}

func (w *wanderer) logout(v *visitor) {
	had := w.cookies()
	if resp := v.with((*session.Session).Logout); resp.StatusCode == http.StatusOK {
		w.ended = append(w.ended, had...)
	}
}

// opened is the first of the cookies with which somebody is signed in, under its own name or any other, at any node.
func (w *wanderer) opened(cookies []string) string {
	for _, c := range cookies {
		_, value, _ := strings.Cut(c, "=")
		for i, node := range w.nodes {
			for _, name := range []string{oldName, newName} {
				one := node.visitor()
				one.plant(name, value)
				if user := one.user(); user != "" {
					return fmt.Sprintf("%s signs in at %d as %q", name, i, user)
				}
			}
		}
	}
	return ""
}

// Whatever becomes of a cookie that is renamed, none that a browser had when it logged out opens anything again, and
// whoever did not log out stays signed in.
func TestARenameSignsNobodyOutAndALogoutIsFinal(t *testing.T) {
	renewing := func(o *session.Options) { o.RenewEvery, o.RenewGrace = time.Hour, 5*time.Minute }
	for seed := range uint64(40) {
		now := newRig(t, named(newName, oldName), renewing)
		w := &wanderer{nodes: []*rig{now, now.node(named(oldName, newName), renewing)}}
		w.rnd = rand.New(rand.NewPCG(seed, 1))
		w.visitor = w.nodes[1].visitor()
		w.with(func(s *session.Session) { s.Login("ada") })
		quiet := true // nobody logged out, and nothing old was planted
		for range 25 {
			w.step()
			last := w.log[len(w.log)-1]
			quiet = quiet && !strings.HasPrefix(last, "logout") && !strings.HasPrefix(last, "plant")
			if text := w.opened(w.ended); text != "" {
				t.Fatalf("seed %d: after a logout %s\n%s", seed, text, strings.Join(w.log, "\n"))
			}
			if quiet && w.user() != "ada" {
				t.Fatalf("seed %d: signed out\n%s", seed, strings.Join(w.log, "\n"))
			}
		}
	}
}
