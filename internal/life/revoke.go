package life

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/coatcheck/session/internal/newest"
)

// Anybody is no name of a user.
const Anybody = ""

// IDs leaves out what does not have the form of an id. It comes from anybody, and some stores fail when they are asked
// for certain bytes, which would be an outage that visitors bring about.
func IDs(of []string) []string {
	return slices.DeleteFunc(slices.Clone(of), func(id string) bool {
		raw, err := hex.DecodeString(id)
		return err != nil || len(raw) != sha256.Size || id != strings.ToLower(id)
	})
}

// Revoke ends the sessions of the ids. Whatever else there is counts as unknown.
func (s stored) Revoke(ctx context.Context, e Ending, ids []string) (int, error) {
	e.Itself = e.Of == Anybody // what follows is the same user's, or spared
	ids, ctx = IDs(ids), newest.With(ctx)
	return s.endSeveral(ctx, len(ids), func(i int) outcome { return s.revokeOne(ctx, ids[i], e) })
}

// revokeOne ends a session as Logout does, so that it cannot slip away under a new id, and then deletes what is left.
// Of an id that a session is about to get, or that a move has given up, the session is meant.
func (s stored) revokeOne(ctx context.Context, id string, e Ending) outcome {
	rec, err := s.Load(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return outcome{}
	case errors.Is(err, ErrCorrupt) && e.Of == Anybody: // nobody can use it, and nobody can list it: away with it
		return outcome{err: s.remove(ctx, id)}
	case errors.Is(err, ErrCorrupt):
		return outcome{}
	case err != nil:
		return outcome{err: err}
	}
	return s.revokeRecord(ctx, rec, e)
}

// revokeListed revokes a session that was listed for its user, and not the one of whoever signed in on the same browser
// meanwhile. Whoever changed it since then is in the way of a save, so that nobody has to load it before, unless it is
// judged by what it holds.
func (s stored) revokeListed(ctx context.Context, listed *Record, e Ending) (o outcome, spared bool) {
	if e.If == nil && listed.Version > 0 && listed.User == e.Of && s.alive(listed) {
		return s.revokeRecord(ctx, listed, e), false
	}
	rec, err := s.Load(ctx, listed.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return outcome{}, false
	case errors.Is(err, ErrCorrupt):
		return outcome{err: s.remove(ctx, listed.ID)}, false
	case err != nil:
		return outcome{err: err}, false
	case rec.Kind == KindLive && e.If != nil && e.spares(rec):
		return outcome{}, true
	}
	return s.revokeRecord(ctx, rec, e), false
}

func (s stored) revokeRecord(ctx context.Context, rec *Record, e Ending) outcome {
	from, err := s.movingFrom(ctx, rec)
	if err != nil {
		return outcome{err: err}
	}
	if from == nil {
		from = rec
	}
	ended, err := s.End(ctx, from, e)
	if err != nil {
		return outcome{err: err}
	}
	return s.removeEnded(ctx, rec, e, ended)
}

// movingFrom is the record of the session that a live record only waits to take over from, or has failed to: nil when
// the record is a session of its own. Of a login the session before it was nobody's, or somebody else's, and remains
// that.
func (k *Keeper) movingFrom(ctx context.Context, rec *Record) (*Record, error) {
	before, err := k.before(ctx, rec)
	if before != nil && before.User != rec.User {
		return nil, nil
	}
	return before, err
}

// before is the record that has not given way to a live one, or to another: nil when the live one is a session of its
// own.
func (k *Keeper) before(ctx context.Context, rec *Record) (*Record, error) {
	if rec.Predecessor() == "" {
		return nil, nil
	}
	before, err := k.Load(ctx, rec.Predecessor())
	switch {
	case errors.Is(err, ErrUnavailable):
		return nil, err
	case err != nil || before.Kind != KindLive && before.Successor == rec.ID:
		return nil, nil
	}
	return before, nil
}

// removeEnded counts the sessions that ended, and deletes what is left of them and of the record that led to them:
// when their tombstones are to tell why, only what else waits to take over.
func (s stored) removeEnded(ctx context.Context, rec *Record, e Ending, ended []Ended) (o outcome) {
	theirs := e.If == nil && (e.Of == Anybody || rec.User == e.Of)
	for _, r := range ended {
		if !r.Late {
			o.ended++
			o.events = append(o.events, Event{Kind: EventEnded, ID: r.ID, User: r.User, Reason: r.Why})
		}
		theirs = true
		if !e.Told {
			o.err = errors.Join(o.err, s.remove(ctx, r.ID))
		}
		if s.can.Limiter != nil {
			o.err = errors.Join(o.err, s.removeHeirsOf(ctx, r.Record, e.kept))
		}
	}
	if theirs && !slices.ContainsFunc(ended, func(r Ended) bool { return r.ID == rec.ID }) {
		o.err = errors.Join(o.err, s.removeLed(ctx, rec.ID, e, len(ended) > 0))
	}
	return o
}

// removeLed removes the record that led to what ended, or to nothing, unless it tells why, or leads to what tells. It
// may be another one by now than the one that was read, and even somebody else's.
func (s stored) removeLed(ctx context.Context, id string, e Ending, ended bool) error {
	rec, err := s.Load(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case errors.Is(err, ErrUnavailable):
		return err
	case err == nil && (e.Told && ended && rec.Kind == KindAlias || s.whyEnded(ctx, rec) != ""):
		return nil
	case err == nil && rec.Kind == KindLive && e.Of != Anybody && rec.User != e.Of:
		return nil
	}
	return s.remove(ctx, id)
}

func (k *Keeper) remove(ctx context.Context, id string) error {
	if err := k.Store.Delete(ctx, id); err != nil {
		return Unavailable(err)
	}
	return nil
}

// RevokeUser looks again until it finds none, for a session may begin or move meanwhile.
func (s stored) RevokeUser(ctx context.Context, e Ending, keep []string) (int, error) {
	ctx = newest.With(ctx)
	kept, over := map[string]bool{}, map[string]bool{}
	for _, id := range IDs(keep) {
		kept[id] = true
	}
	e.kept, e.If = kept, oneByOne(e.If)
	n := 0
	for range 10 { // a session that moves all the time cannot keep this busy for ever
		recs, err := s.byUser(ctx, e.Of)
		if err == nil {
			recs, err = s.withoutHeirs(ctx, recs)
		}
		if err == nil {
			recs, err = s.withoutKept(ctx, recs, kept)
		}
		if err != nil || len(recs) == 0 {
			return n, err
		}
		ended, err := s.revokeAll(ctx, recs, e, over)
		if n += ended; err != nil {
			return n, err
		}
	}
	return n, nil
}

// revokeAll revokes sessions that were listed. One whose predecessor is over, under the id that was listed or the one
// that it led to, has counted as that.
func (s stored) revokeAll(ctx context.Context, recs []*Record, e Ending, over map[string]bool) (int, error) {
	spared, all := make([]bool, len(recs)), make([]outcome, len(recs))
	n, err := s.endSeveral(ctx, len(recs), func(i int) outcome {
		all[i], spared[i] = s.revokeListed(ctx, recs[i], e)
		if over[recs[i].Predecessor()] {
			all[i].ended = 0
		}
		return all[i]
	})
	for i, r := range recs {
		over[r.ID] = true
		for _, told := range all[i].events {
			over[told.ID] = true
		}
		if spared[i] {
			e.kept[r.ID] = true // so that the next look passes it over
		}
	}
	return n, err
}

// withoutKept leaves out the sessions to keep. Their ids are followed after the records were listed: of a session that
// moves meanwhile either the way to its new id is there by then, or the new record names an id on that way.
func (s stored) withoutKept(ctx context.Context, recs []*Record, kept map[string]bool) ([]*Record, error) {
	if err := s.keepSuccessors(ctx, kept); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(recs, func(r *Record) bool { return kept[r.ID] || kept[r.Predecessor()] }), nil
}

// keepSuccessors adds the new ids of kept sessions that were renewed. Whatever was kept before, or is added here, is
// followed once.
func (s stored) keepSuccessors(ctx context.Context, kept map[string]bool) error {
	for _, id := range slices.Collect(maps.Keys(kept)) {
		for range maxMoves {
			rec, err := s.Load(ctx, id)
			if errors.Is(err, ErrUnavailable) {
				return err
			}
			if err != nil || rec.Kind == KindLive || rec.Successor == "" || kept[rec.Successor] {
				break
			}
			id = rec.Successor
			kept[id] = true
		}
	}
	return nil
}
