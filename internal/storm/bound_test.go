package storm_test

import (
	"slices"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/internal/storm"
)

// The answer to the save of a record that was to take over was lost, and the old id then moved elsewhere. Until the
// record is removed it is one more session to the store, which may drop one more for it.
func TestAMoveThatNobodyDecidedMakesTheStoreDropOneMore(t *testing.T) {
	live := func(id, before string) *session.Record {
		return &session.Record{ID: id, Kind: session.KindLive, Successor: before}
	}
	put := []*session.Record{
		live("a", ""), live("b", ""), live("c", ""), live("d", ""),
		live("lost", "c"), live("moved", "c"),
		{ID: "c", Kind: session.KindTombstone, Version: 1, Successor: "moved"},
	}
	if err := storm.Dropped(2, put, "a", "b", "moved"); err != nil {
		t.Errorf("three of four sessions and a lost move: %v", err)
	}
	decided := slices.DeleteFunc(put, func(rec *session.Record) bool { return rec.ID == "lost" })
	if storm.Dropped(2, decided, "a", "b", "moved") == nil {
		t.Error("a store for two may not drop three of four sessions")
	}
}
