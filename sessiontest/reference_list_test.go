package sessiontest_test

import (
	"context"
	"slices"
	"time"

	"github.com/coatcheck/session"
)

func (b *shelf) tell(dropped *session.Record) {
	if dropped == nil {
		return
	}
	b.mu.Lock()
	fns := slices.Clone(b.fns)
	b.mu.Unlock()
	for _, fn := range fns {
		(*fn)(dropped.ID, dropped.User)
	}
}

func (b *shelf) Sweep(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := b.ready(ctx); err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for id, rec := range b.recs {
		if n < limit && !rec.ExpiresAt.IsZero() && rec.ExpiresAt.Before(before) {
			delete(b.recs, id)
			n++
		}
	}
	return n, nil
}

func (b *shelf) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	return listed(b.all(func(rec *session.Record) bool {
		return rec.Kind == session.KindLive && user != "" && rec.User == user
	})), nil
}

func (b *shelf) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	if err := b.ready(ctx); err != nil {
		return nil, err
	}
	recs := listed(b.all(func(rec *session.Record) bool { return rec.ID > after }))
	return recs[:min(limit, len(recs))], nil
}

// listed are copies without data.
func listed(recs []*session.Record) []*session.Record {
	heads := make([]*session.Record, 0, len(recs))
	for _, rec := range recs {
		c := *rec
		c.Data = nil
		heads = append(heads, &c)
	}
	return heads
}

func (b *shelf) Forgets() string {
	if b.max == 0 {
		return ""
	}
	return "drops records when it is full"
}

func (b *shelf) OnEvict(fn func(id, user string)) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fns = append(b.fns, &fn)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.fns = slices.DeleteFunc(b.fns, func(f *func(id, user string)) bool { return f == &fn })
	}
}
