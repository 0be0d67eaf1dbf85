package sessiontest

// contract has the sentences that the rules check, as they stand on the interfaces. A test keeps the two alike.
var contract = map[string]string{
	"Store": "Every method may be called from many goroutines at once, and by several processes if the backend is " +
		"shared.",
	"Store 1": "Load returns the record as it was last saved or touched, or an error that wraps [ErrNotFound].",
	"Store 2": "Save with Version 0 creates. It never overwrites: if the id is taken, it returns an error that wraps " +
		"[ErrConflict].",
	"Store 3": "Save with any other Version replaces, and only the record that has that version: otherwise it " +
		"returns an error that wraps [ErrConflict], or [ErrNotFound] if there is none. There is no upsert. The " +
		"stored record has Version+1.",
	"Store 4": "Of any number of concurrent saves at one version exactly one succeeds.",
	"Store 5": "Delete removes the record. Deleting what is not there is not an error, and no later save brings a " +
		"record back.",
	"Store 6": "Data, up to the size the application allows, comes back byte for byte, and is never shared: " +
		"neither the record given to Save nor the one returned by Load is kept or changed by the store afterwards.",
	"Store 7": "A cancelled context gives an error, and the call has then changed everything that it was to change, " +
		"or nothing.",
	"Store 8": "Two stores on one backend see each other's changes at once.",
	"Store 9": "A backend that fails gives an error that does not wrap [ErrNotFound] or [ErrConflict].",
	"Store 10": "Every field of a record comes back: times to the microsecond (a zero time as zero), users byte for " +
		"byte. A record that cannot be read whole gives an error that wraps [ErrCorrupt], and stays until it is " +
		"deleted.",
	"Store 11": "An id is any string. The store keeps it, or refuses it with an error; it never confuses it with " +
		"another, and never touches anything outside its own place because of it.",
	"Toucher 1": "Touch changes a record only while it has the given version: otherwise a writer has already said " +
		"when the session was seen.",
	"Toucher 2": "SeenAt becomes the later of the stored and the given time; so does ExpiresAt (zero, never, is the " +
		"latest).",
	"Toucher 3": "Nothing else changes, the version included, so that a touch never makes a save fail.",
	"Toucher 4": "A record that is not there, or has another version, is not an error, and nothing is created.",
	"Sweeper 1": "Sweep removes records whose ExpiresAt is before the given time, never others, and never one " +
		"without ExpiresAt.",
	"Sweeper 2": "It removes at most limit records in one call and says how many; fewer than limit means that none " +
		"are left.",
	"Sweeper 3": "It reads no clock.",
	"Lister":    "Lister is a store that can list its records, without their Data.",
	"Lister 1": "ByUser returns every live record (Kind is KindLive) of exactly that user, in any order, from the " +
		"moment at which its save returned until its delete or its next save with another user or kind.",
	"Lister 2": "Page returns up to limit records of any kind that come after the id given, \"\" for the first " +
		"page, in an order that stays the same when records come and go; fewer than limit means that it was the last " +
		"page. The id given need not exist any more. A record that is there during the whole walk is listed " +
		"exactly once. An error may come with the records that could be read; the walk then goes on, and ends with " +
		"the error.",
	"Limiter 1": "SaveWithin creates a record as Save with Version 0 does, if fewer than limit.Max records count. " +
		"Otherwise it returns an error that wraps [ErrTooMany], and nothing is changed. It refuses a record with " +
		"another Version.",
	"Limiter 2": "What counts are the live records of the record's user that have no ExpiresAt or one after " +
		"limit.Now, but for the one with the id limit.Instead, whose place the new one takes. A record and its " +
		"Predecessor are one session: while both would count, they count as one, and so do records that have a " +
		"Predecessor in common. One whose Predecessor is limit.Instead does not count either.",
	"Limiter 3": "However many goroutines and stores on one backend call it at once, no more than limit.Max records " +
		"come to count by it, and no call is refused while fewer count.",
	"Limiter 4": "It reads no clock.",
	"Watcher 1": "Watch calls tell with the id of each record that a Delete removed, or a Save made something else " +
		"than a live record, from the moment at which it has begun. It may call it with other ids as well, and more " +
		"than once. It need not report what is swept, or dropped by the server. It may call tell with \"\" when it " +
		"has begun: those who wait then ask for what ended before.",
	"Watcher 2": "It returns when the context ends, or when it cannot go on, and never without an error. One that " +
		"wraps [ErrNotSupported] says that there is no point in calling it again.",
	"Evicter 1": "It calls fn for each record that it dropped, without a lock held, until stop is called.",
	"Evicter 2": "It never drops a record to make room for one that has it as its Predecessor, nor either of them " +
		"while both are live: the two are one session. Giving a record a successor in a full store costs nobody else " +
		"a session either. If the Predecessor of a new record is retired, the store may refuse the new one, with a " +
		"[ConflictError] that has the Predecessor.",
	"Sharer 1": "SaveShared does what Save does, and LoadShared what Load does. When SaveShared succeeds, the record " +
		"has become the store's, and has the Version that is stored; when it fails, it is the caller's.",
	"Sharer 2": "LoadShared returns the note with which this Data was saved: a touch keeps it, the next SaveShared " +
		"brings its own, and Save brings none.",
	"Sharer 3": "A record that was shared never changes: a touch and a save put another in its place.",
	"Sharer 4": "Shares reports whether the store given is this one. A store that embeds this one has these methods " +
		"too, but its own Load and Save must be used.",
	"Forgetter": "A store with a bound says why.",
	"ConflictError": "A store that learns the newest record while it refuses a save returns this error, which saves " +
		"the manager a load before the next attempt.",
}
