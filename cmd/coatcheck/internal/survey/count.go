// Package survey goes through all records of a store, to count them.
package survey

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/leftout"
)

const pageSize = 500

// Options say what Count is to find out.
type Options struct {
	Now    time.Time
	Sample int         // how many sessions are measured
	Users  int         // how many users are named
	Hours  int         // how far it looks ahead
	Step   func(n int) // called for each record
}

// Report is what Count found.
type Report struct {
	Live       int       `json:"live"`
	SignedIn   int       `json:"signed_in"`
	Anonymous  int       `json:"anonymous"`
	Expired    int       `json:"expired"`
	Aliases    int       `json:"renewed_ids"`
	Tombstones int       `json:"retired_ids"`
	Damaged    int       `json:"damaged"` // they open no session
	Users      int       `json:"users"`
	TopUsers   []User    `json:"top_users"`
	Sizes      Sizes     `json:"sizes"`
	From       time.Time `json:"from"`
	Ending     []int     `json:"ending_by_hour"` // in each hour after From
	Later      int       `json:"ending_later"`
	Never      int       `json:"ending_never"`
}

// User is a user with a number of sessions.
type User struct {
	User     string `json:"user"`
	Sessions int    `json:"sessions"`
}

// Sizes are of records as the store keeps them, in bytes.
type Sizes struct {
	Measured int `json:"measured"`
	Median   int `json:"median"`
	P95      int `json:"p95"`
	Largest  int `json:"largest"`
}

// Records goes through all records of a store that is a session.Lister, of any kind, without their data.
func Records(ctx context.Context, store session.Store) iter.Seq2[*session.Record, error] {
	return After(ctx, store, "")
}

// After goes through those that come after an id, in the order of the store. What the store cannot read is an error at
// the end.
func After(ctx context.Context, store session.Store, id string) iter.Seq2[*session.Record, error] {
	return func(yield func(*session.Record, error) bool) {
		lister, ok := store.(session.Lister)
		if !ok {
			yield(nil, fmt.Errorf("%w: the store cannot list its sessions", session.ErrNotSupported))
			return
		}
		var failed error
		for after, more := id, true; more; {
			page, err := lister.Page(ctx, after, pageSize)
			failed = cmp.Or(failed, err)
			for _, rec := range page {
				if after = rec.ID; !yield(rec, nil) {
					return
				}
			}
			more = len(page) == pageSize
		}
		if failed != nil {
			yield(nil, fmt.Errorf("%w: %w", session.ErrUnavailable, failed))
		}
	}
}

// counter is a report in the making.
type counter struct {
	Options
	report *Report
	users  map[string]int
	sizes  []int
}

// Count goes through the store. With an error comes the report of what could be read, nil if that is nothing.
func Count(ctx context.Context, store session.Store, opts Options) (*Report, error) {
	c := &counter{Options: opts, report: &Report{From: opts.Now.UTC(), Ending: make([]int, opts.Hours)},
		users: map[string]int{}}
	met := 0
	var failed error
	listing := leftout.Telling(ctx, func(string, string) { c.report.Damaged++ })
	for rec, err := range Records(listing, store) {
		if failed = err; err != nil {
			break
		}
		opts.Step(1)
		met++
		if !c.add(rec) || len(c.sizes) >= opts.Sample {
			continue
		}
		if err := c.measure(ctx, store, rec.ID); err != nil {
			return nil, err
		}
	}
	if failed != nil && (met == 0 || ctx.Err() != nil) {
		return nil, failed
	}
	c.finish()
	return c.report, failed
}

// add counts a record, and reports whether it is a live session.
func (c *counter) add(rec *session.Record) bool {
	r := c.report
	switch {
	case rec.Kind == session.KindAlias:
		r.Aliases++
		return false
	case rec.Kind == session.KindTombstone:
		r.Tombstones++
		return false
	case !rec.ExpiresAt.IsZero() && !rec.ExpiresAt.After(c.Now):
		r.Expired++
		return false
	}
	r.Live++
	if rec.User == "" {
		r.Anonymous++
	} else {
		r.SignedIn++
		c.users[rec.User]++
	}
	c.ends(rec.ExpiresAt)
	return true
}

func (c *counter) ends(at time.Time) {
	hour := int64(at.Sub(c.Now) / time.Hour)
	switch {
	case at.IsZero():
		c.report.Never++
	case hour >= int64(len(c.report.Ending)):
		c.report.Later++
	default:
		c.report.Ending[hour]++
	}
}

// measure looks at a whole record. Ids are hashes, so that the first ones listed are as good as any.
func (c *counter) measure(ctx context.Context, store session.Store, id string) error {
	rec, err := store.Load(ctx, id)
	switch {
	case err == nil:
		c.sizes = append(c.sizes, len(rec.Data))
	case !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrCorrupt):
		return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
	}
	return nil
}

func (c *counter) finish() {
	r := c.report
	r.Users, r.TopUsers = len(c.users), []User{}
	for user, n := range c.users {
		r.TopUsers = append(r.TopUsers, User{user, n})
	}
	slices.SortFunc(r.TopUsers, func(a, b User) int {
		return cmp.Or(cmp.Compare(b.Sessions, a.Sessions), cmp.Compare(a.User, b.User))
	})
	r.TopUsers = r.TopUsers[:min(len(r.TopUsers), c.Users)]
	if n := len(c.sizes); n > 0 {
		slices.Sort(c.sizes)
		r.Sizes = Sizes{n, c.sizes[n/2], c.sizes[n*95/100], c.sizes[n-1]}
	}
}
