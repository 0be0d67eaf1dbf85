package session

import (
	"context"
	"errors"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/life"
	"github.com/coatcheck/session/internal/wire"
)

// Save stores the changes now; otherwise the middleware does so later. If there is nothing to store, it does nothing.
// The error wraps ErrUnavailable, ErrConflict, ErrEnded, ErrTooLarge or what Err returns; nothing was stored then, and
// the changes are still there. Save stops waiting for a store that hangs at the deadline of the context; without one,
// it waits five seconds for each of at most three calls.
func (s *Session) Save(ctx context.Context) error {
	return outward(s.commit(ctx, life.Mode{CanTell: s.ex != nil}))
}

func (s *Session) commit(ctx context.Context, mode life.Mode) error {
	var room [1]life.Event // which is enough for most
	events, err := s.commitCopy(ctx, mode, room[:0])
	for _, e := range events {
		s.emit(ctx, eventOf(e))
	}
	return err
}

// commitCopy commits a copy, so that others can read and change the session while the store is waited for. A function
// given to Update may panic in it. It appends what happened to the events.
func (s *Session) commitCopy(ctx context.Context, mode life.Mode, events []life.Event) ([]life.Event, error) {
	if err := s.holdToCommit(ctx); err != nil {
		s.sending(mode)
		return nil, err
	}
	defer s.release()
	mode.CanTell = mode.CanTell && !s.late()
	w, ops, now := s.copied(mode)
	if w == nil {
		return nil, nil
	}
	err := s.unreachable(w)
	if err == nil {
		err = w.Commit(ctx, mode)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.sending(mode)
	events = w.AppendEvents(events)
	if err != nil {
		s.draft.AdoptFailure(w)
		return events, err
	}
	events = append(events, s.catchUp(w, ops, now)...)
	s.adopt(w)
	w.Return()
	return events, nil
}

// errOutside is of a session that would be stored for nothing.
var errOutside = errors.New("session: no browser would bring the ticket back to this path, outside Cookie.Path: put " +
	"Middleware only around what is below it, or widen it; a proxy that strips it must send X-Forwarded-Prefix")

// unreachable is why the first record of a session must not be stored: no later request could have it.
func (s *Session) unreachable(d *life.Draft) error {
	if s.ex == nil || d.Stored() || s.m.opts.Cookie.Path == "/" {
		return nil
	}
	t, ok := s.m.carrierOf(s.ex.r).(cookieTransport)
	if !ok || d.ID() == "" || wire.Reaches(s.ex.r, t.Path) {
		return nil
	}
	if text, err := t.Read(s.ex.r); text != "" || err != nil || len(t.former(s.ex.r)) > 0 { // it came after all
		return nil
	}
	return errOutside
}

// adopt takes over what a commit left, when it has caught up. It is called with the lock held.
func (s *Session) adopt(w *life.Draft) {
	s.draft.Adopt(w)
	s.watchStored()
}

// catchUp does on w the operations that came after the first ones, unless they came too late, and what Now set since.
// It is called with the lock held, and gives it up while a function given to Update runs, because that may use the
// session; what others do meanwhile is done on w as well. It returns what is to be reported.
func (s *Session) catchUp(w *life.Draft, done int, now uint64) (events []life.Event) {
	for ; done < len(s.draft.Doc.Ops); done++ {
		o := s.draft.Doc.Ops[done]
		switch {
		case s.refuseLate(w, o):
			events = []life.Event{life.LateEvent}
		case o.Kind == data.OpUpdate:
			s.unlocked(func() { w.Do(o) })
		default:
			w.Do(o)
		}
	}
	w.Doc.Cast(s.m.opts.Codec, s.draft.Doc.Shadows.Since(s.m.opts.Codec, now)...)
	return append(events, s.draft.CatchUpProof(w)...)
}

func (s *Session) unlocked(fn func()) {
	s.mu.Unlock()
	defer s.mu.Lock()
	fn()
}

// sending makes a change of identity late from the last commit on, and not from when the headers are out.
func (s *Session) sending(mode life.Mode) {
	if mode.Last {
		s.ex.sent.Store(true)
	}
}

// copied is what a commit works on, nil when it would do nothing, and which operations and values of Now are in it.
func (s *Session) copied(mode life.Mode) (w *life.Draft, ops int, now uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle(mode) {
		return nil, 0, 0
	}
	s.busy = true
	s.draft.ID() // makes the id to come, so that whoever asks meanwhile is told the same
	return s.draft.Borrow(), len(s.draft.Doc.Ops), s.draft.Doc.Latest()
}

// nothingToDo reports whether a commit would do nothing, and whether there is nothing to tell the client either. Then a
// last one is over at once, unless one is under way that may leave something to tell.
func (s *Session) nothingToDo(mode life.Mode) (idle, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.idle(mode), !s.draft.Replies()
}

// idle is nothingToDo with the lock held.
func (s *Session) idle(mode life.Mode) bool {
	idle := s.rest.Get().stub == nil && s.draft.NothingToDo(mode) && !(s.busy && mode.Last)
	if idle {
		s.sending(mode)
	}
	return idle
}

// takeReply returns what to tell the client about its ticket, and until when it should keep it.
func (s *Session) takeReply() (r life.Reply, text string, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draft.TakeReply()
}

// Reload drops unsaved changes and the error of Err, and loads the newest state. Its error wraps ErrEnded if the
// session is gone, in which case nothing of it is left here, or ErrUnavailable, in which case nothing was dropped.
func (s *Session) Reload(ctx context.Context) error { return outward(s.reloadNewest(ctx)) }

func (s *Session) reloadNewest(ctx context.Context) error {
	if err := s.holdToCommit(ctx); err != nil {
		return err
	}
	defer s.release()
	w, _, _ := s.base()
	err := w.Reload(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil || errors.Is(err, ErrEnded) {
		s.draft = w
	}
	return err
}
