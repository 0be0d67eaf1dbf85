package session

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/coatcheck/session/internal/life"
)

// RecordKind says what a record is. It prints as "live", "alias" or "tombstone".
type RecordKind = life.Kind

// The kinds of record. Stores keep the kind; only ByUser looks at it.
const (
	KindLive      RecordKind = life.KindLive      // a session
	KindAlias     RecordKind = life.KindAlias     // a renewed id, which leads to the session
	KindTombstone RecordKind = life.KindTombstone // a retired id, which leads nowhere
)

// Record is what a store keeps of a session. ID and User are its keys, ExpiresAt is a hint for sweeps and timeouts, and
// Data is opaque; the rest is there so that sessions can be listed without opening Data. Printing or logging a record,
// or encoding it as JSON, leaves Data out, so a store must write it separately.
type Record struct {
	ID        string
	User      string // "" when nobody is signed in
	Kind      RecordKind
	Successor string    // ID of the session that took over from an alias or tombstone. In a live one: see Predecessor
	Version   uint64    // 0 before the first save, then 1, 2, …
	CreatedAt time.Time // the first save
	// the last request, as far as it was written down; of an alias or tombstone: when it was retired
	SeenAt     time.Time
	LoginAt    time.Time // zero before a login
	ExpiresAt  time.Time // zero: never
	RemoteIP   netip.Addr
	UserAgent  string // at most 256 bytes
	Persistent bool
	Data       []byte `json:"-"`
}

// Predecessor is the id that a live record takes over from, "" if there is none. A session gets a new id in two steps:
// the new record is created, and then the old one becomes an alias or a tombstone. In between both are live, and they
// are one session. Predecessor is for code that lists, counts, limits, drops or ends sessions. It means nothing once
// the record that it names is gone or retired, and the next save removes it.
//
// A live record keeps it in the field Successor, which has no other use there, so a store need not know about it.
func (r *Record) Predecessor() string { return (*life.Record)(r).Predecessor() }

// Clone returns a copy that shares nothing with r.
func (r *Record) Clone() *Record { return (*Record)((*life.Record)(r).Clone()) }

// Format prints the record without its data, whatever the verb.
func (r Record) Format(f fmt.State, _ rune) { life.Record(r).Format(f, 'v') }

// LogValue logs the record without its data.
func (r Record) LogValue() slog.Value { return life.Record(r).LogValue() }

// Limit says how many live records a user may have.
type Limit struct {
	Max     int       // at least 1
	Now     time.Time // what expired before does not count
	Instead string    // the id of a record that does not count; "": none
}

// Allows reports whether one more record may join these, which are the live records of its user.
func (l Limit) Allows(recs []*Record) bool {
	recs = slices.DeleteFunc(slices.Clone(recs), func(r *Record) bool { return !l.Counts(r) })
	return len(recs)-len(Moves(recs)) < l.Max
}

// Counts reports whether a live record of the user counts, provided that it is a session of its own: see [Moves].
func (l Limit) Counts(r *Record) bool {
	instead := l.Instead != "" && (r.ID == l.Instead || r.Predecessor() == l.Instead)
	return !instead && (r.ExpiresAt.IsZero() || r.ExpiresAt.After(l.Now))
}

// Moves returns the ids of live records that are the same session as another of them, with the id of that other one:
// its Predecessor, or a record with the same Predecessor.
func Moves(live []*Record) map[string]string {
	there, moves := make(map[string]string, len(live)), map[string]string{}
	for _, r := range live {
		there[r.ID] = r.ID
	}
	for _, r := range live {
		before := r.Predecessor()
		if other, ok := there[before]; ok && before != "" {
			moves[r.ID] = other
		} else if before != "" {
			there[before] = r.ID
		}
	}
	return moves
}
