package life_test

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
)

// shelf is a store in a map. fails is asked before a record is saved; what it returns is the answer, and stored says
// whether the record is saved all the same.
type shelf struct {
	mu    sync.Mutex
	recs  map[string]*life.Record
	fails func(rec *life.Record) (err error, stored bool)
	keeps error  // the answer to a delete, which then deletes nothing
	after func() // called after a save that failed and stored nothing; may be nil
	calls int
}

func (s *shelf) Load(_ context.Context, id string) (*life.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if rec := s.recs[id]; rec != nil {
		return rec.Clone(), nil
	}
	return nil, life.ErrNotFound
}

func (s *shelf) Save(_ context.Context, rec *life.Record) error {
	err, lost := s.save(rec)
	if after := s.after; lost && after != nil {
		after()
	}
	return err
}

func (s *shelf) save(rec *life.Record) (err error, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	var answer error
	if s.fails != nil {
		err, stored := s.fails(rec)
		if err != nil && !stored {
			return err, true
		}
		answer = err
	}
	switch old := s.recs[rec.ID]; {
	case old == nil && rec.Version > 0:
		return life.ErrNotFound, false
	case old != nil && old.Version != rec.Version:
		return &life.Conflict{Newest: old.Clone(), Err: life.ErrConflict}, false
	}
	kept := rec.Clone()
	kept.Version++
	s.recs[rec.ID] = kept
	return answer, false
}

func (s *shelf) Delete(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.keeps != nil {
		return s.keeps
	}
	delete(s.recs, id)
	return nil
}

func (s *shelf) Touch(context.Context, string, uint64, time.Time, time.Time) error { return nil }

func (s *shelf) ByUser(_ context.Context, user string) (list []*life.Record, err error) {
	for _, rec := range s.all() {
		if rec.User == user && rec.Kind == life.KindLive {
			list = append(list, rec)
		}
	}
	return list, nil
}

func (s *shelf) Page(context.Context, string, int) ([]*life.Record, error) { return s.all(), nil }

func (s *shelf) all() (list []*life.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for rec := range maps.Values(s.recs) {
		list = append(list, rec.Clone())
	}
	return list
}

// live counts the records that are sessions.
func (s *shelf) live() (n int) {
	for _, rec := range s.all() {
		if rec.Kind == life.KindLive {
			n++
		}
	}
	return n
}

// world is a keeper with a clock of its own.
type world struct {
	*life.Keeper
	t     *testing.T
	shelf *shelf
	now   time.Time
	told  []life.Event
}

func newWorld(t *testing.T, change ...func(*life.Rules)) *world {
	w := &world{t: t, shelf: &shelf{recs: map[string]*life.Record{}}}
	w.now = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	ring := keys.NewRing([][]byte{bytes.Repeat([]byte{7}, 32)})
	rules := life.Rules{
		Data: data.Rules{Codec: data.JSON{}, MaxBytes: 1 << 10},
		Now:  func() time.Time { return w.now },
		Idle: time.Hour, Lifetime: 24 * time.Hour, RenewGrace: time.Minute, TouchEvery: time.Minute,
		WatchEvery: time.Second,
		Names:      []string{"ticket"}, Ring: func() keys.Ring { return ring },
		Logger: slog.New(slog.DiscardHandler), StoreType: "a shelf",
		Tell:    func(_ context.Context, events ...life.Event) { w.told = append(w.told, events...) },
		Explain: func(err error) error { return err },
	}
	for _, c := range change {
		c(&rules)
	}
	w.Keeper = life.New(w.shelf, life.Abilities{Toucher: w.shelf, Lister: w.shelf}, rules)
	t.Cleanup(w.Close)
	return w
}

// find begins a draft as a request with that token does.
func (w *world) find(token string) (*life.Draft, life.Arrival) {
	w.t.Helper()
	d := new(life.Draft)
	d.Begin(w.Keeper, nil)
	found, err := d.Find(w.t.Context(), token, nil)
	if err != nil {
		w.t.Fatalf("Find = %v", err)
	}
	return d, found
}

// stored makes a session with a value, and returns its token.
func (w *world) stored(path string) string {
	w.t.Helper()
	d, _ := w.find("")
	d.Do(set(w.t, path, "1"))
	w.commit(d)
	return d.Token()
}

func (w *world) commit(d *life.Draft) {
	w.t.Helper()
	if err := d.Commit(w.t.Context(), life.Mode{CanTell: true}); err != nil {
		w.t.Fatalf("Commit = %v", err)
	}
}

// has reports whether a session that a token opens has all of the values.
func (w *world) has(token string, paths ...string) bool {
	w.t.Helper()
	d, _ := w.find(token)
	for _, text := range paths {
		if !d.Doc.Has(data.JSON{}, parse(w.t, text)) {
			return false
		}
	}
	return true
}

func set(t *testing.T, path, raw string) data.Op {
	t.Helper()
	return data.Op{Kind: data.OpSet, Path: parse(t, path), Raw: []byte(raw)}
}

func parse(t *testing.T, text string) data.Path {
	t.Helper()
	p, err := data.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
