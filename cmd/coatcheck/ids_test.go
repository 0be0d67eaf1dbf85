package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/coatcheck/session"
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
