package carried_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/coatcheck/session/internal/carried"
	"github.com/coatcheck/session/internal/data"
	"github.com/coatcheck/session/internal/envelope"
	"github.com/coatcheck/session/internal/keys"
	"github.com/coatcheck/session/internal/life"
)

// desk is records and what they remember.
type desk struct {
	*carried.Records
	t     *testing.T
	notes *notes
}

func newDesk(t *testing.T) desk {
	s := newNotes()
	return desk{newRecords(keys.NewRing([][]byte{bytes.Repeat([]byte{7}, 32)}), s), t, s}
}

// sealed is the token of a new session of a user, which is as old as the clock.
func (d desk) sealed(user string) life.Place {
	d.t.Helper()
	at := life.Place{Ticket: keys.NewTicket()}
	at.Rec = &life.Record{
		ID: at.Ticket.ID(), User: user, SeenAt: d.notes.now, ExpiresAt: d.notes.now.Add(time.Hour),
	}
	st := data.NewState(envelope.Header{Created: d.notes.now.UnixMicro()}, nil, 0)
	next, err := d.Seal(at, &st)
	if err != nil {
		d.t.Fatal(err)
	}
	return next
}

// look opens a token as a request does that begins, or one that is under way.
func (d desk) look(token string, begins bool) (life.Place, error) {
	d.t.Helper()
	at, err := d.Parse(token)
	if err != nil {
		d.t.Fatal(err)
	}
	_, _, err = d.Look(d.t.Context(), &at, begins, nil)
	return at, err
}

// renew gives the session a new id, as another request does.
func (d desk) renew(at life.Place) (next life.Place) {
	d.t.Helper()
	next = d.sealed(at.Rec.User)
	alias := &life.Record{ID: at.Rec.ID, Kind: life.KindAlias, Successor: next.Rec.ID, SeenAt: d.notes.now}
	alias.Data = keys.SealTicket(at.Ticket, next.Ticket, at.Rec.ID, next.Rec.ID)
	if err := d.notes.Save(d.t.Context(), alias); err != nil {
		d.t.Fatal(err)
	}
	return next
}

// A token is a session until its id is retired.
func TestATokenEndsWithItsID(t *testing.T) {
	d := newDesk(t)
	first, second := d.sealed(""), d.sealed("")
	e := life.Ending{Why: life.ReasonRevoked}
	if n, err := d.Revoke(t.Context(), e, []string{first.Rec.ID, "no id"}); n != 1 || err != nil {
		t.Fatalf("Revoke = %d, %v", n, err)
	}
	if at, err := d.look(first.Sealed(), true); err != nil || at.Rec.Kind != life.KindTombstone {
		t.Errorf("the revoked one is a %v, %v", at.Rec.Kind, err)
	}
	if at, err := d.look(second.Sealed(), true); err != nil || at.Rec.Kind != life.KindLive || at.Stale {
		t.Errorf("the other one is a %v, %v", at.Rec.Kind, err)
	}
}

// A token whose id was renewed by another request goes on under the new one: to be sealed anew, and for requests that
// begin within the grace only.
func TestARenewedTokenGoesOnUnderTheNewID(t *testing.T) {
	d := newDesk(t)
	old := d.sealed("ada")
	next := d.renew(d.renew(old))
	for name, begins := range map[string]bool{"a request that begins": true, "one that is under way": false} {
		at, err := d.look(old.Sealed(), begins)
		if err != nil || at.Rec.ID != next.Rec.ID || at.Ticket != next.Ticket || !at.Stale {
			t.Errorf("%s: %v, stale %v, %v", name, at.Rec, at.Stale, err)
		}
	}
	d.notes.now = d.notes.now.Add(time.Minute)
	if _, err := d.look(old.Sealed(), true); !errors.Is(err, life.ErrReused) {
		t.Errorf("after the grace: %v", err)
	}
	if at, err := d.look(old.Sealed(), false); err != nil || at.Rec.ID != next.Rec.ID {
		t.Errorf("under way since before: %v, %v", at.Rec, err)
	}
}

// All sessions of a user that began before are over, but for those to keep, which know what they outlived.
func TestTheSessionsOfAUserEndAtOnce(t *testing.T) {
	d := newDesk(t)
	gone, kept, other := d.sealed("ada"), d.sealed("ada"), d.sealed("eve")
	if _, err := d.RevokeUser(t.Context(), life.Ending{Of: "ada"}, []string{kept.Rec.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.look(gone.Sealed(), true); !errors.Is(err, life.ErrNotFound) {
		t.Errorf("the one to end: %v", err)
	}
	at, err := d.look(kept.Sealed(), true)
	if err != nil || at.Admitted() == 0 {
		t.Errorf("the one to keep: admitted %d, %v", at.Admitted(), err)
	}
	if _, err := d.look(other.Sealed(), true); err != nil {
		t.Errorf("another user's: %v", err)
	}
	d.notes.now = d.notes.now.Add(time.Second)
	later := d.sealed("ada")
	if _, err := d.look(later.Sealed(), true); err != nil {
		t.Errorf("one that began later: %v", err)
	}
	ended := func(e life.Event) bool { return e.Kind == life.EventEnded && e.User == "ada" }
	if !slices.ContainsFunc(d.notes.told, ended) {
		t.Errorf("events %v", d.notes.told)
	}
}

// A retired id is remembered for as long as the youngest copy of its token could live, and the grace, if it leads to no
// session that lives longer.
func TestARetiredIDOutlivesItsCopies(t *testing.T) {
	d := newDesk(t)
	old := d.sealed("ada").Rec
	retired := &life.Record{ID: old.ID, Kind: life.KindTombstone, Version: 9, SeenAt: d.notes.now.Add(50 * time.Minute)}
	d.Remember(retired, old)
	if want := retired.SeenAt.Add(time.Hour + time.Minute); !retired.ExpiresAt.Equal(want) || retired.Version != 0 {
		t.Errorf("until %v, want %v", retired.ExpiresAt, want)
	}
	kept := d.notes.now.Add(24 * time.Hour) // because the session goes on
	retired.ExpiresAt = kept
	if d.Remember(retired, old); !retired.ExpiresAt.Equal(kept) {
		t.Errorf("until %v, want %v as it was", retired.ExpiresAt, kept)
	}
	old.ExpiresAt = time.Time{}
	if d.Remember(retired, old); !retired.ExpiresAt.IsZero() {
		t.Errorf("until %v, want for ever", retired.ExpiresAt)
	}
}
