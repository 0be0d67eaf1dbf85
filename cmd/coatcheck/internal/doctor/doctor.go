// Package doctor looks whether a configuration, its store and its server are fit for sessions.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// The results of a check.
const (
	Pass = "pass"
	Warn = "warn"
	Fail = "fail"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Result string `json:"result"`
	Detail string `json:"detail"` // what was found, or what to change
}

// patient collects checks.
type patient struct {
	cfg    *sessionconfig.Config
	checks []Check
}

// add appends a check that passed, or ended as said.
func (p *patient) add(name string, ok bool, otherwise, detail string) {
	result := Pass
	if !ok {
		result = otherwise
	}
	p.checks = append(p.checks, Check{name, result, detail})
}

// Examine checks everything. open opens the store as the site has it.
func Examine(ctx context.Context, cfg *sessionconfig.Config, open func(context.Context) (*session.Manager, session.Store, error)) []Check {
	p := &patient{cfg: cfg}
	secrets, err := cfg.Secrets(ctx)
	if err != nil {
		p.add("secrets", false, Fail, err.Error())
		return p.checks
	}
	p.add("secrets", true, Fail, fmt.Sprintf("%d; the first signs, all verify", len(secrets)))
	for _, warning := range cfg.Warnings() {
		p.add("configuration", false, Warn, warning)
	}
	m, store, err := open(ctx)
	if err != nil {
		p.add("store", false, Fail, err.Error())
		return p.checks
	}
	p.add("store", true, Fail, cfg.Store+" answers")
	for _, f := range m.Audit() {
		p.add(f.Name, f.Pass, Warn, f.Advice)
	}
	p.latency(ctx, store)
	switch cfg.Store {
	case "database":
		p.database(ctx)
	case "redis":
		p.redis(ctx)
		p.endings(ctx, store)
	}
	return p.checks
}

const (
	slow    = 20 * time.Millisecond // for one round trip: each request that reads its session waits so long
	maxSkew = time.Second
)

// latency is the median of some reads of what is not there.
func (p *patient) latency(ctx context.Context, store session.Store) {
	times := make([]time.Duration, 11)
	for i := range times {
		begin := time.Now()
		_, err := store.Load(ctx, "coatcheck doctor")
		if err != nil && !errors.Is(err, session.ErrNotFound) && !errors.Is(err, session.ErrNotSupported) {
			p.add("latency", false, Fail, err.Error())
			return
		}
		times[i] = time.Since(begin)
	}
	slices.Sort(times)
	median := times[len(times)/2]
	p.add("latency", median < slow, Warn, fmt.Sprintf("a read takes %s; below %s is good: bring the store nearer to the site", median.Round(time.Microsecond), slow))
}

// skew compares a server's clock with ours, which was read before and after.
func (p *patient) skew(server, before, after time.Time) {
	off := max(before.Sub(server), server.Sub(after), 0)
	p.add("clock", off < maxSkew, Warn, fmt.Sprintf("this machine and the server are %s apart; below %s is good: synchronize their clocks",
		off.Round(time.Millisecond), maxSkew))
}
