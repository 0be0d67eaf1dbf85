//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
)

// opened is a library on its store, with two sessions. The large one is "" where it does not fit.
type opened struct {
	library
	site
	small, large string
}

// side is what is open at the same time, to be measured in turns.
type side struct {
	sites    []opened
	commands *raw // nil where there are none
	ends     []func() error
}

// openSide opens all libraries of a store, and its raw commands.
func openSide(ctx context.Context, store string, at place) (s *side, err error) {
	s = &side{commands: &raw{}}
	defer func() {
		if err != nil {
			err = cmp.Or(err, s.end())
		}
	}()
	for _, l := range librariesOn(store) {
		site, end, err := l.openIn(ctx, at)
		if err != nil {
			return s, err
		}
		s.ends = append(s.ends, end)
		o := opened{library: l, site: site}
		if o.small, o.large, err = tickets(site); err != nil {
			return s, fmt.Errorf("%s on %s: %w", l, store, err)
		}
		s.sites = append(s.sites, o)
	}
	if !slices.Contains(withCommands, store) {
		return s, nil
	}
	if at.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return s, err
	}
	s.ends = append(s.ends, func() error { return os.RemoveAll(at.dir) })
	if s.commands, err = rawOf(store, at); err != nil {
		return s, err
	}
	s.ends = append(s.ends, s.commands.close)
	return s, s.commands.put()
}

// end closes everything, the last that was opened first.
func (s *side) end() (err error) {
	for _, end := range slices.Backward(s.ends) {
		err = cmp.Or(err, end())
	}
	return err
}

// byStore measures all libraries of a store once.
func (b *book) byStore(ctx context.Context, store string, at place) (failed error) {
	together, err := apart(store)
	if err != nil {
		return err
	}
	defer func() { failed = cmp.Or(failed, together()) }()
	s, err := openSide(ctx, store, at)
	if err != nil {
		return err
	}
	err = cmp.Or(b.inProcess(ctx, store, s), b.overHTTP(ctx, store, s))
	return cmp.Or(err, s.end())
}

// inProcess measures all scenarios, without a network between the request and the handler.
func (b *book) inProcess(ctx context.Context, store string, s *side) (failed error) {
	for _, l := range s.sites {
		b.cookies[figure{l.String(), store, ""}] = len(l.small)
	}
	for _, sc := range scenarios {
		if err := ctx.Err(); err != nil {
			return err
		}
		var all []contender
		for _, l := range s.sites {
			if sc.large && l.large == "" {
				continue // it does not fit into a cookie
			}
			all = append(all, contender{figure{l.String(), store, sc.name},
				l.on(sc.do).repeat(sc.cookie(l.small, l.large))})
		}
		if command := s.commands.of(sc.name); command != nil {
			all = append(all, contender{figure{rawCommand, store, sc.name},
				func() { failed = cmp.Or(failed, command()) }})
		}
		b.compare(all)
	}
	return failed
}

// overHTTP measures reads and writes through a connection on loopback.
func (b *book) overHTTP(ctx context.Context, store string, s *side) error {
	for _, name := range []string{"read", "write"} {
		if err := b.served(ctx, store, name, s); err != nil {
			return err
		}
	}
	return nil
}

func (b *book) served(ctx context.Context, store, name string, s *side) (failed error) {
	what := name + " over HTTP"
	bare, stop, err := client(ctx, bareEntry, "session=x", &failed)
	if err != nil {
		return err
	}
	defer stop()
	all := []contender{{figure{bareHandler, store, "over HTTP"}, bare}}
	for _, l := range s.sites {
		run, stop, err := client(ctx, l.on(named(name).do), l.small, &failed)
		if err != nil {
			return err
		}
		defer stop()
		all = append(all, contender{figure{l.String(), store, what}, run})
	}
	b.compare(all)
	return failed
}

// client serves an entry, and returns a function that asks it over a connection that is kept. The first failure stays
// in failed.
func client(ctx context.Context, e entry, cookie string, failed *error) (run, stop func(), err error) {
	url, closed, err := e.listen()
	if err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/", nil)
	if err != nil {
		closed()
		return nil, nil, err
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	c := &http.Client{Transport: &http.Transport{}}
	run = func() {
		resp, err := c.Do(r)
		if err != nil {
			*failed = cmp.Or(*failed, err)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	return run, func() { c.CloseIdleConnections(); closed() }, nil
}

var bareEntry = httpEntry{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, "ok") })}

// floor measures what no session library can go below: a handler without a session, and the check of a signed cookie.
func (b *book) floor() {
	b.compare([]contender{
		{figure{bareHandler, "", "in the process"}, bareEntry.repeat("session=x")},
		{figure{signedCookie, "", "in the process"}, checkSigned()},
	})
}
