package integration_test

import (
	"errors"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/integration/servers"
)

// A write whose answer was lost may have been done, and is not sent again: the second one would meet a conflict with
// the first, and what it does to the session would be done twice.
func TestServerIsSentAWriteOnceThatGotNoAnswer(t *testing.T) {
	eachWay(t, func(t *testing.T, s server) {
		store, seen, proxy := s.watchedThrough(t, s.table())
		rec := &session.Record{ID: "a", User: "ada"}
		save(t, store, rec)
		for range 2 { // the statement is prepared by then
			rec.Version++
			save(t, store, rec)
		}
		rec.Version++
		seen.take()
		proxy.Set(servers.Cut)
		proxy.Watch(func() func([]byte) { // of the next connection, which works again
			proxy.Set(servers.None)
			return s.reads(seen)
		})
		err := store.Save(t.Context(), rec)
		if got := seen.take(); err == nil || errors.Is(err, session.ErrConflict) || got != "UPDATE" {
			t.Errorf("Save without an answer = %v after %q, want an error after UPDATE", err, got)
		}
		if got := loaded(t, store, "a").Version; got != rec.Version && got != rec.Version+1 {
			t.Errorf("the record has version %d, want %d or one more", got, rec.Version)
		}
	})
}

// A record may be as large as Options.MaxBytes says, which is more than a network buffer or a page holds.
func TestPostgreSQLKeepsAHugeRecord(t *testing.T) {
	eachOf(t, []server{sqlServers[0], sqlServers[2]}, func(t *testing.T, s server) {
		store := s.store(t, s.open(t), s.table())
		data := make([]byte, 48<<20)
		data[len(data)-1] = 7
		save(t, store, &session.Record{ID: "a", Data: data})
		if got := loaded(t, store, "a").Data; len(got) != len(data) || got[len(got)-1] != 7 {
			t.Errorf("%d bytes came back of %d", len(got), len(data))
		}
	})
}
