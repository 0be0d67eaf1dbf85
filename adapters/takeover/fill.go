package takeover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/coatcheck/session"
)

// fill does to a new session what the old one holds, and reports whether there is one.
func (t *Takeover) fill(ctx context.Context, entry Entry, s *session.Session) (bool, error) {
	old, err := entry.Load(ctx)
	switch {
	case errors.Is(err, ErrUnreadable):
		t.report(ctx, session.EventUndecodable, "", err)
		return false, nil
	case err == nil && old == nil, t.isGone(err):
		return false, nil
	case err != nil:
		return false, outage(err)
	}
	if end := old.saved.Add(t.opts.Lasts); !old.saved.IsZero() && end.After(old.Deadline) {
		old.Deadline = end
	}
	old.User = t.opts.User(old.Values)
	if t.opts.Change != nil {
		t.opts.Change(old)
	}
	t.complete(old)
	if !old.Deadline.After(t.manager.Now()) || old.User == "" && len(old.Values) == 0 {
		return false, nil
	}
	return t.write(ctx, old, s), nil
}

// complete says what is not known of a session.
func (t *Takeover) complete(old *Old) {
	now := t.manager.Now()
	if old.LoginAt.IsZero() || old.LoginAt.After(now) {
		old.LoginAt = now.Add(-t.longest)
	}
	if old.Deadline.IsZero() {
		old.Deadline = now.Add(t.opts.Lasts)
	}
	switch {
	case old.IdleTimeout < 0:
		old.IdleTimeout = session.Never
	case old.IdleTimeout > 0:
		old.IdleTimeout = max(old.IdleTimeout, time.Second) // which is the least that there is
	}
}

// write reports false when the user is none that can be signed in.
func (t *Takeover) write(ctx context.Context, old *Old, s *session.Session) bool {
	if old.User != "" {
		if err := s.TryLogin(old.User, session.LoginAt(old.LoginAt)); err != nil {
			t.report(ctx, session.EventRejected, "", err)
			return false
		}
	}
	s.SetPersistent(old.Persistent)
	s.SetIdleTimeout(old.IdleTimeout)
	s.SetDeadline(old.Deadline)
	noRoom := 0
	for _, key := range slices.Sorted(maps.Keys(old.Values)) {
		err := session.ErrTooLarge
		if noRoom < enough {
			err = t.put(ctx, s, session.Path(key), old.Values[key])
		}
		if errors.Is(err, session.ErrTooLarge) {
			noRoom++
		}
		if err != nil {
			t.report(ctx, session.EventUndecodable, old.User, fmt.Errorf("the value of %q (%T) was left out: %w", key,
				old.Values[key], err))
		}
	}
	return true
}

// enough is how many values may find no room before no more are tried. To find that out is the work of all those that
// the session has by then, and somebody may have filled the old one with small values.
const enough = 100

// put sets a value, unless the session does not take it. One that it does not take costs itself, and not the sign-in.
// What an empty session refuses is not tried here, for the refusal would stay.
func (t *Takeover) put(ctx context.Context, s *session.Session, path string, v any) error {
	empty, err := t.manager.Open(ctx, "")
	if err != nil {
		return err
	}
	if empty.Set(path, v); empty.Err() != nil {
		return empty.Err()
	}
	s.Set(path, v)
	if err = s.Err(); err != nil {
		s.Remove(path)
	}
	return err
}
