package session

import (
	"context"
	"time"
)

// Store keeps records. All policy is the manager's: a store knows no clocks, cookies, secrets or values, so that it is
// small and anybody can write one. Every method may be called from many goroutines at once, and by several processes if
// the backend is shared. Package sessiontest checks a store against this contract, a test for each rule:
//
//  1. Load returns the record as it was last saved or touched, or an error that wraps [ErrNotFound].
//  2. Save with Version 0 creates. It never overwrites: if the id is taken, it returns an error that wraps
//     [ErrConflict].
//  3. Save with any other Version replaces, and only the record that has that version: otherwise it returns an error
//     that wraps [ErrConflict], or [ErrNotFound] if there is none. There is no upsert. The stored record has Version+1.
//  4. Of any number of concurrent saves at one version exactly one succeeds.
//  5. Delete removes the record. Deleting what is not there is not an error, and no later save brings a record back.
//  6. Data, up to the size the application allows, comes back byte for byte, and is never shared: neither the record
//     given to Save nor the one returned by Load is kept or changed by the store afterwards.
//  7. A cancelled context gives an error, and the call has then changed everything that it was to change, or nothing.
//  8. Two stores on one backend see each other's changes at once.
//  9. A backend that fails gives an error that does not wrap [ErrNotFound] or [ErrConflict].
//  10. Every field of a record comes back: times to the microsecond (a zero time as zero), users byte for byte.
//     A record that cannot be read whole gives an error that wraps [ErrCorrupt], and stays until it is deleted.
//  11. An id is any string. The store keeps it, or refuses it with an error; it never confuses it with another, and
//     never touches anything outside its own place because of it.
//
// The optional interfaces [Toucher], [Sweeper], [Lister], [Limiter], [Watcher], [Evicter] and [Sharer] say what else a
// store can do, and [LocalStore], [Discarder] and [Carrier] what it is. The manager looks for them once, in [New]. A
// [Forgetter] says what must not be kept in the store.
type Store interface {
	Load(ctx context.Context, id string) (*Record, error)
	Save(ctx context.Context, rec *Record) error
	Delete(ctx context.Context, id string) error
}

// Toucher is a store that can refresh a record without replacing it.
//
//  1. Touch changes a record only while it has the given version: otherwise a writer has already said when the session
//     was seen.
//  2. SeenAt becomes the later of the stored and the given time; so does ExpiresAt (zero, never, is the latest).
//  3. Nothing else changes, the version included, so that a touch never makes a save fail.
//  4. A record that is not there, or has another version, is not an error, and nothing is created.
type Toucher interface {
	Touch(ctx context.Context, id string, version uint64, seen, expires time.Time) error
}

// Sweeper is a store that can remove what has expired.
//
//  1. Sweep removes records whose ExpiresAt is before the given time, never others, and never one without ExpiresAt.
//  2. It removes at most limit records in one call and says how many; fewer than limit means that none are left.
//  3. It reads no clock.
type Sweeper interface {
	Sweep(ctx context.Context, before time.Time, limit int) (int, error)
}

// Lister is a store that can list its records, without their Data.
//
//  1. ByUser returns every live record (Kind is KindLive) of exactly that user, in any order, from the moment at which
//     its save returned until its delete or its next save with another user or kind.
//  2. Page returns up to limit records of any kind that come after the id given, "" for the first page, in an order
//     that stays the same when records come and go; fewer than limit means that it was the last page. The id given need
//     not exist any more. A record that is there during the whole walk is listed exactly once. An error may come with
//     the records that could be read; the walk then goes on, and ends with the error.
type Lister interface {
	ByUser(ctx context.Context, user string) ([]*Record, error)
	Page(ctx context.Context, after string, limit int) ([]*Record, error)
}

// Limiter is a store that can limit the live records of a user, however many logins happen at once. It is a Lister,
// too.
//
//  1. SaveWithin creates a record as Save with Version 0 does, if fewer than limit.Max records count. Otherwise it
//     returns an error that wraps [ErrTooMany], and nothing is changed. It refuses a record with another Version.
//  2. What counts are the live records of the record's user that have no ExpiresAt or one after limit.Now, but for the
//     one with the id limit.Instead, whose place the new one takes. A record and its Predecessor are one session: while
//     both would count, they count as one, and so do records that have a Predecessor in common. One whose Predecessor
//     is limit.Instead does not count either.
//  3. However many goroutines and stores on one backend call it at once, no more than limit.Max records come to count
//     by it, and no call is refused while fewer count.
//  4. It reads no clock.
type Limiter interface {
	SaveWithin(ctx context.Context, rec *Record, limit Limit) error
}

// Watcher is a store that reports sessions that ended, here or on another node, so that nobody has to ask for them.
//
//  1. Watch calls tell with the id of each record that a Delete removed, or a Save made something else than a live
//     record, from the moment at which it has begun. It may call it with other ids as well, and more than once. It need
//     not report what is swept, or dropped by the server. It may call tell with "" when it has begun: those who wait
//     then ask for what ended before.
//  2. It returns when the context ends, or when it cannot go on, and never without an error. One that wraps
//     [ErrNotSupported] says that there is no point in calling it again.
//
// The function tell returns soon, and may be called from several goroutines.
type Watcher interface {
	Watch(ctx context.Context, tell func(id string)) error
}

// Evicter is a store with a bound, which drops records to stay within it.
//
//  1. It calls fn for each record that it dropped, without a lock held, until stop is called.
//  2. It never drops a record to make room for one that has it as its Predecessor, nor either of them while both are
//     live: the two are one session. Giving a record a successor in a full store costs nobody else a session either.
//     If the Predecessor of a new record is retired, the store may refuse the new one, with a [ConflictError] that has
//     the Predecessor.
type Evicter interface {
	OnEvict(fn func(id, user string)) (stop func())
}

// Forgetter is a store that may drop a record that it has accepted before it expires, because there is no room or
// because it keeps none. It is good enough for sessions: people who lose one sign in again. It is not good enough for
// what must not be forgotten, such as the counts of guard.Rate and the revocations of cookiestore, which refuse such a
// store.
//
// Forgets says why, beginning with a verb, and names the option to change: "drops records when it is full
// (Options.MaxSessions)". It is "" if this store keeps what it accepts, as an [Evicter] without a bound does. It never
// changes. A store with a bound says why. A store around another passes on what that one says.
type Forgetter interface {
	Forgets() string
}

// Forgets says why a store may forget what it accepted, in the words of its [Forgetter], or "" if nothing suggests that
// it may. A store that is not a Forgetter forgets if it is an [Evicter], or if it has a method Discards that returns
// true. A nil store forgets.
func Forgets(store Store) string {
	if isNil(store) {
		return "is nil"
	}
	if f, ok := store.(Forgetter); ok {
		return f.Forgets()
	}
	if d, ok := store.(Discarder); ok && d.Discards() {
		return "keeps nothing"
	}
	if _, ok := store.(Evicter); ok {
		return "drops records to keep a bound"
	}
	return ""
}

// Sharer is an ability of a store in the memory of this process. The manager hands over the very records that are kept,
// and gets them back, where Save and Load copy them.
//
// Each record has a note, which means nothing to the store. The manager notes there that it sealed this very Data, so
// that it need not authenticate again what never left the process.
//
//  1. SaveShared does what Save does, and LoadShared what Load does. When SaveShared succeeds, the record has become
//     the store's, and has the Version that is stored; when it fails, it is the caller's.
//  2. LoadShared returns the note with which this Data was saved: a touch keeps it, the next SaveShared brings its own,
//     and Save brings none.
//  3. A record that was shared never changes: a touch and a save put another in its place.
//  4. Shares reports whether the store given is this one. A store that embeds this one has these methods too, but its
//     own Load and Save must be used.
type Sharer interface {
	LoadShared(ctx context.Context, id string) (rec *Record, note any, err error)
	SaveShared(ctx context.Context, rec *Record, note any) error
	Shares(store Store) bool
}

// LocalStore is a store that may be in the memory of this process. Local reports whether none of its calls waits for
// anything, so that the manager need not limit how long one takes. The answer never changes.
type LocalStore interface {
	Local() bool
}

// Discarder is a store that may keep nothing at all, as nullstore. Discards reports whether that is so: then no visitor
// is given a ticket, and every session is over with its request. The answer never changes.
type Discarder interface {
	Discards() bool
}

// Carrier is a store that leaves the records to the clients, as cookiestore: each travels sealed, and is the ticket.
// The store remembers which ids were retired, or nothing.
//
//  1. Load returns what became of a retired id, and of every other one an error that wraps [ErrNotFound].
//  2. Save of a live record stores nothing, and its Data is empty. It refuses a retired id with [ErrConflict], unless
//     the record has Version 0. Save of an alias or a tombstone retires the id, for as long as the record says.
//  3. Carries says how many cookies one session may fill, and which store remembers retired ids; nil: none does. It
//     never changes.
//  4. Pack may make a record shorter before it is sealed. Unpack undoes it, or fails if the result would be above the
//     limit.
type Carrier interface {
	Carries() (cookies int, retired Store)
	Pack(plain []byte) []byte
	Unpack(packed []byte, limit int) ([]byte, error)
}
