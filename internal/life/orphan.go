package life

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// An orphan is a record that was created for a move, and nobody knows whether the move was done, because the store gave
// no answer. If it was not, nobody has the ticket of the record, but its user would see it in a list. So the store is
// asked again later.
type orphan struct {
	id  string
	old *Record // as it was before the move; nil: the move was not done
}

const (
	maxOrphans     = 1024
	orphanPause    = time.Second
	maxOrphanPause = 10 * time.Second
)

// orphans are those that a manager has still to decide on. They are forgotten with the process.
type orphans struct {
	mu   sync.Mutex
	list []orphan
	busy bool // removeOrphans is running
}

// removeLater has the store asked again about an orphan.
func (k *Keeper) removeLater(ctx context.Context, s orphan) {
	if !k.takesOrphan(s) {
		k.log(ctx, slog.LevelWarn, "session: an unused record may stay until it ends", "id", s.id)
	}
}

// takesOrphan puts one on the list, unless there is no room or nobody to decide on it.
func (k *Keeper) takesOrphan(s orphan) bool {
	k.orphans.mu.Lock()
	defer k.orphans.mu.Unlock()
	if k.closed() || len(k.orphans.list) >= maxOrphans || !k.orphans.busy && !k.Start(k.removeOrphans) {
		return false
	}
	k.orphans.busy, k.orphans.list = true, append(k.orphans.list, s)
	return true
}

// removeOrphans runs until there are none. While the store does not answer it is asked about one of them at a time, and
// seldom.
func (k *Keeper) removeOrphans(ctx context.Context) {
	for wait := orphanPause; Rest(ctx, wait); {
		s, ok := k.orphans.next()
		if !ok {
			return
		}
		if k.removeOrphan(ctx, s) == nil {
			wait = 0
			continue
		}
		k.orphans.putBack(s)
		wait = min(max(2*wait, orphanPause), maxOrphanPause)
	}
}

func (k *Keeper) removeOrphan(ctx context.Context, s orphan) error {
	ctx, cancel := context.WithTimeout(ctx, StoreTimeout)
	defer cancel()
	if s.old != nil {
		now, err := k.moveOutcome(ctx, s.old, s.id)
		if err != nil || now != nil && now.Kind == KindAlias { // the old ticket leads to it
			return err
		}
	}
	return k.Store.Delete(ctx, s.id)
}

// moveOutcome finds out whether a move to id was done although the store told of a failure, and returns what the old
// record became, or nil. The request to retire it may still be on its way; a new version keeps that from coming after
// the answer.
func (k *Keeper) moveOutcome(ctx context.Context, old *Record, id string) (*Record, error) {
	for {
		now, err := k.Load(ctx, old.ID)
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
		if now, err = k.Reseal(now, now.Version); err != nil {
			return nil, nil // what does not open leads nobody anywhere
		}
		err = k.Store.Save(ctx, now)
		switch {
		case err == nil || errors.Is(err, ErrNotFound):
			return nil, nil
		case !errors.Is(err, ErrConflict):
			return nil, Unavailable(err)
		}
	}
}

// next removes the first one from the list, or ends removeOrphans.
func (s *orphans) next() (orphan, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		s.busy = false
		return orphan{}, false
	}
	first := s.list[0]
	s.list = s.list[1:]
	return first, true
}

// putBack adds one at the end, behind those that the store may answer for.
func (s *orphans) putBack(one orphan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, one)
}
