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
		now.SetAdmitted(max(now.Admitted(), at.Admitted()))
		*at = now
	}
	rec := at.Rec
	if h, entries, err = envelope.Parse(rec.Data); err != nil {
		return h, nil, fmt.Errorf("%w: %w", life.ErrCorrupt, err)
	}
	rec.Data = nil // the next look opens the token again
	former, err := r.follow(ctx, at, &h, begins)
	if err != nil || at.Rec.Kind != life.KindLive {
		return h, nil, err
	}
	rec.Persistent = h.Persistent == 1 || h.Persistent == 0 && r.k.Persistent
	of := life.Member{User: rec.User, Begun: max(h.Login, h.Created), Admitted: at.Admitted()}
	admitted, err := r.admit(ctx, rec.ID, former, of)
	at.SetAdmitted(admitted)
	return h, entries, err
}

// follow gives the record in the token the id under which other requests have renewed it. It returns the ids that the
// record had before. If the session was retired, the place has the tombstone.
func (r *Records) follow(ctx context.Context, at *life.Place, h *envelope.Header, begins bool) (
	former []string, err error) {
	for range life.MostMoves(begins) {
		listed, err := r.retiredID(ctx, at.Rec.ID)
		switch {
		case err != nil || listed == nil:
			return former, err
		case listed.Kind == life.KindTombstone:
			at.Rec = listed
			return former, nil
		case begins && r.k.GraceOver(listed):
			return nil, life.ErrReused
		}
		next, err := life.OpenAlias(at.Ticket, listed)
		if err != nil {
			return nil, err
		}
		h.Issued = max(h.Issued, listed.SeenAt.UnixMicro())
		former = append(former, at.Rec.ID)
		at.Rec.ID, at.Ticket, at.Stale = listed.Successor, next, true
	}
	return nil, life.ErrReused
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
	return r.admit(ctx, id, nil, of)
}

// admit is Missing for a session that had other ids before.
func (r *Records) admit(ctx context.Context, id string, former []string, of life.Member) (admitted int64, err error) {
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
	if of.Begun > at || of.Admitted == at {
		return of.Admitted, nil
	}
	kept, err := r.keeps(ctx, all, append(former, id))
	switch {
	case err != nil:
		return of.Admitted, err
	case kept:
		return at, nil
	}
	return of.Admitted, fmt.Errorf("%w: all sessions of the user were ended", life.ErrNotFound)
}

// keeps reports whether one of the ids of a session was to be kept when all of its user's were ended, or is what became
// of one that was: another request may have moved it shortly before, or been about to. What moved later knew of the
// end.
func (r *Records) keeps(ctx context.Context, all *life.Record, ids []string) (bool, error) {
	list := strings.Fields(string(all.Data))
	for hops := 0; len(list) > 0 && hops < life.MostMoves(true); hops++ {
		if slices.ContainsFunc(list, func(id string) bool { return slices.Contains(ids, id) }) {
			return true, nil
		}
		var next []string
		for _, id := range list {
			moved, err := r.retiredID(ctx, id)
			switch {
			case err != nil:
				return false, err
			case moved != nil && wentOn(moved) && moved.SeenAt.Sub(all.SeenAt) <= r.k.RenewGrace:
				next = append(next, moved.Successor)
			}
		}
		list = next
	}
	return false, nil
}

// wentOn reports whether the session of a retired id has got another one. A tombstone that says why the session ended
// may name a successor too: what whoever logged out has begun since.
func wentOn(retired *life.Record) bool {
	return retired.Successor != "" && (retired.Kind == life.KindAlias || len(retired.Data) == 0)
}

// Remember keeps a retired id for as long as any copy under that id could live, if nothing keeps it longer: a copy that
// was made a moment ago has all of the time that this one had.
func (r *Records) Remember(retired, old *life.Record) {
	retired.Version = 0
	if old.ExpiresAt.IsZero() {
		retired.ExpiresAt = time.Time{}
		return
	}
	left := old.ExpiresAt.Sub(old.SeenAt) // and no duration may hold the sum of this and the grace
	if end := retired.SeenAt.Add(left).Add(r.k.RenewGrace); end.After(retired.ExpiresAt) {
		retired.ExpiresAt = end
	}
}
