package session

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A stray is a record that was created for a move, and nobody knows whether the move was done, because the store gave no answer.
// If it was not, nobody has the ticket of the record, but its user would see it in a list. So the store is asked again later.
type stray struct {
	id  string
	old *Record // as it was before the move; nil: the move was not done
}

const (
	maxStrays     = 1024
	strayPause    = time.Second
	maxStrayPause = 10 * time.Second
)

// strays are those that a manager has still to decide on. They are forgotten with the process.
type strays struct {
	mu   sync.Mutex
	list []stray
	busy bool // removeStrays is running
}

// later has the store asked again about a stray.
func (m *Manager) later(ctx context.Context, s stray) {
	m.strays.mu.Lock()
	defer m.strays.mu.Unlock()
	if m.life.Err() != nil || len(m.strays.list) == maxStrays {
		m.opts.Logger.WarnContext(ctx, "session: an unused record may stay until it ends", "id", s.id)
		return
	}
	m.strays.list = append(m.strays.list, s)
	if !m.strays.busy {
		m.strays.busy = true
		m.running.Add(1)
		go m.removeStrays()
	}
}

// removeStrays runs until there are none. While the store does not answer it is asked about one of them at a time, and seldom.
func (m *Manager) removeStrays() {
	defer m.running.Done()
	for wait := strayPause; m.rest(wait); {
		s, ok := m.strays.take()
		if !ok {
			return
		}
		if m.removeStray(s) == nil {
			wait = 0
			continue
		}
		m.strays.putBack(s)
		wait = min(max(2*wait, strayPause), maxStrayPause)
	}
}

func (m *Manager) removeStray(s stray) error {
	ctx, cancel := context.WithTimeout(m.life, storeTimeout)
	defer cancel()
	if s.old != nil {
		now, err := m.decided(ctx, s.old, s.id)
		if err != nil || now != nil && now.Kind == KindAlias { // the old ticket leads to it
			return err
		}
	}
	return m.store.Delete(ctx, s.id)
}

// decided finds out whether a move to id was done although the store told of a failure, and returns what the old record became, or
// nil. The request to retire it may still be on its way; a new version keeps that from coming after the answer.
func (m *Manager) decided(ctx context.Context, old *Record, id string) (*Record, error) {
	for {
		now, err := m.load(ctx, old.ID)
		switch {
		case errors.Is(err, ErrUnavailable):
			return nil, err
		case err != nil || now.Kind != KindLive && now.Successor != id:
			return nil, nil
		case now.Kind != KindLive:
			return now, nil
		case now.Version != old.Version:
			return nil, nil
		}
		if now, err = m.Reseal(now, now.Version); err != nil {
			return nil, nil // what does not open leads nobody anywhere
		}
		err = m.store.Save(ctx, now)
		switch {
		case err == nil || errors.Is(err, ErrNotFound):
			return nil, nil
		case !errors.Is(err, ErrConflict):
			return nil, unavailable(err)
		}
	}
}

// rest waits, and reports whether the manager is still open.
func (m *Manager) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-m.life.Done():
		return false
	}
}

// take removes the first one from the list, or ends removeStrays.
func (s *strays) take() (stray, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		s.busy = false
		return stray{}, false
	}
	first := s.list[0]
	s.list = s.list[1:]
	return first, true
}

// putBack adds one at the end, behind those that the store may answer for.
func (s *strays) putBack(one stray) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, one)
}
