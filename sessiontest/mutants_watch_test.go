package sessiontest_test

import (
	"context"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// lines are who watches one shelf.
type lines struct {
	mu  sync.Mutex
	fns map[*func(id string)]bool
}

func (l *lines) tell(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for fn := range l.fns {
		(*fn)(id)
	}
}

// tellEarly gives those who are told time to ask, of a bubble, in which nobody else is busy while somebody watches.
func (l *lines) tellEarly(id string) {
	l.tell(id)
	l.mu.Lock()
	watched := len(l.fns) > 0
	l.mu.Unlock()
	if watched {
		time.Sleep(time.Second)
	}
}

func (l *lines) listen(ctx context.Context, fn func(id string)) error {
	l.mu.Lock()
	if l.fns == nil {
		l.fns = map[*func(string)]bool{}
	}
	l.fns[&fn] = true
	l.mu.Unlock()
	<-ctx.Done()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.fns, &fn)
	return ctx.Err()
}

// tellsOfItself makes a store tell only of what it ended itself.
func tellsOfItself(s *store) {
	var own lines
	s.watch = own.listen
	s.remove = func(ctx context.Context, id string) error {
		err := s.shelf.Delete(ctx, id)
		own.tell(id)
		return err
	}
	s.save = func(ctx context.Context, rec *session.Record) error {
		err := s.shelf.Save(ctx, rec)
		if err == nil && rec.Kind != session.KindLive {
			own.tell(rec.ID)
		}
		return err
	}
}

var watchMutants = []mutant{
	{"a watcher is told of every record that is deleted or retired", "tells of no tombstone", func(s *store) {
		s.watch = func(ctx context.Context, tell func(string)) error {
			return s.shelf.Watch(ctx, func(id string) {
				if rec := s.get(id); rec == nil || rec.Kind != session.KindTombstone {
					tell(id)
				}
			})
		}
	}},
	{"a watcher is told of every record that is deleted or retired", "tells of none that was shared", func(s *store) {
		shared := sharedIDs(s)
		s.watch = func(ctx context.Context, tell func(string)) error {
			return s.shelf.Watch(ctx, func(id string) {
				if !shared(id) {
					tell(id)
				}
			})
		}
	}},
	{"a watcher is told of every record that is deleted or retired", "tells of those of users only", func(s *store) {
		s.watch = func(ctx context.Context, tell func(string)) error {
			return s.shelf.Watch(ctx, func(id string) {
				if rec := s.get(id); rec == nil || rec.User != "" {
					tell(id)
				}
			})
		}
	}},
	{"a watcher is told of every record that is deleted or retired", "tells before it deletes", func(s *store) {
		s.watch = s.lines.listen
		s.remove = func(ctx context.Context, id string) error {
			s.lines.tellEarly(id)
			s.drop(id)
			return s.ready(ctx)
		}
	}},
	{"a watcher is told of every record that is deleted or retired", "tells before it retires", func(s *store) {
		var own lines
		s.remove = func(ctx context.Context, id string) error {
			err := s.shelf.Delete(ctx, id)
			own.tell(id)
			return err
		}
		s.watch = own.listen
		s.save = func(ctx context.Context, rec *session.Record) error {
			if rec.Kind != session.KindLive {
				own.tellEarly(rec.ID)
			}
			return s.shelf.Save(ctx, rec)
		}
	}},
	{"a watcher is told of what a second store ends", "tells of what it ended itself", tellsOfItself},
	{"a watch ends with its context, and with an error", "ends without one", func(s *store) {
		s.watch = func(ctx context.Context, tell func(string)) error {
			_ = s.shelf.Watch(ctx, tell)
			return nil
		}
	}},
}
