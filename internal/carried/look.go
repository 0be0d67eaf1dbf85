package carried

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/life"
)

// Look opens the token, unless that was done a moment ago, and asks whether its id was retired since. A retired id has
// no other record than the one in the token, so that known tells nothing.
func (r *Records) Look(ctx context.Context, at *life.Place, begins bool, _ *life.Record) (h envelope.Header,
	entries envelope.Entries, err error) {
	if at.Rec == nil || at.Rec.Kind != life.KindLive || at.Rec.Data == nil {
		now, err := r.Parse(at.Sealed())
		if err != nil {
			return h, nil, fmt.Errorf("%w: %w", life.ErrEnded, err)
		}
		now.Stale = now.Stale || at.Stale
		now.SetFlashUpTo(at.FlashUpTo())
		*at = now
	}
	rec := at.Rec
	if h, entries, err = envelope.Parse(rec.Data); err != nil {
		return h, nil, fmt.Errorf("%w: %w", life.ErrCorrupt, err)
	}
	rec.Data = nil // the next look opens the token again
	retired, err := r.follow(ctx, at, &h, begins)
	if err != nil || retired {
		return h, nil, err
	}
	rec.Persistent = h.Persistent == 1 || h.Persistent == 0 && r.k.Persistent
	of := life.Member{User: rec.User, Begun: max(h.Login, h.Created), Admitted: at.Admitted()}
	admitted, err := r.Missing(ctx, rec.ID, of)
	at.SetAdmitted(admitted)
	return h, entries, err
}

// follow gives the record in the token the id under which other requests have renewed it. It reports whether the
// session was retired, and then the place has the tombstone.
func (r *Records) follow(ctx context.Context, at *life.Place, h *envelope.Header, begins bool) (
	retired bool, err error) {
	for range life.MaxAliases {
		listed, err := r.retiredID(ctx, at.Rec.ID)
		switch {
		case err != nil || listed == nil:
			return false, err
		case listed.Kind == life.KindTombstone:
			at.Rec = listed
			return true, nil
		case begins && r.k.GraceOver(listed):
			return false, life.ErrReused
		}
		next, err := life.OpenAlias(at.Ticket, listed)
		if err != nil {
			return false, err
		}
		h.Issued = max(h.Issued, listed.SeenAt.UnixMicro())
		at.Rec.ID, at.Ticket, at.Stale = listed.Successor, next, true
	}
	return false, life.ErrReused
}

// retiredID is what became of an id, nil when it was not retired as far as anybody remembers.
func (r *Records) retiredID(ctx context.Context, id string) (*life.Record, error) {
	if !r.remembers {
		return nil, nil
	}
	rec, err := r.k.Load(ctx, id)
	if errors.Is(err, life.ErrNotFound) {
		return nil, nil
	}
	return rec, err
}

// Missing finds that the session is with its client, unless all sessions of its user were ended since it began, and it
// was not one to be kept.
func (r *Records) Missing(ctx context.Context, id string, of life.Member) (admitted int64, err error) {
	if of.User == "" || !r.remembers {
		return of.Admitted, nil
	}
	all, err := r.k.Load(ctx, everySession(of.User))
	if errors.Is(err, life.ErrNotFound) {
		return of.Admitted, nil
	}
	if err != nil {
		return of.Admitted, err
	}
	at := all.SeenAt.UnixMicro()
	switch {
	case of.Begun > at || of.Admitted == at:
		return of.Admitted, nil
	case slices.Contains(strings.Fields(string(all.Data)), id):
		return at, nil
	}
	return of.Admitted, fmt.Errorf("%w: all sessions of the user were ended", life.ErrNotFound)
}

// Remember keeps a retired id for as long as any copy under that id could live: a copy that was made a moment ago has
// all of the time that this one had.
func (r *Records) Remember(retired, old *life.Record) {
	retired.Version, retired.ExpiresAt = 0, time.Time{}
	if !old.ExpiresAt.IsZero() {
		left := old.ExpiresAt.Sub(old.SeenAt) // and no duration may hold the sum of this and the grace
		retired.ExpiresAt = retired.SeenAt.Add(left).Add(r.k.RenewGrace)
	}
}
