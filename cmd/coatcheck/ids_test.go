package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/leftout"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// partial is a store whose lists have some records, and an error.
type partial struct {
	*memstore.Store
	records []*session.Record
	err     error
}

func (p *partial) Page(context.Context, string, int) ([]*session.Record, error) {
	return p.records, p.err
}

// Where nothing can be read, a whole id finds nothing either.
func TestAWholeIDIsAskedForWhereSomeRecordsCanBeRead(t *testing.T) {
	const id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	down := errors.New("connection refused")
	for _, row := range []struct {
		records []*session.Record
		asked   bool
	}{{nil, false}, {[]*session.Record{{ID: id}}, true}} {
		store := &partial{memstore.New(memstore.Options{}), row.records, down}
		m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		s := &site{Manager: m, cfg: &sessionconfig.Config{}, store: store}
		_, err = s.ids(t.Context(), []string{id[:12]})
		if !errors.Is(err, down) || code(err) != exitUnavailable ||
			strings.Contains(err.Error(), "give the whole id") != row.asked {
			t.Errorf("with %d records: %v, want the whole id asked for: %t", len(row.records), err, row.asked)
		}
	}
}

// broken is a store with records that no list has, one of which it tells twice, as when it reads a page once more.
type broken struct{ *memstore.Store }

func (broken) Page(ctx context.Context, _ string, _ int) ([]*session.Record, error) {
	for _, id := range []string{"aaaa1", "aaaa1", "", "bbbb1", "cccc1"} {
		leftout.Tell(ctx, id, "")
	}
	return []*session.Record{{ID: "bbbb2"}}, nil
}

func TestTheBeginningOfADamagedRecordsIDIsEnough(t *testing.T) {
	store := broken{memstore.New(memstore.Options{})}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()}, SweepEvery: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, kind := range []string{"database", "redis"} {
		s := &site{Manager: m, cfg: &sessionconfig.Config{Store: kind}, store: store}
		ids, err := s.ids(t.Context(), []string{"aaaa", "cccc", "dddd"})
		if got := strings.Join(ids, " "); err != nil || got != "aaaa1 cccc1 dddd" {
			t.Errorf("%s: the ids are %q, %v", kind, got, err)
		}
		if _, err := s.ids(t.Context(), []string{"bbbb"}); err == nil || !strings.Contains(err.Error(),
			"matches 2 sessions") || !strings.Contains(err.Error(), "bbbb1  -  Unknown device, damaged") {
			t.Errorf("%s: of two that begin so %v, want both", kind, err)
		}
	}
}
