package transfer

import (
	"context"
	"errors"
	"reflect"

	"github.com/coatcheck/session"
)

// Verify compares every record with its copy, but for those that changed since the last pass, and those that the site
// has used where they were copied to.
func (c *Copying) Verify(ctx context.Context, step func(int)) error {
	c.done.Verified, c.done.Changed, c.done.Gone = 0, 0, 0
	if err := c.lookForUse(ctx); err != nil {
		return err
	}
	return batches(ctx, c.From, func(batch []*session.Record) error {
		defer step(len(batch))
		known, err := c.Journal.find(ctx, idsOf(batch))
		if err != nil {
			return err
		}
		return together(ctx, batch, func(ctx context.Context, rec *session.Record) error {
			return c.verify(ctx, rec, known[rec.ID])
		})
	})
}

// errUsed ends the search of lookForUse.
var errUsed = errors.New("the site uses this store")

// lookForUse finds out whether the site works with the target: then sessions may have ended there that the source still
// has.
func (c *Copying) lookForUse(ctx context.Context) error {
	if c.used {
		return nil
	}
	err := batches(ctx, c.To, func(batch []*session.Record) error {
		known, err := c.Journal.find(ctx, idsOf(batch))
		if err != nil {
			return err
		}
		for _, rec := range batch {
			if e := known[rec.ID]; rec.Kind == session.KindLive && !e.untouched(rec) {
				return errUsed
			}
		}
		return nil
	})
	c.used = errors.Is(err, errUsed)
	if c.used {
		return nil
	}
	return err
}

func idsOf(batch []*session.Record) []string {
	ids := make([]string, len(batch))
	for i, rec := range batch {
		ids[i] = rec.ID
	}
	return ids
}

func (c *Copying) verify(ctx context.Context, listed *session.Record, e entry) error {
	if over(listed, c.M.Now()) || c.isBad(listed.ID) {
		return nil
	}
	rec, reason, err := load(ctx, c.From, listed.ID)
	if err != nil {
		return err
	}
	if rec == nil || reason != "" || !e.Done || !e.of(rec) {
		c.count(&c.done.Changed)
		return nil
	}
	there, reason, err := load(ctx, c.To, listed.ID)
	switch {
	case err != nil:
		return err
	case reason != "":
		c.problem(rec, "the copy is damaged")
	case there == nil && !c.used:
		c.problem(rec, "the copy is gone: the other store has lost it, or it was ended there")
	case there == nil: // it has ended or was lost, or goes on under an id that no longer leads back to this one
		c.count(&c.done.Gone)
	case !e.untouched(there): // the site works there
	case !c.same(rec, there):
		c.problem(rec, "the copy differs")
	default:
		c.count(&c.done.Verified)
	}
	return nil
}

func (c *Copying) isBad(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bad[id]
}

// same reports whether two records are the same session, whatever their versions.
func (c *Copying) same(a, b *session.Record) bool {
	left, right := *a, *b
	left.Version, left.Data, right.Version, right.Data = 0, nil, 0, nil
	if a.Kind == session.KindLive { // a copy leaves out which id its session had before: that move is over
		left.Successor, right.Successor = "", ""
	}
	if !reflect.DeepEqual(normal(left), normal(right)) {
		return false
	}
	if a.Kind != session.KindLive {
		return string(a.Data) == string(b.Data)
	}
	before, _, err := c.M.Contents(a)
	if err != nil {
		return false
	}
	after, _, err := c.M.Contents(b)
	return err == nil && reflect.DeepEqual(before, after)
}

// normal gives equal times one form.
func normal(rec session.Record) session.Record {
	rec.CreatedAt, rec.SeenAt, rec.LoginAt, rec.ExpiresAt = rec.CreatedAt.UTC(), rec.SeenAt.UTC(), rec.LoginAt.UTC(),
		rec.ExpiresAt.UTC()
	return rec
}
