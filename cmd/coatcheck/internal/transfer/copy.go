package transfer

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
	"github.com/coatcheck/session/internal/leftout"
)

// Copied is what Copy did. It counts records: sessions, and renewed and retired ids.
type Copied struct {
	Copied    int       `json:"copied"`
	Updated   int       `json:"updated"`   // changed here after they were copied
	Removed   int       `json:"removed"`   // ended here after they were copied
	Unchanged int       `json:"unchanged"` // had been copied before
	Kept      int       `json:"kept"`      // the site has used the copy, or ended it: it stays as it is there
	Expired   int       `json:"expired"`   // not copied
	Verified  int       `json:"verified"`  // compared with the original, and equal
	Changed   int       `json:"changed"`   // since the last pass
	Gone      int       `json:"gone"`      // no longer there: ended, renewed, or lost
	Problems  []Problem `json:"problems"`
}

// Copying is a copy from one store to another.
type Copying struct {
	M        *session.Manager // of the target, with the secrets of both
	From, To session.Store
	Journal  *Journal

	pass int
	met  int // records that this pass has listed

	mu   sync.Mutex
	done Copied
	bad  map[string]bool // ids with a problem
	used bool            // the site works with the target already
}

// tombstoneLife is how long what ended stays behind as a retired id: long enough for a request that is under way.
const tombstoneLife = time.Minute

// Pass copies what is new or has changed, and ends copies whose original has ended. step is called for each record.
func (c *Copying) Pass(ctx context.Context, step func(int)) error {
	last, err := c.Journal.lastPass(ctx)
	if err != nil {
		return err
	}
	if last == 0 {
		if err := c.refuseSame(ctx); err != nil {
			return err
		}
	}
	c.pass, c.met = last+1, 0
	c.done.Problems, c.bad, c.done.Unchanged, c.done.Expired = []Problem{}, map[string]bool{}, 0, 0
	listing := leftout.Telling(ctx, func(id, place string) {
		c.problem(&session.Record{ID: id}, survey.Damaged(place))
	})
	err = batches(listing, c.From, func(batch []*session.Record) error {
		defer step(len(batch))
		c.met += len(batch)
		return c.batch(ctx, batch)
	})
	if err != nil || c.met == 0 { // a store that was emptied ends nobody's session
		return err
	}
	return c.removeEnded(ctx)
}

// ErrSame is returned when both stores are one: two names of it, or a store and a clone that was made by other means.
var ErrSame = errors.New("both stores have the same records already")

// refuseSame looks for a record that is byte for byte the same in both, which no copy ever is.
func (c *Copying) refuseSame(ctx context.Context) error {
	for listed, err := range survey.Records(ctx, c.From) {
		if err != nil {
			return err
		}
		if listed.Kind != session.KindLive {
			continue
		}
		here, _, err := load(ctx, c.From, listed.ID)
		if err != nil {
			return err
		}
		there, _, err := load(ctx, c.To, listed.ID)
		if err != nil {
			return err
		}
		if here != nil && there != nil && bytes.Equal(here.Data, there.Data) {
			return ErrSame
		}
		return nil // one is enough
	}
	return nil
}

// Done is what was done so far.
func (c *Copying) Done() *Copied { return &c.done }

// task is a record on its way.
type task struct {
	listed *session.Record
	known  entry // of an earlier pass; without ID when there is none
	copy   *session.Record
	keep   bool // it was copied, and is not to be made there again
}

// batch copies some records. What is about to be made is written down before, and what was made is afterwards: a run
// that ends in between is recognized by it.
func (c *Copying) batch(ctx context.Context, batch []*session.Record) error {
	known, err := c.Journal.find(ctx, idsOf(batch))
	if err != nil {
		return err
	}
	var tasks []*task
	var met []entry
	for _, rec := range batch {
		e, ok := known[rec.ID]
		switch {
		case over(rec, c.M.Now()):
			c.count(&c.done.Expired)
		case ok && e.Done && e.of(rec):
			c.count(&c.done.Unchanged)
			met = append(met, e)
		default:
			tasks = append(tasks, &task{listed: rec, known: e})
		}
	}
	if err := together(ctx, tasks, c.prepare); err != nil {
		return err
	}
	if err := c.Journal.put(ctx, c.pass, append(met, entries(tasks, false)...)); err != nil {
		return err
	}
	err = together(ctx, tasks, c.save)
	return errors.Join(err, c.Journal.put(context.WithoutCancel(ctx), c.pass, entries(tasks, true)))
}

// of reports whether an entry is of this state of the original.
func (e entry) of(rec *session.Record) bool {
	return e.Version == rec.Version && e.Seen == micro(rec.SeenAt)
}

func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// entries returns what is to be written down of tasks: before they are done, or after.
func entries(tasks []*task, after bool) (list []entry) {
	for _, t := range tasks {
		switch {
		case t.copy != nil && (!after || t.known.Done):
			e := t.known
			if !after {
				e.Done = false
			}
			list = append(list, e)
		case t.keep:
			list = append(list, t.known)
		}
	}
	return list
}

// prepare reads a record and its copy, and decides what becomes of it.
func (c *Copying) prepare(ctx context.Context, t *task) error {
	rec, reason, err := load(ctx, c.From, t.listed.ID)
	if err != nil || rec == nil && reason == "" {
		return err // it has ended since it was listed: the next pass finds its copy, if there is one
	}
	if reason != "" {
		c.problem(t.listed, reason)
		return nil
	}
	there, reason, err := load(ctx, c.To, rec.ID)
	if err != nil {
		return err
	}
	if reason != "" {
		c.problem(rec, reason+" in the store that it is copied to")
		return nil
	}
	version, ok := t.known.replaces(rec, there)
	if !ok {
		t.keep = t.known.ID != ""
		c.keep()
		return nil
	}
	if t.copy, err = c.M.Reseal(rec, version); err != nil {
		c.problem(rec, unopened)
		return nil
	}
	t.known = entry{ID: rec.ID, Version: rec.Version, Seen: micro(rec.SeenAt), Target: version + 1}
	return nil
}

// replaces returns the version that a new copy replaces, and whether it may: not where the site has used the copy, nor
// where it has ended it.
func (e entry) replaces(rec, there *session.Record) (version uint64, ok bool) {
	switch {
	case there == nil:
		return 0, e.ID == "" || !e.Done && e.Target == 1 // otherwise it was there
	case e.ID == "": // a copy without a journal, or none of ours: the one that was seen last knows more
		return there.Version, !there.SeenAt.After(rec.SeenAt)
	}
	return there.Version, e.untouched(there)
}

// untouched reports whether nobody but us has written the copy.
func (e entry) untouched(there *session.Record) bool {
	ours := there.Version == e.Target || !e.Done && there.Version+1 == e.Target
	return ours && micro(there.SeenAt) <= e.Seen
}

func (c *Copying) save(ctx context.Context, t *task) error {
	if t.copy == nil {
		return nil
	}
	err := c.To.Save(ctx, t.copy)
	switch {
	case err == nil && t.copy.Version == 0:
		c.count(&c.done.Copied)
	case err == nil:
		c.count(&c.done.Updated)
	case errors.Is(err, session.ErrNotFound), errors.Is(err, session.ErrConflict): // the site was faster
		c.keep()
	default:
		return unavailable(err)
	}
	t.known.Done = true
	return nil
}

func (c *Copying) count(n *int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*n++
}

func (c *Copying) keep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done.Kept++
	c.used = true
}

func (c *Copying) problem(rec *session.Record, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bad[rec.ID] = true
	c.done.Problems = append(c.done.Problems, Problem{rec.ID, rec.User, reason})
}
