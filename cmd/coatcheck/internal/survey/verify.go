package survey

import (
	"context"
	"errors"
	"fmt"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/leftout"
)

// Verified is what Verify found.
type Verified struct {
	Checked  int       `json:"checked"`
	Older    int       `json:"older_secret"` // made by an older secret, or sealed otherwise than the options ask for
	Problems []Problem `json:"problems"`
}

// Problem is a record, or one key of it, that the site would not get.
type Problem struct {
	ID     string `json:"id"`
	User   string `json:"user"`
	Key    string `json:"key,omitempty"`
	Reason string `json:"reason"`
}

// Verify opens every live session of a store and decodes each key of it. step is called for each record. With an error
// comes what was found in the records that could be read, nil if there were none. A damaged one that no list has is a
// problem like another.
func Verify(ctx context.Context, m *session.Manager, store session.Store, step func(int)) (*Verified, error) {
	v := &Verified{Problems: []Problem{}}
	now := m.Now()
	met := 0
	listing := leftout.Telling(ctx, func(id, place string) { v.add(&session.Record{ID: id}, "", Damaged(place)) })
	for rec, err := range Records(listing, store) {
		if err != nil && (met == 0 || ctx.Err() != nil) {
			return nil, err
		}
		if err != nil {
			return v, err
		}
		step(1)
		met++
		if rec.Kind != session.KindLive || !rec.ExpiresAt.IsZero() && !rec.ExpiresAt.After(now) {
			continue
		}
		if err := v.check(ctx, m, store, rec); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// Damaged says that a record cannot be read, and where it is if its id is not known.
func Damaged(place string) string {
	if place == "" {
		return "the record is damaged"
	}
	return "the record is damaged: " + place
}

func (v *Verified) check(ctx context.Context, m *session.Manager, store session.Store, listed *session.Record) error {
	rec, err := store.Load(ctx, listed.ID)
	switch {
	case errors.Is(err, session.ErrNotFound): // it ended meanwhile
		return nil
	case errors.Is(err, session.ErrCorrupt):
		v.Checked++
		v.add(listed, "", Damaged(""))
		return nil
	case err != nil:
		return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
	case rec.Kind != session.KindLive:
		return nil
	}
	v.Checked++
	contents, stale, err := m.Contents(rec)
	if err != nil {
		v.add(rec, "", "it does not open with the secrets of this configuration, or was changed")
		return nil
	}
	if stale {
		v.Older++
	}
	for _, c := range contents {
		if c.Err != nil {
			v.add(rec, c.Key, "the value does not decode")
		}
	}
	return nil
}

func (v *Verified) add(rec *session.Record, key, reason string) {
	v.Problems = append(v.Problems, Problem{rec.ID, rec.User, key, reason})
}
