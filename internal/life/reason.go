package life

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/coatcheck/session/internal/keys"
)

// Reason says why a session ended. The reasons are those of package session, which documents them.
type Reason string

// The reasons that the life of a session has. Others come from outside.
const (
	ReasonLogout   Reason = "logout"
	ReasonRevoked  Reason = "revoked"
	ReasonLimit    Reason = "limit"
	ReasonIdle     Reason = "idle"
	ReasonLifetime Reason = "lifetime"
	ReasonReplaced Reason = "replaced"
	ReasonReused   Reason = "reused"
)

const maxReason = 64

// CheckReason refuses what is no reason to be kept and shown. The error does not contain it.
func CheckReason(why Reason) error {
	strange := func(r rune) bool { return r < ' ' || r > '~' }
	switch {
	case why == "":
		return errors.New("session: the reason is empty; give one, such as session.ReasonOperator, or use Revoke or " +
			"RevokeUser")
	case len(why) > maxReason:
		return errors.New("session: the reason is longer than 64 bytes; give a word that your pages know a text for")
	case strings.ContainsFunc(string(why), strange):
		return errors.New("session: the reason has characters that are not printable ASCII; give a word that your " +
			"pages know a text for")
	}
	return nil
}

// Ending is how a session ends that does not end by itself.
type Ending struct {
	Why      Reason
	Told     bool               // its tombstone stays for as long as a retired id is kept at most, to tell why
	Of       string             // the user that it must belong to, or Anybody
	Itself   bool               // what began in its place when it ended is another session, which goes on
	Follower *Record            // of the session that begins in its place; nil: none does
	If       func(*Record) bool // whether a live record is of a session that is meant; nil: any is

	kept map[string]bool // ids of sessions that go on, whatever leads to them
}

// spares reports whether a live record is not of a session that is meant.
func (e Ending) spares(rec *Record) bool {
	return e.Of != Anybody && rec.User != e.Of || e.If != nil && !e.If(rec)
}

// departure is a session that a request is about to end.
type departure struct {
	Place
	why     Reason
	signing signing // by what somebody had proved in it who they are
	gone    bool    // it is none of this request's
	gives   bool    // way to the session that follows: without one it goes on
}

// graveOf is a live record with the tombstone of its session, which ends. One that ran out of time before tells that.
func (k *Keeper) graveOf(old *Record, e Ending) grave {
	ended := Ended{old, e.Why, !k.alive(old)}
	if ended.Late {
		ended.Why = cmp.Or(k.ranOut(old), e.Why)
	}
	stone := k.retiredRecord(old, KindTombstone, e.Follower)
	if e.Told {
		stone.ExpiresAt = keptUntil(stone, old.ExpiresAt)
	}
	k.Records.Remember(stone, old)
	k.note(stone, ended.Why)
	return grave{ended, stone}
}

// keptUntil is how long a retired record is kept, so that its use is noticed and leads on: until its session ends, for
// a day at most, and for its grace at least.
func keptUntil(retired *Record, end time.Time) time.Time {
	until := retired.SeenAt.Add(maxRetired)
	if !end.IsZero() && end.Before(until) {
		until = end
	}
	return laterOf(retired.ExpiresAt, until)
}

// note has a tombstone tell why its session ended. Whoever can write to the store cannot make that up.
func (k *Keeper) note(stone *Record, why Reason) {
	encode := func(dst []byte) []byte { return append(dst, why...) }
	stone.Data = k.Ring().Seal(endOf(stone), len(why), encode, k.Sealing)
}

// noted is what a tombstone tells, "" for nothing.
func (k *Keeper) noted(rec *Record) Reason {
	if rec == nil || rec.Kind != KindTombstone || len(rec.Data) == 0 {
		return ""
	}
	why, _, err := k.Ring().Open(rec.Data, endOf(rec))
	if err != nil || CheckReason(Reason(why)) != nil {
		return ""
	}
	return Reason(why)
}

// endOf is what the data of a tombstone are bound to. They are of no version, so that tools can move it, and do not
// open as those of a session.
func endOf(stone *Record) keys.Row { return keys.Row{ID: "the end of " + stone.ID, User: stone.User} }

// whyEnded is what a retired record tells of the end of its session, "" when that is not known. Of an alias the one
// that it leads to is asked.
func (k *Keeper) whyEnded(ctx context.Context, rec *Record) Reason {
	if rec != nil && rec.Kind == KindAlias {
		rec, _ = k.Load(ctx, rec.Successor)
	}
	if rec == nil || !rec.ExpiresAt.IsZero() && !k.Now().Before(rec.ExpiresAt) { // as if it was swept already
		return ""
	}
	return k.noted(rec)
}

// ranOut is which clock has ended the session of a record, "" when none has.
func (k *Keeper) ranOut(rec *Record) Reason {
	d, _ := k.Opened(rec)
	return d.EndedBy()
}

// Opened is a draft of what a live record holds that a store has loaded. The error is that of a record that does not
// open, or of a session that ran out of time.
func (k *Keeper) Opened(rec *Record) (Draft, error) {
	d := k.ByOperator(rec)
	h, entries, _, err := k.Records.Open(rec)
	if err == nil {
		err = d.readFrom(h, entries, false)
	}
	return d, err
}

// clock is the one of its two deadlines that ends the session.
func (d *Draft) clock() Reason {
	idle, absolute := d.deadlines(d.at.Rec.SeenAt.UnixMicro())
	if idle != 0 && (absolute == 0 || idle < absolute) {
		return ReasonIdle
	}
	return ReasonLifetime
}

// EndedBy is why the session of the ticket that came has ended, "" as long as it has not, or when that is not known.
func (d *Draft) EndedBy() Reason { return d.rest().endedBy }
