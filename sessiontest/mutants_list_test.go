package sessiontest_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coatcheck/session"
)

func live(rec *session.Record, user string) bool {
	return rec != nil && rec.Kind == session.KindLive && rec.User == user
}

var userMutants = []mutant{
	{"a user's list has all live records of exactly that user", "lists one", func(s *store) {
		s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
			recs, err := s.shelf.ByUser(ctx, user)
			return recs[:min(len(recs), 1)], err
		}
	}},
	{"a user's list has all live records of exactly that user", "lists each twice", func(s *store) {
		s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
			recs, err := s.shelf.ByUser(ctx, user)
			return append(recs, listed(recs)...), err
		}
	}},
	{"a user's list has all live records of exactly that user", "lists nil", func(s *store) {
		s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
			recs, err := s.shelf.ByUser(ctx, user)
			return append(recs, nil), err
		}
	}},
	{"users who look alike have lists of their own", "lists those whose name begins so",
		onListed(func(rec *session.Record, user string) bool {
			return rec.Kind == session.KindLive && strings.HasPrefix(rec.User, user)
		})},
	{"users who look alike have lists of their own", "folds case",
		onListed(func(rec *session.Record, user string) bool {
			return rec.Kind == session.KindLive && strings.EqualFold(rec.User, user)
		})},
	{"users who look alike have lists of their own", "trims", onListed(func(rec *session.Record, user string) bool {
		return rec.Kind == session.KindLive && strings.TrimRight(rec.User, " ") == strings.TrimRight(user, " ")
	})},
	{"a user's list is complete however long it is", "lists a hundred", func(s *store) {
		s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
			recs, err := s.shelf.ByUser(ctx, user)
			return recs[:min(len(recs), 100)], err
		}
	}},
	{"a user's list has no aliases and tombstones", "lists any kind",
		onListed(func(rec *session.Record, user string) bool { return rec.User == user })},
	{"a record leaves the list with its kind", "lists what was live before",
		onListed(func(rec *session.Record, user string) bool {
			return rec.User == user && (rec.Kind == session.KindLive || rec.Version > 1)
		})},
	{"a record moves to another list with its user", "goes by the first user", func(s *store) {
		var first sync.Map // id to user
		s.save = func(ctx context.Context, rec *session.Record) error {
			err := s.shelf.Save(ctx, rec)
			if err == nil {
				first.LoadOrStore(rec.ID, rec.User)
			}
			return err
		}
		onListed(func(rec *session.Record, user string) bool {
			was, ok := first.Load(rec.ID)
			return ok && was == user && rec.Kind == session.KindLive
		})(s)
	}},
	{"a record leaves the list with its delete", "lists what is gone", func(s *store) {
		gone := newShelf(0)
		s.remove = func(ctx context.Context, id string) error {
			if rec := s.get(id); rec != nil && ctx.Err() == nil {
				gone.put(rec)
			}
			return s.shelf.Delete(ctx, id)
		}
		s.byUser = func(ctx context.Context, user string) ([]*session.Record, error) {
			recs, err := s.shelf.ByUser(ctx, user)
			ghosts := gone.all(func(rec *session.Record) bool { return live(rec, user) && s.get(rec.ID) == nil })
			return append(recs, listed(ghosts)...), err
		}
	}},
	{"a refused save changes no list", "lists before it compares", func(s *store) {
		var owners sync.Map // id to user
		s.save = func(ctx context.Context, rec *session.Record) error {
			owners.Store(rec.ID, rec.User)
			return s.shelf.Save(ctx, rec)
		}
		onListed(func(rec *session.Record, user string) bool {
			owner, ok := owners.Load(rec.ID)
			return ok && owner == user && rec.Kind == session.KindLive
		})(s)
	}},
	{"a record is listed as soon as its save returned", "lists it after the next save", func(s *store) {
		var last atomic.Value
		last.Store("")
		s.save = func(ctx context.Context, rec *session.Record) error {
			last.Store(rec.ID)
			return s.shelf.Save(ctx, rec)
		}
		onListed(func(rec *session.Record, user string) bool { return live(rec, user) && rec.ID != last.Load() })(s)
	}},
	{"a record stays listed while it is saved again", "takes it out and puts it in again", func(s *store) {
		var out sync.Map // ids
		s.save = func(ctx context.Context, rec *session.Record) error {
			if rec.Version > 0 {
				out.Store(rec.ID, true)
				yield()
				defer out.Delete(rec.ID)
			}
			return s.shelf.Save(ctx, rec)
		}
		onListed(func(rec *session.Record, user string) bool {
			_, isOut := out.Load(rec.ID)
			return live(rec, user) && !isOut
		})(s)
	}},
	{"lists have every field but the data", "lists the data of a user", func(s *store) {
		s.byUser = func(_ context.Context, user string) ([]*session.Record, error) {
			var recs []*session.Record
			for _, rec := range s.all(func(rec *session.Record) bool { return user != "" && live(rec, user) }) {
				recs = append(recs, rec.Clone())
			}
			return recs, nil
		}
	}},
	{"lists have every field but the data", "pages without the browser",
		paging(func(recs []*session.Record) []*session.Record {
			for _, rec := range recs {
				rec.UserAgent = ""
			}
			return recs
		})},
	{"lists have every field but the data", "pages without the kind",
		paging(func(recs []*session.Record) []*session.Record {
			for _, rec := range recs {
				rec.Kind = session.KindLive
			}
			return recs
		})},
	{"lists have every field but the data", "pages without the predecessor",
		paging(func(recs []*session.Record) []*session.Record {
			for _, rec := range recs {
				if rec.Kind == session.KindLive {
					rec.Successor = ""
				}
			}
			return recs
		})},
	{"lists have every field but the data", "pages with the version of the first save",
		paging(func(recs []*session.Record) []*session.Record {
			for _, rec := range recs {
				rec.Version = 1
			}
			return recs
		})},
}

// paging changes pages.
func paging(change func([]*session.Record) []*session.Record) change {
	return func(s *store) {
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			recs, err := s.shelf.Page(ctx, after, limit)
			return change(recs), err
		}
	}
}

var pageMutants = []mutant{
	{"pages show every record once, of any kind", "shows what is live",
		paging(func(recs []*session.Record) []*session.Record {
			return slices.DeleteFunc(recs, func(rec *session.Record) bool { return rec.Kind != session.KindLive })
		})},
	{"pages show every record once, of any kind", "shows those with a user",
		paging(func(recs []*session.Record) []*session.Record {
			return slices.DeleteFunc(recs, func(rec *session.Record) bool { return rec.User == "" })
		})},
	{"pages show every record once, of any kind", "shows nil",
		paging(func(recs []*session.Record) []*session.Record { return append(recs, nil) })},
	{"a page has at most the limit, and fewer only at the end", "stops at fifty", func(s *store) {
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			return s.shelf.Page(ctx, after, min(limit, 50))
		}
	}},
	{"a page has at most the limit, and fewer only at the end", "shows one more", func(s *store) {
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			return s.shelf.Page(ctx, after, limit+1)
		}
	}},
	{"a page has at most the limit, and fewer only at the end", "begins with the id given", func(s *store) {
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			recs := listed(s.all(func(rec *session.Record) bool { return rec.ID >= after }))
			return recs[:min(limit, len(recs))], s.ready(ctx)
		}
	}},
	{"pages have one order", "shows in the order of the last saves", func(s *store) {
		var mu sync.Mutex
		var saves int
		order := map[string]int{} // of ids, gone ones too
		s.save = func(ctx context.Context, rec *session.Record) error {
			err := s.shelf.Save(ctx, rec)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				saves++
				order[rec.ID] = saves
			}
			return err
		}
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			mu.Lock()
			defer mu.Unlock()
			recs := listed(s.all(func(rec *session.Record) bool { return order[rec.ID] > order[after] }))
			slices.SortFunc(recs, func(x, y *session.Record) int { return order[x.ID] - order[y.ID] })
			return recs[:min(limit, len(recs))], s.ready(ctx)
		}
	}},
	{"a page begins after an id that is gone", "begins anew", func(s *store) {
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			if s.get(after) == nil {
				after = ""
			}
			return s.shelf.Page(ctx, after, limit)
		}
	}},
	{"a page begins after an id that is gone", "ends there", func(s *store) {
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			if after != "" && s.get(after) == nil {
				return nil, s.ready(ctx)
			}
			return s.shelf.Page(ctx, after, limit)
		}
	}},
	{"a walk shows what stays exactly once while others come and go", "counts from the beginning", func(s *store) {
		var ends sync.Map // id to how many records were shown with it
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			recs, start := listed(s.all(func(*session.Record) bool { return true })), 0
			if end, ok := ends.Load(after); ok {
				start = end.(int)
			}
			recs = recs[min(start, len(recs)):]
			recs = recs[:min(limit, len(recs))]
			if len(recs) > 0 {
				ends.Store(recs[len(recs)-1].ID, start+len(recs))
			}
			return recs, s.ready(ctx)
		}
	}},
	{"a walk shows what is saved meanwhile exactly once", "takes it out and puts it in again", func(s *store) {
		var out sync.Map // ids
		s.save = func(ctx context.Context, rec *session.Record) error {
			if rec.Version > 0 {
				out.Store(rec.ID, true)
				yield()
				defer out.Delete(rec.ID)
			}
			return s.shelf.Save(ctx, rec)
		}
		s.page = func(ctx context.Context, after string, limit int) ([]*session.Record, error) {
			recs := listed(s.all(func(rec *session.Record) bool {
				_, isOut := out.Load(rec.ID)
				return rec.ID > after && !isOut
			}))
			return recs[:min(limit, len(recs))], s.ready(ctx)
		}
	}},
}
