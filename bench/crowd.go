//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// owner is a site that can list and end the sessions of a user.
type owner interface {
	list(ctx context.Context, user string) (int, error)
	revoke(ctx context.Context, user string) (int, error)
}

const (
	crowd    = 10_000      // sessions of others that are in the store as well
	mostFill = time.Minute // how long it may take to make the sessions of one point
)

// byDevices measures how long it takes to list all sessions of a user who has more and more of them, and to end them,
// in milliseconds. A curve ends where the next point would take too long.
func byDevices(ctx context.Context, at place, b *book, most int) (lists, revokes []curve, err error) {
	for _, l := range libraries() {
		if l.note != "" || !slices.Contains([]string{inMemory, inSQLite, inPostgreSQL}, l.store) {
			continue
		}
		s, end, err := l.openIn(ctx, at)
		if err != nil {
			return nil, nil, err
		}
		if o, ok := s.(owner); ok {
			list, revoke, err := l.devices(ctx, s, o, b, most)
			if err != nil {
				return nil, nil, fmt.Errorf("%s on %s: %w", l, l.store, cmp.Or(err, end()))
			}
			lists, revokes = append(lists, list), append(revokes, revoke)
		}
		if err := end(); err != nil {
			return nil, nil, err
		}
	}
	return lists, revokes, nil
}

// devices measures one library.
func (l library) devices(
	ctx context.Context, s site, o owner, b *book, most int,
) (list, revoke curve, err error) {
	list, revoke = curve{name: l.name + ", " + l.store}, curve{name: l.name + ", " + l.store}
	if err := signIn(ctx, s, "bob", min(crowd, most)); err != nil {
		return list, revoke, err
	}
	for n := 10; n <= most; n *= 10 {
		lists := figure{l.String(), l.store, fmt.Sprintf("list of %d sessions of a user", n)}
		ends := figure{l.String(), l.store, fmt.Sprintf("end of %d sessions of a user", n)}
		var filled time.Duration
		for range max(1, min(5, 5000/n)) {
			began := time.Now()
			if err := signIn(ctx, s, "ada", n); err != nil {
				return list, revoke, err
			}
			filled = time.Since(began)
			err := cmp.Or(b.once(lists, n, func() (int, error) { return o.list(ctx, "ada") }),
				b.once(ends, n, func() (int, error) { return o.revoke(ctx, "ada") }))
			if err != nil {
				return list, revoke, err
			}
		}
		list.points = append(list.points, point{float64(n), b.ns(lists.library, lists.store, lists.what) / 1e6})
		revoke.points = append(revoke.points, point{float64(n), b.ns(ends.library, ends.store, ends.what) / 1e6})
		if 10*filled > mostFill {
			break
		}
	}
	return list, revoke, nil
}

// signIn begins sessions of a user.
func signIn(ctx context.Context, s site, user string, sessions int) error {
	begin := s.on(loginAs(user))
	for range sessions {
		if _, _, err := begin.ask(""); err != nil {
			return cmp.Or(ctx.Err(), err)
		}
	}
	return ctx.Err()
}

// once measures what can be done once only, and is of so many sessions.
func (b *book) once(f figure, want int, run func() (int, error)) error {
	began := time.Now()
	n, err := run()
	took := time.Since(began)
	if err == nil && n != want {
		err = fmt.Errorf("%s: it was of %d", f.what, n)
	}
	b.samples[f] = append(b.samples[f], sample{ns: float64(took.Nanoseconds())})
	fmt.Fprintf(b.raw, "Benchmark/what=%s/store=%s/library=%s 1 %d ns/op\n", word(f.what), word(f.store),
		word(f.library), took.Nanoseconds())
	return err
}
