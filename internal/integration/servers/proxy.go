//go:build linux

package servers

import (
	"net"
	"sync"
	"testing"
	"time"
)

// A Fault is what a Proxy does to the connections through it.
type Fault int

// The faults.
const (
	None   Fault = iota
	Refuse       // ends every connection, and each new one at once
	Hang         // passes nothing on, and keeps the connections
	Cut          // passes on half of the next answer of the server on each connection, and ends it
	Delay        // passes answers on a little later
)

// Proxy stands between a client and a server. It passes everything on, counts, and does harm when asked.
type Proxy struct {
	Addr   string
	target string
	l      net.Listener

	mu     sync.Mutex
	fault  Fault
	change chan struct{} // closed when the fault changes
	conns  map[net.Conn]struct{}
	watch  func() func([]byte)
	all    sync.WaitGroup
}

// NewProxy starts a proxy to the address. It is closed with the test.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, l: l, change: make(chan struct{}),
		conns: map[net.Conn]struct{}{}}
	p.all.Go(p.serve)
	t.Cleanup(p.Close)
	return p
}

// Watch calls fn for each new connection, and what it returns for everything that the client sends there.
func (p *Proxy) Watch(fn func() func(sent []byte)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch = fn
}

// Set makes the fault, or with None ends it.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	close(p.change)
	p.change = make(chan struct{})
	if f == Refuse {
		p.endAll()
	}
}

func (p *Proxy) endAll() {
	for c := range p.conns {
		c.Close()
	}
}

// Conns is the number of connections that the proxy has: two for each client.
func (p *Proxy) Conns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Close ends all connections and waits for them.
func (p *Proxy) Close() {
	p.l.Close()
	p.Set(Refuse)
	p.all.Wait()
}

func (p *Proxy) serve() {
	for {
		client, err := p.l.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.connect(client) })
	}
}

func (p *Proxy) connect(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil || !p.keep(client, server) {
		client.Close()
		if server != nil {
			server.Close()
		}
		return
	}
	defer p.drop(client, server)
	var sent func([]byte)
	if p.watch != nil {
		sent = p.watch()
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client, sent, false) })
	both.Go(func() { p.pass(client, server, nil, true) })
	both.Wait()
}

func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault == Refuse {
		return false
	}
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return true
}

func (p *Proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(p.conns, c)
	}
}

// pass copies until one side ends, and then ends the other.
func (p *Proxy) pass(to, from net.Conn, sent func([]byte), answer bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			half := p.harm(n, answer)
			if sent != nil {
				sent(buf[:n])
			}
			if _, err := to.Write(buf[:half]); err != nil || half < n {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// harm waits as long as the fault says, and returns how many of n bytes may pass.
func (p *Proxy) harm(n int, answer bool) int {
	for {
		p.mu.Lock()
		fault, change := p.fault, p.change
		p.mu.Unlock()
		switch {
		case fault == Hang:
			<-change
		case fault == Cut && answer:
			return n / 2
		case fault == Delay && answer:
			time.Sleep(20 * time.Millisecond)
			return n
		default:
			return n
		}
	}
}
