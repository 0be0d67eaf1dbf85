package otelsession

import (
	"context"
	"time"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/coatcheck/session"
)

// The abilities that a store has or has not.
type (
	touches struct {
		s    *store
		next session.Toucher
	}
	sweeps struct {
		s    *store
		next session.Sweeper
	}
	lists struct {
		s    *store
		next session.Lister
	}
	limits struct {
		*lists
		next session.Limiter
	}
	shares struct {
		s    *store
		next session.Sharer
	}
	carries struct {
		*store
		session.Carrier
	}
)

func (a *touches) Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
	ctx, c := a.s.t.begin(ctx, "touch", semconv.SessionID(id))
	err := a.next.Touch(ctx, id, version, seen, expires)
	c.end(err)
	return err
}

func (a *sweeps) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	ctx, c := a.s.t.begin(ctx, "sweep")
	n, err := a.next.Sweep(ctx, before, limit)
	c.end(err)
	return n, err
}

func (a *lists) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	ctx, c := a.s.t.begin(ctx, "list_user")
	recs, err := a.next.ByUser(ctx, user)
	c.end(err)
	return recs, err
}

func (a *lists) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	ctx, c := a.s.t.begin(ctx, "list_page")
	recs, err := a.next.Page(ctx, after, limit)
	c.end(err)
	return recs, err
}

func (a *limits) SaveWithin(ctx context.Context, rec *session.Record, limit session.Limit) error {
	ctx, c := a.s.t.begin(ctx, "save", idsOf(rec)...)
	err := a.next.SaveWithin(ctx, rec, limit)
	c.end(err)
	return err
}

// Shares is asked about this store, and the answer is that of the one below about itself.
func (a *shares) Shares(other session.Store) bool {
	return other == a.s.whole && a.next.Shares(a.s.next)
}

func (a *shares) LoadShared(ctx context.Context, id string) (*session.Record, any, error) {
	ctx, c := a.s.t.begin(ctx, "load", semconv.SessionID(id))
	rec, note, err := a.next.LoadShared(ctx, id)
	c.end(err)
	return rec, note, err
}

func (a *shares) SaveShared(ctx context.Context, rec *session.Record, note any) error {
	ctx, c := a.s.t.begin(ctx, "save", idsOf(rec)...)
	err := a.next.SaveShared(ctx, rec, note)
	c.end(err)
	return err
}
