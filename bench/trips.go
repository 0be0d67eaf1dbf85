//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// proxy passes connections on, as slowly as a network between two machines, and counts what goes through. Without the
// time that the network takes, whatever a client sends while it waits would now and then count as a trip of its own.
type proxy struct {
	listener net.Listener
	target   string

	mu           sync.Mutex
	trips, bytes int
}

func newProxy(target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, target: target}
	go p.serve()
	return p, nil
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // it is closed
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		asks := true // the client's turn
		go p.pass(server, client, func() {
			if asks {
				p.trips++
			}
			asks = false
		}, func() {})
		go p.pass(client, server, func() {}, func() { asks = true })
	}
}

// oneWay is what the network takes.
const oneWay = 250 * time.Microsecond

// pass copies one direction. A trip begins with what a client sends after the server's answer has come.
func (p *proxy) pass(to, from net.Conn, sent, arrived func()) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			p.count(sent, n)
			time.Sleep(oneWay)
			p.count(arrived, 0)
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) count(turn func(), bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	turn()
	p.bytes += bytes
}

// since returns what went through since the last call.
func (p *proxy) since() (trips, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	trips, bytes = p.trips, p.bytes
	p.trips, p.bytes = 0, 0
	return trips, bytes
}

// cost is what a request sends over the connection of its store, on average.
type cost struct{ trips, bytes float64 }

// trips measures libraries on servers.
func trips(ctx context.Context, l library, at place, proxies map[string]*proxy) (map[string]cost, error) {
	p := proxies[l.store]
	if p == nil {
		return nil, nil
	}
	s, end, err := l.openIn(ctx, at)
	if err != nil {
		return nil, err
	}
	small, _, err := tickets(s)
	if err != nil {
		return nil, cmp.Or(err, end())
	}
	found := map[string]cost{}
	for _, name := range []string{"untouched", "anonymous", "read", "write", "new"} {
		sc := named(name)
		run := s.on(sc.do).repeat(sc.cookie(small, ""))
		const warm, count = 20, 100
		for range warm { // connections, prepared statements, scripts
			run()
		}
		p.since()
		for range count {
			run()
		}
		t, b := p.since()
		found[name] = cost{float64(t) / count, float64(b) / count}
	}
	return found, end()
}

// through returns a place whose servers are behind proxies.
func through(at place) (place, map[string]*proxy, error) {
	proxies := map[string]*proxy{}
	for store, server := range map[string]*server{inPostgreSQL: &at.postgres, inMySQL: &at.mysql, inRedis: &at.redis} {
		p, err := newProxy(server.address)
		if err != nil {
			return at, nil, fmt.Errorf("a proxy for %s: %w", store, err)
		}
		proxies[store] = p
		behind := p.listener.Addr().String()
		server.dsn = strings.Replace(server.dsn, server.address, behind, 1)
		server.address = behind
	}
	return at, proxies, nil
}
