//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
)

// conduct is what a library does where it matters whether it is right.
type conduct struct {
	counted   float64 // share of acknowledged steps of one counter that are there in the end
	keys      float64 // the same, where every client writes a key of its own
	strangers int     // entries left by anonymous requests; -1 where nothing is kept
	revived   bool    // the ticket works again after a logout during another request
}

const (
	parallel  = 16
	steps     = 25
	strangers = 10_000
)

func judge(ctx context.Context, l library, at place) (c conduct, err error) {
	s, end, err := l.openIn(ctx, at)
	if err != nil {
		return c, err
	}
	defer func() {
		if closed := end(); err == nil {
			err = closed
		}
		if err != nil {
			err = fmt.Errorf("%s on %s: %w", l, l.store, err)
		}
	}()
	if c.counted, err = survivors(s, func(int) string { return counter }); err != nil {
		return c, err
	}
	if c.keys, err = survivors(s, func(client int) string { return "own" + strconv.Itoa(client) }); err != nil {
		return c, err
	}
	if c.strangers, err = leftBehind(s); err != nil {
		return c, err
	}
	c.revived, err = revives(s)
	return c, err
}

// jar is what all tabs of one browser share.
type jar struct {
	mu     sync.Mutex
	cookie string
}

func (j *jar) get() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cookie
}

func (j *jar) set(cookie string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cookie = cookie
}

// adder is a session that can count in one operation.
type adder interface{ Add(key string) int }

// add counts as well as the library can.
func add(key string) handler {
	return func(load func() Values) string {
		s := load()
		if a, ok := s.(adder); ok {
			return strconv.Itoa(a.Add(key))
		}
		n := s.Int(key) + 1
		s.SetInt(key, n)
		return strconv.Itoa(n)
	}
}

// survivors has clients of one browser count at the same time, and returns the share of acknowledged steps that are
// there in the end.
func survivors(s site, key func(client int) string) (float64, error) {
	_, first, err := s.on(func(load func() Values) string {
		load().Login("ada")
		return ""
	}).ask("")
	if err != nil {
		return 0, err
	}
	browser := &jar{cookie: first}
	var acknowledged atomic.Int64
	var all sync.WaitGroup
	for client := range parallel {
		e := s.on(add(key(client)))
		all.Go(func() {
			for range steps {
				if _, next, err := e.ask(browser.get()); err == nil {
					acknowledged.Add(1)
					browser.set(next)
				}
			}
		})
	}
	all.Wait()
	total := 0
	for client := range parallel {
		k := key(client)
		body, _, err := s.on(func(load func() Values) string { return strconv.Itoa(load().Int(k)) }).ask(browser.get())
		if err != nil {
			return 0, err
		}
		n, err := strconv.Atoi(body)
		if err != nil {
			return 0, err
		}
		if total += n; k == key(client+1) { // all count one
			break
		}
	}
	return float64(total) / float64(max(acknowledged.Load(), 1)), nil
}

func leftBehind(s site) (int, error) {
	before, err := s.entries()
	if err != nil || before < 0 {
		return -1, err
	}
	run := s.on(named("anonymous").do).repeat("")
	for range strangers {
		run()
	}
	after, err := s.entries()
	return after - before, err
}

// revives logs out while another request is under way, and reports whether the ticket works after that one has ended.
func revives(s site) (bool, error) {
	_, cookie, err := s.on(login).ask("")
	if err != nil {
		return false, err
	}
	loaded, proceed := make(chan struct{}), make(chan struct{})
	slow := s.on(func(load func() Values) string {
		v := load()
		n := v.Int(counter)
		close(loaded)
		<-proceed
		v.SetInt(counter, n+1)
		return ""
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _, _ = slow.ask(cookie) // that it fails is right
	}()
	<-loaded
	_, _, err = s.on(logout).ask(cookie)
	close(proceed)
	<-done
	body, _, asked := s.on(read).ask(cookie)
	return body != "0" && body != "", cmp.Or(err, asked)
}
