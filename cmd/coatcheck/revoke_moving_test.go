package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// paged is a store that lists its records in the order of their ids, and lets something happen before each page but the
// first.
type paged struct {
	*memstore.Store
	between func(after string)
}

func (p *paged) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	if after != "" && p.between != nil {
		p.between(after)
	}
	all, err := p.Store.Page(ctx, "", 1<<20)
	all = slices.DeleteFunc(all, func(rec *session.Record) bool { return rec.ID <= after })
	slices.SortFunc(all, func(a, b *session.Record) int { return strings.Compare(a.ID, b.ID) })
	return all[:min(len(all), limit)], err
}

// inPages is a site with n sessions, and the ticket of each by its id. now is nil for the time of the machine.
func inPages(t *testing.T, n int, now func() time.Time) (*site, *paged, map[string]string) {
	t.Helper()
	store := &paged{Store: memstore.New(memstore.Options{})}
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()},
		SweepEvery: session.Never, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	tickets := map[string]string{}
	for range n {
		s := signedIn(t.Context(), t, m)
		tickets[s.ID()] = s.Token()
	}
	return &site{Manager: m, cfg: &sessionconfig.Config{Store: "memory"}, store: store}, store, tickets
}

// moveBefore gives a session new ids until one comes before another id. It returns the ticket.
func moveBefore(t *testing.T, m *session.Manager, id, ticket string) string {
	t.Helper()
	for first := true; first || strings.Compare(ticketID(t, m, ticket), id) > 0; first = false {
		s, err := m.Open(t.Context(), ticket)
		if err != nil {
			t.Fatal(err)
		}
		s.Regenerate()
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		ticket = s.Token()
	}
	return ticket
}

func ticketID(t *testing.T, m *session.Manager, ticket string) string {
	t.Helper()
	s, err := m.Open(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	return s.ID()
}

// forgetTraces removes what leads from former ids to sessions, as a server does after a while.
func forgetTraces(t *testing.T, store session.Store) {
	t.Helper()
	all, err := store.(session.Lister).Page(t.Context(), "", 1<<20)
	for _, rec := range all {
		if err == nil && rec.Kind != session.KindLive && rec.Successor != "" {
			err = store.Delete(t.Context(), rec.ID)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoSessionEscapesRevokeAllUnderANewID(t *testing.T) {
	for name, forgotten := range map[string]bool{"the old id leads to it": false, "nothing leads to it": true} {
		t.Run(name, func(t *testing.T) {
			site, store, tickets := inPages(t, 600, nil)
			last := slices.Max(keysOf(tickets))
			escaped := ""
			store.between = func(after string) {
				if escaped != "" {
					return
				}
				escaped = moveBefore(t, site.Manager, after, tickets[last])
				if forgotten {
					forgetTraces(t, store.Store)
				}
			}
			done, err := site.revoke(t.Context(), &tool{}, target{all: true, reason: "operator"}, true)
			if err != nil || done.ended != 600 {
				t.Errorf("revoke = %+v, %v, want each of 600 once", done, err)
			}
			if s, err := site.Open(t.Context(), escaped); err != nil || escaped == "" || !s.IsNew() {
				t.Errorf("the session that got a new id goes on, %v", err)
			}
		})
	}
}

func keysOf(tickets map[string]string) (ids []string) {
	for id := range tickets {
		ids = append(ids, id)
	}
	return ids
}

// A site on which somebody is always signing in must not keep the command busy for ever.
func TestRevokeAllEndsAlthoughNewSessionsBeginAllTheTime(t *testing.T) {
	site, store, _ := inPages(t, 600, nil)
	begun := 0
	store.between = func(string) {
		for range 100 {
			signedIn(t.Context(), t, site.Manager)
			begun++
		}
	}
	done, err := site.revoke(t.Context(), &tool{}, target{all: true}, true)
	if err != nil || done.ended < 600 || begun > 3000 {
		t.Errorf("revoke = %+v, %v, and %d sessions began meanwhile, want an end", done, err, begun)
	}
}

// The clock of the site stands still, so that what begins while the command runs seems to have been there before.
func TestRevokeAllSaysThatThereMayBeMore(t *testing.T) {
	now := time.Now()
	site, store, _ := inPages(t, 600, func() time.Time { return now })
	store.between = func(string) {
		for range 50 { // of which some come to lie where the walk has been
			signedIn(t.Context(), t, site.Manager)
		}
	}
	done, err := site.revoke(t.Context(), &tool{}, target{all: true, reason: "operator"}, true)
	want := fmt.Sprintf("after ending %d sessions: there may be more", done.ended)
	if done.ended <= 600 || err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("revoke = %+v, %v, want %q", done, err, want)
	}
}
