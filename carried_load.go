package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
)

// findCarried is find for a token that is the session itself.
func (s *Session) findCarried(ctx context.Context, token string) ([]Event, error) {
	s.draft.token = token
	rec, err := s.draft.current(ctx, true)
	if err == nil {
		err = s.draft.resolve(ctx, rec, true)
	}
	switch {
	case err == nil:
		s.draft.rec.Persistent = s.draft.persistent()
		s.isNew, s.seenAt = false, s.draft.rec.SeenAt
		return nil, nil
	case s.draft.rec == nil && !errors.Is(err, ErrUnavailable): // it did not open
		s.draft = draft{k: s.m.keeper}
		return []Event{{Kind: EventRejected, Err: err}}, nil
	}
	e := s.unfound(s.draft.ticket, err)
	if errors.Is(err, ErrUnavailable) {
		return nil, err
	}
	return []Event{e}, nil
}

// current is the newest record that is known: the store's, or the one in the token unless its id was retired since.
func (d *draft) current(ctx context.Context, fresh bool) (*Record, error) {
	if d.k.carried == nil {
		return d.k.load(ctx, d.rec.ID)
	}
	got, err := d.k.uncarry(d.token)
	if err != nil {
		return nil, endedIf(!fresh, err)
	}
	d.rec, d.ticket, d.admitted = got.rec, got.ticket, got.admitted
	d.stale = d.stale || got.signer > 0
	if !d.k.carried.remembers {
		return got.rec, nil
	}
	for range maxAliases {
		listed, err := d.k.load(ctx, got.rec.ID)
		switch {
		case errors.Is(err, ErrNotFound):
			return got.rec, d.admit(ctx, got.rec)
		case err != nil:
			return nil, err
		case listed.Kind == KindTombstone:
			return listed, nil
		}
		if err := d.followCarried(got.rec, listed, fresh); err != nil {
			return nil, err
		}
	}
	return nil, errReused
}

// followCarried gives the record in the token the id under which another request has renewed it.
func (d *draft) followCarried(rec, alias *Record, fresh bool) error {
	if fresh && d.k.now().Sub(alias.SeenAt) >= d.k.renewGrace {
		return errReused
	}
	next, err := openAlias(d.ticket, alias)
	if err != nil {
		return err
	}
	h, entries, err := envelope.Parse(rec.Data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	h.Issued = max(h.Issued, alias.SeenAt.UnixMicro())
	rec.ID, rec.Data = alias.Successor, append(h.Append(nil), entries...)
	d.ticket, d.stale = next, true
	return nil
}

// membership is what decides whether a carried session is among those of its user that were all ended.
type membership struct {
	user     string
	begun    int64 // its first save or last login
	admitted int64 // the mass revocation that it outlived
}

func (d *draft) membership() membership {
	return membership{d.rec.User, max(d.doc.State.Login, d.doc.State.Created), d.admitted}
}

// admit refuses a session of a user whose sessions were all ended since it began, unless it was one to be kept.
func (d *draft) admit(ctx context.Context, rec *Record) (err error) {
	if rec.User == "" {
		return nil
	}
	h, _, err := envelope.Parse(rec.Data)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	d.admitted, err = d.k.admitCarried(ctx, rec.ID, membership{rec.User, max(h.Login, h.Created), d.admitted})
	return err
}

// admitCarried returns the mass revocation that the session has outlived. The error wraps ErrNotFound when it has not.
func (k *keeper) admitCarried(ctx context.Context, id string, of membership) (admitted int64, err error) {
	if of.user == "" {
		return of.admitted, nil
	}
	all, err := k.load(ctx, everySession(of.user))
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
func (d *draft) readmit(ctx context.Context) (err error) {
	if d.k.carried == nil || !d.k.carried.remembers || d.login || d.rec.User == "" {
		return nil
	}
	d.admitted, err = d.k.admitCarried(ctx, d.rec.ID, d.membership())
	return endedIf(errors.Is(err, ErrNotFound), err)
}

// settleClocks gives a carried session a new id when its own time-outs change. All copies of an id then end by the same
// clocks, and a retired id need not be remembered longer than the last of them can live.
func (d *draft) settleClocks() {
	if d.k.carried == nil || !d.k.carried.remembers || d.rec == nil || d.gone || d.oldBecomes != KindLive {
		return
	}
	clock := func(o data.Op) bool { return o.Kind == data.OpIdle || o.Kind == data.OpLifetime }
	if slices.ContainsFunc(d.doc.Ops, clock) {
		d.oldBecomes = KindTombstone
	}
}

// outlive makes a retired id of a carried session be remembered for as long as any copy under that id could live: a
// copy that was made a moment ago has all of the time that this one had.
func (k *keeper) outlive(retired, old *Record) *Record {
	if k.carried == nil {
		return retired
	}
	retired.Version, retired.ExpiresAt = 0, time.Time{}
	if !old.ExpiresAt.IsZero() {
		left := old.ExpiresAt.Sub(old.SeenAt) // and no duration may hold the sum of this and the grace
		retired.ExpiresAt = retired.SeenAt.Add(left).Add(k.renewGrace)
	}
	return retired
}
