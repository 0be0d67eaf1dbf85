package explore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/coatcheck/session"
)

// Broken is a promise that was broken.
type Broken struct {
	Promise string
	Detail  string
	Order   string // of the calls
}

func (b *Broken) Error() string { return b.Promise + ": " + b.Detail }

// sight is what the requests left.
type sight struct {
	*scene
	alive  []session.Info
	listed []session.Info              // by the name of ada
	opened map[string]*session.Session // by ticket
	broken []*Broken
}

// check looks at what the requests left, and at what they answered.
func (sc *scene) check() error {
	if sc.play.Rest != nil && sc.play.Faults > 0 {
		sc.play.Rest()
	}
	v := &sight{scene: sc, opened: map[string]*session.Session{}}
	if err := v.look(); err != nil {
		return err
	}
	for _, check := range []func(){
		v.checkReach, v.checkTwins, v.checkData, v.checkAnswers, v.checkErrors, v.checkCookies, v.checkEnds,
		v.checkAlive,
		v.checkTickets, v.checkWrites, v.checkUpdates, v.checkLimit, v.checkRefusals, v.checkRates, v.checkForms,
		v.checkFactors, v.checkReasons, v.checkGuesses, v.checkDevices, v.checkOnce,
	} {
		check()
	}
	var unknown []error
	for _, b := range v.broken {
		if b.Order = sc.x.order(); sc.play.Known == nil || !sc.play.Known(sc.c, b) {
			unknown = append(unknown, b)
		}
	}
	return errors.Join(unknown...)
}

// look opens every ticket that somebody has, and lists all sessions.
func (v *sight) look() error {
	ctx := context.Background()
	for info, err := range v.nodes[0].m.All(ctx) {
		if err != nil {
			return err
		}
		v.alive = append(v.alive, info)
	}
	var err error
	if v.listed, err = v.nodes[0].m.Sessions(ctx, "ada"); err != nil {
		return err
	}
	for _, ticket := range v.tickets() {
		s, err := v.nodes[1].m.Open(ctx, ticket)
		if err != nil {
			return err
		}
		v.opened[ticket] = s
	}
	return nil
}

// tickets are all that clients of the scene have had.
func (v *sight) tickets() (list []string) {
	for _, c := range v.clients {
		list = append(list, c.ticket)
	}
	for _, a := range v.acts {
		list = append(list, a.tickets...)
	}
	if v.challenge != "" {
		list = append(list, v.challenge)
	}
	return list
}

// fail notes a promise that is broken.
func (v *sight) fail(promise, format string, args ...any) {
	v.broken = append(v.broken,
		&Broken{Promise: promise, Detail: fmt.Sprintf(format, args...) + fmt.Sprint(" ", v.acts)})
}

// of returns a session that somebody has a ticket of and that holds the data of a device, nil when there is none.
func (v *sight) of(device string) *session.Session {
	for _, ticket := range v.tickets() {
		if s := v.opened[ticket]; !s.IsNew() && owner.Or(s, "") == device {
			return s
		}
	}
	return nil
}

// begun are those who have signed in: what they have began with their data, and is theirs whatever id it gets.
func (v *sight) begun() (devices []string) {
	for _, c := range v.clients {
		devices = append(devices, c.name)
	}
	for _, a := range v.acts {
		if a.by == stranger && a.signs != "" && a.done() {
			devices = append(devices, fmt.Sprint("new ", a.index))
		}
	}
	return devices
}

// checkReach wants that sessions, tickets and lists agree.
func (v *sight) checkReach() {
	has := func(list []session.Info, id string) bool {
		return slices.ContainsFunc(list, func(i session.Info) bool { return i.ID == id })
	}
	found := map[string]bool{}
	for _, s := range v.opened {
		if s.IsNew() {
			continue
		}
		found[s.ID()] = true
		if !has(v.alive, s.ID()) || has(v.listed, s.ID()) != (s.User() == "ada") {
			v.fail("what a ticket opens is in the lists", "that of %q is not", s.User())
		}
	}
	for _, info := range v.alive {
		if !found[info.ID] {
			v.fail("somebody has the ticket of each session", "one of %q is alive that nobody can open", info.User)
		}
	}
}

// checkTwins wants that one session is not two.
func (v *sight) checkTwins() {
	ids := map[string]string{}
	for _, s := range v.opened {
		device := owner.Or(s, "")
		if other := ids[device]; device != "" && other != "" && other != s.ID() {
			v.fail("a session is alive once", "that of the %s is alive under two ids", device)
		}
		ids[device] = s.ID()
	}
}

// checkData wants that nobody has the data of another user.
func (v *sight) checkData() {
	for _, s := range v.opened {
		if s.User() != "ada" && (owner.Or(s, "") != "" || s.User() != "" && len(s.All()) > 0) {
			v.fail("nobody has the data of another", "%q has those of ada", s.User())
		}
	}
}
