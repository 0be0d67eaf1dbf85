package sessionconfig

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cookiestore"
)

// openCookies opens the store, and the one that remembers what was ended, if there is one.
func (c *Config) openCookies(ctx context.Context) (session.Store, io.Closer, error) {
	opts := cookiestore.Options{MaxChunks: c.cookies.chunks, Compress: c.cookies.compress}
	closer := newCloser()
	if c.cookies.revocations != "" {
		other, err := c.WithStore(c.cookies.revocations)
		if err == nil {
			opts.Revocations, closer, err = other.OpenStore(ctx)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("sessionconfig: stores.cookies.revocations: %w", err)
		}
	}
	store, err := cookiestore.New(opts)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("sessionconfig: stores.cookies: %w", err), closer.Close())
	}
	return store, closer, nil
}

// checkRevocations refuses what the store would refuse.
func (b *builder) checkRevocations() {
	const at = "the configuration"
	c := b.cfg
	if _, err := cookiestore.New(cookiestore.Options{MaxChunks: c.cookies.chunks}); err != nil {
		b.refuse(at, "stores.cookies.max_chunks", show(c.cookies.chunks), err.Error())
	}
	switch name := c.cookies.revocations; name {
	case "":
	case storeCookies, storeNull:
		b.refuse(at, "stores.cookies.revocations", show(name), "name a store that keeps records")
	case storeMemory:
		if c.memory.max > 0 {
			b.refuse(at, "stores.memory.max_sessions", show(c.memory.max),
				"revocations must not be forgotten: 0, or name another store in stores.cookies.revocations")
		}
	default:
		other := *c
		other.Store = name
		(&builder{cfg: &other, from: b.from}).checkInto(b)
	}
}

// checkInto checks the store, and tells another builder what is wrong.
func (b *builder) checkInto(to *builder) {
	b.checkStore()
	to.problems = append(to.problems, b.problems...)
}
