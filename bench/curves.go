//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// point is one measurement of a curve.
type point struct{ x, y float64 }

// curve is what one library makes of a growing load.
type curve struct {
	name   string
	points []point
}

// byKeys measures a read and a write of one key in sessions with more and more keys, in microseconds.
func byKeys(ctx context.Context, at place, b *book) (list []curve, err error) {
	for _, l := range libraries() {
		if l.store != inMemory {
			continue
		}
		reads, writes := curve{name: l.name + ", read"}, curve{name: l.name + ", write"}
		s, end, err := l.openIn(ctx, at)
		if err != nil {
			return nil, err
		}
		for _, keys := range []int{1, 10, 50, 200, 1000} {
			_, cookie, err := s.on(fillWith(keys)).ask("")
			if err != nil {
				return nil, cmp.Or(err, end())
			}
			for c, do := range map[*curve]handler{&reads: read, &writes: write} {
				f := figure{l.String(), l.store, fmt.Sprintf("%s of %d keys", c.name, keys)}
				b.time(f, s.on(do).repeat(cookie))
				c.points = append(c.points, point{float64(keys), b.ns(f.library, f.store, f.what) / 1000})
			}
		}
		if err := end(); err != nil {
			return nil, err
		}
		list = append(list, reads, writes)
	}
	return list, nil
}

// sampled is how many of the sessions are asked for in turn.
const sampled = 1024

// bySessions measures a read among more and more sessions, in microseconds.
func bySessions(ctx context.Context, at place, b *book, most int) (list []curve, err error) {
	for _, l := range libraries() {
		if l.store != inMemory && l.store != inSQLite {
			continue
		}
		c := curve{name: l.name + ", " + l.store}
		s, end, err := l.openIn(ctx, at)
		if err != nil {
			return nil, err
		}
		have, runs := 0, make([]func(), sampled)
		for n := 1000; n <= most; n *= 10 {
			begin, ask := s.on(login), s.on(read)
			for ; have < n; have++ {
				_, cookie, err := begin.ask("")
				if err != nil {
					return nil, cmp.Or(err, end())
				}
				runs[have%sampled] = ask.repeat(cookie) // the last of them in the end
			}
			runs := runs[:min(n, sampled)]
			turn := 0
			f := figure{l.String(), l.store, fmt.Sprintf("read of one of %d sessions", n)}
			b.time(f, func() {
				if run := runs[turn%len(runs)]; run != nil {
					run()
				}
				turn += 7
			})
			c.points = append(c.points, point{float64(n), b.ns(f.library, f.store, f.what) / 1000})
		}
		if err := end(); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// byClients measures requests in a second, of which every fifth writes, from more and more clients with a session each.
func byClients(ctx context.Context, at place, lasts time.Duration) (list []curve, err error) {
	for _, l := range libraries() {
		if l.store != inMemory && l.store != inPostgreSQL && l.store != inRedis {
			continue
		}
		c, err := ofClients(ctx, l, at, lasts)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func ofClients(ctx context.Context, l library, at place, lasts time.Duration) (c curve, err error) {
	c.name = l.String() + ", " + l.store
	together, err := apart(l.store)
	if err != nil {
		return c, err
	}
	defer func() { err = cmp.Or(err, together()) }()
	s, end, err := l.openIn(ctx, at)
	if err != nil {
		return c, err
	}
	defer func() { err = cmp.Or(err, end()) }()
	for _, clients := range []int{1, 4, 16, 64} {
		n, err := throughput(s, clients, lasts)
		if err != nil {
			return c, err
		}
		c.points = append(c.points, point{float64(clients), n})
	}
	return c, nil
}

func throughput(s site, clients int, lasts time.Duration) (float64, error) {
	var requests atomic.Int64
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range clients {
		_, cookie, err := s.on(login).ask("")
		if err != nil {
			return 0, err
		}
		read, write := s.on(read).repeat(cookie), s.on(write).repeat(cookie)
		all.Go(func() {
			for n := 1; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if n%5 == 0 {
					write()
				} else {
					read()
				}
				requests.Add(1)
			}
		})
	}
	requests.Store(0)
	time.Sleep(lasts)
	n := requests.Load()
	close(stop)
	all.Wait()
	return float64(n) / lasts.Seconds(), nil
}
