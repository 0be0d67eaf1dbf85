package main

import (
	"errors"
	"fmt"

	"github.com/coatcheck/session"
)

// uncounted is the number of sessions that ended where their browsers keep them, so that nobody knows it.
const uncounted = -1

// isCarried reports whether the sessions are with their browsers.
func (s *site) isCarried() bool {
	_, ok := s.store.(session.Carrier)
	return ok
}

// canEnd says what to do instead where sessions are with their browsers, and cannot be ended so.
func (s *site) canEnd(what target) error {
	carrier, ok := s.store.(session.Carrier)
	if !ok {
		return nil
	}
	const all = "coatcheck key rotate --keep 0 ends all of them"
	if what.all {
		return fmt.Errorf("the store %s cannot list its sessions, because the browsers keep them: %s", s.cfg.Store, all)
	}
	if _, retired := carrier.Carries(); retired == nil {
		return errors.New("the browsers keep the sessions, and nothing remembers which have ended: name a store in " +
			"stores.cookies.revocations; " + all)
	}
	if s.cfg.Place().Store == "memory" {
		return errors.New("stores.cookies.revocations: memory is in the process of the site, where no command can " +
			"reach it; name another store, or end the sessions in the site; " + all)
	}
	return nil
}
