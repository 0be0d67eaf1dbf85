package explore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/coatcheck/session"
)

// check looks at what the requests left, and at what they answered.
func (sc *scene) check() error {
	found, err := sc.reachable()
	if err != nil {
		return err
	}
	return errors.Join(sc.checkAnswers(), sc.checkEnds(found), sc.checkWrites(found), sc.checkAlive(found))
}

// reachable opens every ticket that somebody has, and returns the sessions by id. No other may be alive.
func (sc *scene) reachable() (map[string]*session.Session, error) {
	ctx := context.Background()
	alive, found := []string{}, map[string]*session.Session{}
	for info, err := range sc.nodes[0].All(ctx) {
		if err != nil {
			return nil, err
		}
		alive = append(alive, info.ID)
	}
	for _, ticket := range sc.tickets() {
		s, err := sc.nodes[1].Open(ctx, ticket)
		if err != nil {
			return nil, err
		}
		if !s.IsNew() {
			found[s.ID()] = s
		}
	}
	for _, id := range alive {
		if found[id] == nil {
			return nil, fmt.Errorf("a session is alive that nobody has the ticket of: %v", sc.outcomes)
		}
	}
	for id := range found {
		if !slices.Contains(alive, id) {
			return nil, fmt.Errorf("a ticket opens a session that is in no list: %v", sc.outcomes)
		}
	}
	return found, nil
}

func (sc *scene) tickets() []string {
	list := []string{sc.ticket}
	for _, o := range sc.outcomes {
		if o.ticket != "" && !o.deleted {
			list = append(list, o.ticket)
		}
	}
	return list
}

// checkAnswers wants that each request succeeded or was told that its session has ended, and that only the one that ended
// it deleted the cookie.
func (sc *scene) checkAnswers() error {
	for _, o := range sc.outcomes {
		switch {
		case o.status != http.StatusOK && o.status != http.StatusConflict:
			return fmt.Errorf("a strange status: %v", sc.outcomes)
		case o.status == http.StatusConflict && !sc.any(func(o outcome) bool { return o.deed.ends || o.deed.moves }):
			return fmt.Errorf("a session ended that nobody ended: %v", sc.outcomes)
		case o.deleted && !(o.deed.ends && o.status == http.StatusOK):
			return fmt.Errorf("a response deleted the cookie without having ended the session: %v", sc.outcomes)
		}
	}
	return nil
}

func (sc *scene) any(fn func(outcome) bool) bool { return slices.ContainsFunc(sc.outcomes, fn) }

func done(o outcome) bool { return o.status == http.StatusOK }

// checkEnds wants that what ended is gone. Only a login may have begun another session of ada; a request that came later and
// wrote something has begun an anonymous one.
func (sc *scene) checkEnds(found map[string]*session.Session) error {
	// A login as bob with a ticket that was moved already begins a session of its own, and ends nothing.
	moved := sc.any(func(o outcome) bool { return o.deed.moves && done(o) })
	ended := sc.any(func(o outcome) bool { return o.deed.ends && done(o) && !(o.deed.begins && moved) })
	for _, s := range found {
		switch {
		case ended && s.User() == "ada" && !sc.any(func(o outcome) bool { return o.deed.name == "login" && done(o) }):
			return fmt.Errorf("a session is alive that was ended: %v", sc.outcomes)
		case s.User() == "bob" && len(s.All()) > 0:
			return fmt.Errorf("bob has the data of ada: %v", sc.outcomes)
		}
	}
	return nil
}

// checkWrites wants that, where nothing ended the session, one has every write that was answered and no other.
func (sc *scene) checkWrites(found map[string]*session.Session) error {
	if sc.any(func(o outcome) bool { return o.deed.ends }) {
		return nil
	}
	var wrong error
	for _, s := range found {
		if wrong = sc.hasWrites(s); wrong == nil {
			return nil
		}
	}
	return errors.Join(wrong, fmt.Errorf("%d sessions, and none has what was written: %v", len(found), sc.outcomes))
}

func (sc *scene) hasWrites(s *session.Session) error {
	updates, appended := 0, []string{}
	for _, o := range sc.outcomes {
		if !done(o) {
			continue
		}
		switch o.deed.name {
		case "update":
			updates++
		case "append":
			appended = append(appended, fmt.Sprint(o.index))
		case "set":
			if s.Get(fmt.Sprint("k", o.index)) != int64(o.index) {
				return fmt.Errorf("the value of request %d is lost", o.index)
			}
		}
	}
	if n := counter.Or(s, 0); n != updates {
		return fmt.Errorf("the counter is %d, want %d", n, updates)
	}
	var list []string
	if values, ok := s.Get("list").([]any); ok {
		for _, v := range values {
			list = append(list, fmt.Sprint(v))
		}
	}
	slices.Sort(list)
	if got, want := strings.Join(list, " "), strings.Join(appended, " "); got != want {
		return fmt.Errorf("the list has %q, want %q", got, want)
	}
	return nil
}

// checkAlive wants that nobody is signed out whose session nobody ended or moved, with any ticket that he has; and that a
// move leaves the old ticket without a use.
func (sc *scene) checkAlive(found map[string]*session.Session) error {
	if sc.any(func(o outcome) bool { return o.deed.ends || o.deed.moves }) {
		s, err := sc.nodes[0].Open(context.Background(), sc.ticket)
		if err != nil {
			return err
		}
		if !s.IsNew() && sc.any(func(o outcome) bool { return (o.deed.ends || o.deed.moves) && done(o) }) {
			return fmt.Errorf("the old ticket still opens a session: %v", sc.outcomes)
		}
		return nil
	}
	if len(found) != 1 {
		return fmt.Errorf("%d sessions are alive, want 1: %v", len(found), sc.outcomes)
	}
	for _, ticket := range sc.tickets() {
		if s, err := sc.nodes[0].Open(context.Background(), ticket); err != nil || s.User() != "ada" {
			return fmt.Errorf("a ticket no longer opens the session, %v: %v", err, sc.outcomes)
		}
	}
	return nil
}
