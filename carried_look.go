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

// look opens the token, unless that was done a moment ago, and asks whether its id was retired since. A retired id has
// no other record than the one in the token, so that known tells nothing.
func (c carried) look(ctx context.Context, at *place, begins bool, _ *Record) (h envelope.Header,
	entries envelope.Entries, err error) {
	if at.rec == nil || at.rec.Kind != KindLive || at.rec.Data == nil {
		now, err := c.parse(at.token)
		if err != nil {
			return h, nil, endedIf(true, err)
		}
		now.stale, now.flashUpTo = now.stale || at.stale, at.flashUpTo
		*at = now
	}
	rec := at.rec
	if h, entries, err = envelope.Parse(rec.Data); err != nil {
		return h, nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	retired, err := c.follow(ctx, at, &h, begins)
	if err != nil || retired {
		return h, nil, err
	}
	rec.Persistent = h.Persistent == 1 || h.Persistent == 0 && c.persistent
	at.admitted, err = c.missing(ctx, rec.ID, member{rec.User, max(h.Login, h.Created), at.admitted})
	return h, entries, err
}

// follow gives the record in the token the id under which other requests have renewed it. It reports whether the
// session was retired, and then the place has the tombstone.
func (c carried) follow(ctx context.Context, at *place, h *envelope.Header, begins bool) (retired bool, err error) {
	for range maxAliases {
		listed, err := c.retiredID(ctx, at.rec.ID)
		switch {
		case err != nil || listed == nil:
			return false, err
		case listed.Kind == KindTombstone:
			at.rec = listed
			return true, nil
		case begins && c.graceOver(listed):
			return false, errReused
		}
		next, err := openAlias(at.ticket, listed)
		if err != nil {
			return false, err
		}
		h.Issued = max(h.Issued, listed.SeenAt.UnixMicro())
		at.rec.ID, at.ticket, at.stale = listed.Successor, next, true
	}
	return false, errReused
}

// retiredID is what became of an id, nil when it was not retired as far as anybody remembers.
func (c carried) retiredID(ctx context.Context, id string) (*Record, error) {
	if !c.remembers {
		return nil, nil
	}
	rec, err := c.load(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return rec, err
}

// missing finds that the session is with its client, unless all sessions of its user were ended since it began, and it
// was not one to be kept.
func (c carried) missing(ctx context.Context, id string, of member) (admitted int64, err error) {
	if of.user == "" || !c.remembers {
		return of.admitted, nil
	}
	all, err := c.load(ctx, everySession(of.user))
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

// remember keeps a retired id for as long as any copy under that id could live: a copy that was made a moment ago has
// all of the time that this one had.
func (c carried) remember(retired, old *Record) {
	retired.Version, retired.ExpiresAt = 0, time.Time{}
	if !old.ExpiresAt.IsZero() {
		left := old.ExpiresAt.Sub(old.SeenAt) // and no duration may hold the sum of this and the grace
		retired.ExpiresAt = retired.SeenAt.Add(left).Add(c.renewGrace)
	}
}
