package sessiontest_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/coatcheck/session"
)

// The state of these is of one store each, and not of the shelf that two of them share.
var peerMutants = []mutant{
	{"a second store sees what the first one does at once", "remembers what it did itself", func(s *store) {
		var mine sync.Map // id to what was saved here last
		s.save = func(ctx context.Context, rec *session.Record) error {
			err := s.shelf.Save(ctx, rec)
			if err == nil {
				mine.Store(rec.ID, onward(rec))
			}
			return err
		}
		s.remove = func(ctx context.Context, id string) error {
			mine.Delete(id)
			return s.shelf.Delete(ctx, id)
		}
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			mine.Delete(id)
			return s.shelf.Touch(ctx, id, version, seen, expires)
		}
		s.load = func(ctx context.Context, id string) (*session.Record, error) {
			if rec, ok := mine.Load(id); ok && s.ready(ctx) == nil {
				return rec.(*session.Record).Clone(), nil
			}
			return s.shelf.Load(ctx, id)
		}
	}},
	{"a second store sees lists, touches and sweeps at once", "keeps touches to itself", func(s *store) {
		var mine sync.Map // id to what was touched here
		s.touch = func(ctx context.Context, id string, version uint64, seen, expires time.Time) error {
			if rec := s.get(id); rec != nil && rec.Version == version && ctx.Err() == nil {
				mine.Store(id, touched(rec, seen, expires))
			}
			return s.ready(ctx)
		}
		s.load = func(ctx context.Context, id string) (*session.Record, error) {
			rec, err := s.shelf.Load(ctx, id)
			if own, ok := mine.Load(id); ok && err == nil && own.(*session.Record).Version == rec.Version {
				return own.(*session.Record).Clone(), nil
			}
			return rec, err
		}
	}},
	{"two stores let one of their concurrent saves succeed", "has a lock of its own", func(s *store) {
		var mu sync.Mutex
		s.save = func(ctx context.Context, rec *session.Record) error {
			if err := s.ready(ctx); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			return compareThenSet(ctx, s.shelf, rec)
		}
	}},
	{"no save through a second store brings a deleted record back", "believes that what it saved is there",
		func(s *store) {
			var mine sync.Map // id to version
			s.remove = func(ctx context.Context, id string) error {
				mine.Delete(id)
				return s.shelf.Delete(ctx, id)
			}
			s.save = func(ctx context.Context, rec *session.Record) error {
				err := s.shelf.Save(ctx, rec)
				if version, ok := mine.Load(rec.ID); ok && version == rec.Version &&
					errors.Is(err, session.ErrNotFound) {
					s.put(onward(rec))
					err = nil
				}
				if err == nil {
					mine.Store(rec.ID, rec.Version+1)
				}
				return err
			}
		}},
}

func outageMutants() []mutant {
	const outage = "a backend that fails is an error, and no answer"
	const corrupt = "a record that cannot be read is corrupt"
	const stays = "a record that cannot be read stays until it is deleted"
	return []mutant{
		{outage, "Load says not found", onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
			rec, err := b.Load(ctx, id)
			if errors.Is(err, errDown) {
				err = session.ErrNotFound
			}
			return rec, err
		})},
		{outage, "Save says conflict", onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if errors.Is(err, errDown) {
				err = session.ErrConflict
			}
			return err
		})},
		{outage, "Delete says done", onDelete(func(ctx context.Context, b *shelf, id string) error {
			err := b.Delete(ctx, id)
			if errors.Is(err, errDown) {
				err = nil
			}
			return err
		})},
		{outage, "ByUser says nothing there", func(s *store) {
			s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
				recs, err := s.shelf.ByUser(ctx, user)
				if errors.Is(err, errDown) {
					err = nil
				}
				return recs, err
			}
		}},
		{corrupt, "Load says not found", tornIs(session.ErrNotFound)},
		{corrupt, "Load has an error of its own", tornIs(errors.New("syntax error"))},
		{stays, "Load cleans up", onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
			rec, err := b.Load(ctx, id)
			if errors.Is(err, session.ErrCorrupt) {
				b.drop(id)
			}
			return rec, err
		})},
		{stays, "Save takes its place", onSave(func(ctx context.Context, b *shelf, rec *session.Record) error {
			err := b.Save(ctx, rec)
			if errors.Is(err, session.ErrCorrupt) {
				b.drop(rec.ID)
				err = b.Save(ctx, rec)
			}
			return err
		})},
		{stays, "Delete cannot read it either", onDelete(func(ctx context.Context, b *shelf, id string) error {
			if _, err := b.Load(ctx, id); errors.Is(err, session.ErrCorrupt) {
				return err
			}
			return b.Delete(ctx, id)
		})},
	}
}

func tornIs(other error) change {
	return onLoad(func(ctx context.Context, b *shelf, id string) (*session.Record, error) {
		rec, err := b.Load(ctx, id)
		if errors.Is(err, session.ErrCorrupt) {
			err = other
		}
		return rec, err
	})
}

// fieldMutants lose one field each, or some of it.
func fieldMutants() []mutant {
	const field, clock, user = "every field comes back", "times come back to the microsecond",
		"users come back byte for byte"
	never := time.Time{}
	return []mutant{
		{field, "forgets the user", saving(func(rec *session.Record) { rec.User = "" })},
		{field, "forgets the kind", saving(func(rec *session.Record) { rec.Kind = session.KindLive })},
		{field, "has two kinds", saving(func(rec *session.Record) { rec.Kind = min(rec.Kind, session.KindAlias) })},
		{field, "forgets the successor", saving(func(rec *session.Record) { rec.Successor = "" })},
		{field, "forgets when it was created", saving(func(rec *session.Record) { rec.CreatedAt = never })},
		{field, "forgets when it was seen", saving(func(rec *session.Record) { rec.SeenAt = never })},
		{field, "forgets the login", saving(func(rec *session.Record) { rec.LoginAt = never })},
		{field, "forgets the expiry", saving(func(rec *session.Record) { rec.ExpiresAt = never })},
		{field, "forgets the address", saving(func(rec *session.Record) { rec.RemoteIP = netip.Addr{} })},
		{field, "unmaps the address", saving(func(rec *session.Record) { rec.RemoteIP = rec.RemoteIP.Unmap() })},
		{field, "has an address always", saving(func(rec *session.Record) {
			if !rec.RemoteIP.IsValid() {
				rec.RemoteIP = netip.IPv6Unspecified()
			}
		})},
		{field, "forgets the browser", saving(func(rec *session.Record) { rec.UserAgent = "" })},
		{field, "keeps 255 bytes of the browser", saving(func(rec *session.Record) {
			rec.UserAgent = rec.UserAgent[:min(len(rec.UserAgent), 255)]
		})},
		{field, "forgets whether it is persistent", saving(func(rec *session.Record) { rec.Persistent = false })},
		{field, "keeps a field that becomes empty",
			onReplace(func(ctx context.Context, b *shelf, rec *session.Record) error {
				c, old := rec.Clone(), b.get(rec.ID)
				if old != nil && c.User == "" {
					c.User = old.User
				}
				return b.Save(ctx, c)
			})},
		{clock, "keeps milliseconds", savingTimes(func(t time.Time) time.Time { return t.Truncate(time.Millisecond) })},
		{clock, "keeps float seconds", savingTimes(func(t time.Time) time.Time {
			return time.UnixMicro(int64(float32(t.UnixMicro()))).UTC()
		})},
		{clock, "counts nanoseconds in 64 bits", savingTimes(func(t time.Time) time.Time {
			return time.Unix(0, t.UnixNano()).UTC()
		})},
		{clock, "counts seconds in 32 bits", savingTimes(func(t time.Time) time.Time {
			return time.Unix(int64(int32(t.Unix())), int64(t.Nanosecond())).UTC()
		})},
		{clock, "writes the hour of another zone", savingTimes(func(t time.Time) time.Time {
			return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
		})},
		{clock, "takes 1970 for never", savingTimes(func(t time.Time) time.Time {
			if t.Unix() == 0 {
				return never
			}
			return t
		})},
		{clock, "takes never for 1970", savingTimes(func(t time.Time) time.Time {
			if t.IsZero() {
				return time.Unix(0, 0)
			}
			return t
		})},
		{user, "folds case", saving(func(rec *session.Record) { rec.User = strings.ToLower(rec.User) })},
		{user, "trims", saving(func(rec *session.Record) { rec.User = strings.TrimSpace(rec.User) })},
		{user, "composes accents", saving(func(rec *session.Record) {
			rec.User = strings.ReplaceAll(rec.User, "e\u0301", "é")
		})},
		{user, "keeps 254 bytes", saving(func(rec *session.Record) { rec.User = rec.User[:min(len(rec.User), 254)] })},
	}
}

func savingTimes(change func(time.Time) time.Time) change {
	return saving(func(rec *session.Record) {
		rec.CreatedAt, rec.SeenAt, rec.LoginAt = change(rec.CreatedAt), change(rec.SeenAt), change(rec.LoginAt)
	})
}
