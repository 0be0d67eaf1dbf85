// Package doctor looks whether a configuration, its store and its server are fit for sessions.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// The results of a check.
const (
	Pass     = "pass"
	Warn     = "warn"
	Fail     = "fail"
	Accepted = "accepted" // what did not pass, and somebody chose
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Result string `json:"result"`
	Detail string `json:"detail"`           // both of what follows
	Found  string `json:"found,omitempty"`  // on which server, where there are several
	Advice string `json:"advice,omitempty"` // what to change, where it did not pass
}

// patient collects checks.
type patient struct {
	cfg    *sessionconfig.Config
	node   string // which of several servers is looked at
	checks []Check
}

// add appends a check: what was found, and where it is not good, what to change. What several servers have alike is
// told once.
func (p *patient) add(name string, ok bool, otherwise, found, advice string) {
	c := Check{name, Pass, found, found, ""}
	if !ok {
		c.Result, c.Found, c.Advice = otherwise, join(": ", p.node, found), advice
		c.Detail = join("; ", c.Found, advice)
	}
	if !slices.Contains(p.checks, c) {
		p.checks = append(p.checks, c)
	}
}

func join(between, a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + between + b
}

// Examine checks everything. open opens the store as the site has it.
func Examine(
	ctx context.Context, cfg *sessionconfig.Config, open func(context.Context) (*session.Manager, session.Store, error),
) []Check {
	p := &patient{cfg: cfg}
	secrets, err := cfg.Secrets(ctx)
	if err != nil {
		p.add("secrets", false, Fail, err.Error(), "")
		return p.checks
	}
	p.add("secrets", true, Fail, fmt.Sprintf("%d; the first signs, and all of them verify", len(secrets)), "")
	for _, warning := range cfg.Warnings() {
		p.add("configuration", false, Warn, warning, "")
	}
	m, store, err := open(ctx)
	if err != nil {
		var done func()
		m, store, done = p.older(ctx, secrets, err)
		defer done()
	}
	if m == nil {
		p.add("store", false, Fail, err.Error(), "")
		return p.checks
	}
	p.add("store", true, Fail, cfg.Store+" answers", "")
	if _, err := cfg.Bind(m, http.NotFoundHandler()); err != nil {
		p.add("device_bound", false, Fail, err.Error(), "")
	}
	p.audit(m.Audit())
	if cfg.Store == "cookies" {
		p.revocations(ctx)
		return p.checks
	}
	p.server(ctx, store)
	return p.checks
}

// server looks at the store that keeps records, and at the server behind it.
func (p *patient) server(ctx context.Context, store session.Store) {
	p.latency(ctx, store)
	p.writes(ctx, store)
	switch p.cfg.Store {
	case "database":
		p.database(ctx)
	case "redis":
		p.redis(ctx)
		p.endings(ctx, store)
	}
}

// revocations looks at the store that remembers what was ended, where sessions travel in cookies.
func (p *patient) revocations(ctx context.Context) {
	const key = "stores.cookies.revocations"
	name := p.cfg.Place().Store
	if name == "" {
		return // the audit has told what that means
	}
	other, err := p.cfg.WithStore(name)
	if err != nil {
		p.add(key, false, Fail, err.Error(), "")
		return
	}
	store, closer, err := other.OpenStore(ctx)
	if err != nil {
		p.add(key, false, Fail, err.Error(), "")
		return
	}
	p.cfg = other
	p.server(ctx, store)
	_ = closer.Close() // everything was read
}

const (
	slow    = 20 * time.Millisecond // for one round trip: each request that reads its session waits so long
	maxSkew = time.Second
)

// nobody is an id that no session has.
const nobody = "coatcheck doctor"

// latency is the median of some reads of what is not there.
func (p *patient) latency(ctx context.Context, store session.Store) {
	times := make([]time.Duration, 11)
	for i := range times {
		begin := time.Now()
		_, err := store.Load(ctx, nobody)
		if err != nil && !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrNotSupported) {
			p.add("latency", false, Fail, err.Error(), "")
			return
		}
		times[i] = time.Since(begin)
	}
	slices.Sort(times)
	median := times[len(times)/2]
	p.add("latency", median < slow, Warn, fmt.Sprintf("a read takes %s", median.Round(time.Microsecond)),
		fmt.Sprintf("below %s is good: move the store closer to the site", slow))
}

// writes deletes what is not there. That changes nothing, and a server that takes no writes refuses it all the same. A
// file system does not: to remove a file that is not there needs no right to write.
func (p *patient) writes(ctx context.Context, store session.Store) {
	err := store.Delete(ctx, nobody)
	if errors.Is(err, session.ErrNotSupported) {
		return
	}
	if at := p.cfg.Place(); err == nil && at.Store == "file" {
		err = mayWrite(at.Path)
	}
	found := "it accepted the removal of a session that does not exist"
	if err != nil {
		found = err.Error()
	}
	p.add("writes", err == nil, Fail, found, "nobody can sign in or out until the store takes writes")
}

// skew compares a server's clock with ours, which was read before and after.
func (p *patient) skew(server, before, after time.Time) {
	off := max(before.Sub(server), server.Sub(after), 0)
	p.add("clock", off < maxSkew, Warn,
		fmt.Sprintf("this machine and the server are %s apart", off.Round(time.Millisecond)),
		fmt.Sprintf("below %s is good: synchronize their clocks", maxSkew))
}

// dsn is the key that says how the store reaches its server.
func (p *patient) dsn() string {
	return "connections." + cmp.Or(p.cfg.Connection().Name, "NAME") + ".dsn"
}
