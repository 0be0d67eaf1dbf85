package sqltable

import (
	"context"
	"errors"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/leftout"
)

// Listing is what a SELECT gave.
type Listing struct {
	Recs    []*session.Record
	Skipped []string // the ids of rows that cannot be read, which open no session
	Last    string   // the id of the last row
}

// Add adds a row that was read into rec, or not, as the error says. Any error but [session.ErrCorrupt] is returned:
// half a list would hide sessions from whoever means to end them all.
func (l *Listing) Add(rec *session.Record, err error) error {
	switch {
	case err == nil:
		l.Recs = append(l.Recs, rec)
	case errors.Is(err, session.ErrCorrupt):
		l.Skipped = append(l.Skipped, rec.ID)
	default:
		return err
	}
	l.Last = rec.ID
	return nil
}

// Fill lists rows after an id until there are as many records as the limit, or no more.
func Fill(
	ctx context.Context, after string, limit int, list func(after string, limit int) (Listing, error),
) ([]*session.Record, error) {
	var page []*session.Record
	for len(page) < limit {
		l, err := list(after, limit-len(page))
		page = append(page, l.Recs...)
		for _, id := range l.Skipped {
			leftout.Tell(ctx, id, "")
		}
		if err != nil || len(l.Skipped) == 0 {
			return page, err
		}
		after = l.Last
	}
	return page, ctx.Err()
}
