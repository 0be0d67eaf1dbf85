package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/envelope"
)

// findCarried is find for a token that is the session itself.
func (s *Session) findCarried(ctx context.Context, token string) ([]Event, error) {
	s.c.token = token
	rec, err := s.c.current(ctx, true)
	if err == nil {
		err = s.c.resolve(ctx, rec, true)
	}
	switch {
	case err == nil:
		s.c.rec.Persistent = s.c.persistent()
		s.isNew, s.seenAt = false, s.c.rec.SeenAt
		return nil, nil
	case s.c.rec == nil && !errors.Is(err, ErrUnavailable): // it did not open
		s.c = core{m: s.m}
		return []Event{{Kind: EventRejected, Err: err}}, nil
	}
	e := s.unfound(s.c.ticket, err)
	if errors.Is(err, ErrUnavailable) {
		return nil, err
	}
	return []Event{e}, nil
}

// current is the newest record that is known: the store's, or the one in the token unless its id was retired since.
func (c *core) current(ctx context.Context, fresh bool) (*Record, error) {
	if c.m.carried == nil {
		return c.m.load(ctx, c.rec.ID)
	}
	got, err := c.m.uncarry(c.token)
	if err != nil {
		return nil, endedIf(!fresh, err)
	}
	c.rec, c.ticket, c.admitted = got.rec, got.ticket, got.admitted
	c.stale = c.stale || got.signer > 0
	if !c.m.carried.remembers {
		return got.rec, nil
	}
	for range maxAliases {
		listed, err := c.m.load(ctx, got.rec.ID)
		switch {
		case errors.Is(err, ErrNotFound):
			return got.rec, c.admit(ctx, got.rec)
		case err != nil:
			return nil, err
		case listed.Kind == KindTombstone:
			return listed, nil
		}
		if err := c.followCarried(got.rec, listed, fresh); err != nil {
			return nil, err
		}
	}
	return nil, errReused
}

// followCarried gives the record in the token the id under which another request has renewed it.
func (c *core) followCarried(rec, alias *Record, fresh bool) error {
	if fresh && c.m.now().Sub(alias.SeenAt) >= c.m.opts.RenewGrace {
		return errReused
	}
	next, err := openTicket(c.ticket, alias)
	if err != nil {
		return err
	}
	h, entries, err := envelope.Parse(rec.Data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	h.Issued = max(h.Issued, alias.SeenAt.UnixMicro())
	rec.ID, rec.Data = alias.Successor, append(h.Append(nil), entries...)
	c.ticket, c.stale = next, true
	return nil
}

// membership is what decides whether a carried session is among those of its user that were all ended.
type membership struct {
	user     string
	begun    int64 // its first save or last login
	admitted int64 // the mass revocation that it outlived
}

func (c *core) membership() membership {
	return membership{c.rec.User, max(c.st.Login, c.st.Created), c.admitted}
}

// admit refuses a session of a user whose sessions were all ended since it began, unless it was one to be kept.
func (c *core) admit(ctx context.Context, rec *Record) (err error) {
	if rec.User == "" {
		return nil
	}
	h, _, err := envelope.Parse(rec.Data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	c.admitted, err = c.m.admitCarried(ctx, rec.ID, membership{rec.User, max(h.Login, h.Created), c.admitted})
	return err
}

// admitCarried returns the mass revocation that the session has outlived. The error wraps ErrNotFound when it has not.
func (m *Manager) admitCarried(ctx context.Context, id string, of membership) (admitted int64, err error) {
	if of.user == "" {
		return of.admitted, nil
	}
	all, err := m.load(ctx, everySession(of.user))
	if errors.Is(err, ErrNotFound) {
		return of.admitted, nil
	}
	if err != nil {
		return of.admitted, err
	}
	at := all.SeenAt.UnixMicro()
	switch {
	case of.begun > at || of.admitted == at:
		return of.admitted, nil
	case slices.Contains(strings.Fields(string(all.Data)), id):
		return at, nil
	}
	return of.admitted, fmt.Errorf("%w: all sessions of the user were ended", ErrNotFound)
}

// readmit looks again before a carried session changes its id: it is kept under the old one, or ended, if at all.
func (c *core) readmit(ctx context.Context) (err error) {
	if c.m.carried == nil || !c.m.carried.remembers || c.login || c.rec.User == "" {
		return nil
	}
	c.admitted, err = c.m.admitCarried(ctx, c.rec.ID, c.membership())
	return endedIf(errors.Is(err, ErrNotFound), err)
}

// settleClocks gives a carried session a new id when its own time-outs change. All copies of an id then end by the same
// clocks, and a retired id need not be remembered longer than the last of them can live.
func (c *core) settleClocks() {
	if c.m.carried == nil || !c.m.carried.remembers || c.rec == nil || c.gone || c.retire != KindLive {
		return
	}
	if slices.ContainsFunc(c.ops, func(o op) bool { return o.kind == opIdle || o.kind == opLifetime }) {
		c.retire = KindTombstone
	}
}

// outlive makes a retired id be remembered for as long as any copy of the session under that id could live: a copy that was made
// a moment ago has all of the time that this one had.
func (m *Manager) outlive(retired, old *Record) {
	retired.Version, retired.ExpiresAt = 0, time.Time{}
	if !old.ExpiresAt.IsZero() {
		retired.ExpiresAt = retired.SeenAt.Add(old.ExpiresAt.Sub(old.SeenAt)).Add(m.opts.RenewGrace) // whose sum no duration may hold
	}
}
