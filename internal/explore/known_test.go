package explore_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/coatcheck/session/internal/explore"
)

// blobs keeps sessions as other libraries do: a request loads all of one, and at its end writes all of it back.
type blobs struct {
	x    *explore.Explorer
	data map[string]map[string]int
}

func (b *blobs) load(ctx context.Context, id string) map[string]int {
	b.x.Step(ctx, "load", id)
	return maps.Clone(b.data[id])
}

func (b *blobs) put(ctx context.Context, id string, data map[string]int) {
	b.x.Step(ctx, "save", id)
	b.data[id] = data
}

func (b *blobs) destroy(ctx context.Context, id string) {
	b.x.Step(ctx, "delete", id)
	delete(b.data, id)
}

// requests are what the ports below do.
func (b *blobs) increment(ctx context.Context) {
	if data := b.load(ctx, "id"); data != nil {
		data["n"]++
		b.put(ctx, "id", data)
	}
}

// The explorer finds what is known to go wrong in sessions that are written back whole, as those of scs and
// express-session are: otherwise it would prove nothing that it finds nothing here.
func TestTheExplorerFindsTheKnownFailures(t *testing.T) {
	x := &explore.Explorer{Preemptions: -1}
	for name, c := range map[string]struct {
		second func(*blobs, context.Context)
		check  func(*blobs) error
	}{
		"an update is lost": {
			second: (*blobs).increment,
			check: func(b *blobs) error {
				if b.data["id"]["n"] != 2 {
					return errors.New("an update is lost")
				}
				return nil
			},
		},
		"a session comes back after logout": {
			second: func(b *blobs, ctx context.Context) { b.destroy(ctx, "id") },
			check: func(b *blobs) error {
				if b.data["id"] != nil {
					return errors.New("a session comes back after logout")
				}
				return nil
			},
		},
		"a renewal logs the other request out": {
			second: func(b *blobs, ctx context.Context) {
				data := b.load(ctx, "id")
				b.destroy(ctx, "id")
				b.put(ctx, "renewed", data)
			},
			check: func(b *blobs) error {
				if b.data["renewed"]["n"] != 1 {
					return errors.New("a renewal logs the other request out")
				}
				return nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := x.Search(func() ([]func(context.Context), func() error, error) {
				b := &blobs{x: x, data: map[string]map[string]int{"id": {"n": 0}}}
				second := func(ctx context.Context) { c.second(b, ctx) }
				return []func(context.Context){b.increment, second}, func() error { return c.check(b) }, nil
			})
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("the explorer found %v, want that %s", err, name)
			}
		})
	}
}
