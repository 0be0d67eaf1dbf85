package session

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// core is everything in a session that a commit reads and replaces. It has no lock: Session guards its own, and a
// commit works on a copy, so that nobody waits for the store who only reads.
type core struct {
	m    *Manager
	ex   *exchange // of the commit, nil outside a request
	rec  *Record   // the stored record that the state is based on; nil: none
	st   state
	ops  []op
	now  *shadows // values of this request only
	user string
	ip   netip.Addr
	ua   string

	ticket ticket // of rec
	token  string // what the client has, when the record travels with it
	next   ticket // of the id to come, zero when none is
	nextID string
	made   uint64     // the version of the record under nextID, while a move is under way; 0: it is not in the store
	spent  bool       // nextID may be in the store already, so that the next commit takes another
	retire RecordKind // what becomes of rec's id when it changes; KindLive: it does not change

	admitted int64 // the mass revocation that this session outlived, of a carried session

	former []string // ids that former cookies name besides, for a logout

	discard bool     // nothing is ever stored
	unseen  bool     // the user is not here: a save is no sign of life
	ending  *leaving // to be ended at the next commit; rec has nothing to do with it any more
	gone    bool     // rec's session ended: only a Login begins a new one
	login   bool     // a Login is among the changes

	seen   uint64 // Flash calls up to this number were made by earlier requests
	stale  bool   // to be signed and sealed anew
	err    error  // the first refused operation
	tell   tell
	events []Event // to be reported when the commit is over
}

// leaving is a stored session that was logged out. It is still the client's until the commit has ended it.
type leaving struct {
	rec    *Record
	ticket ticket
	token  string
	seen   uint64
	stale  bool
}

// tell is what the response must do to the client's ticket.
type tell uint8

const (
	tellNothing tell = iota
	tellTicket       // send the ticket
	tellForget       // delete it
)

// clone returns a copy that can be changed while others read the original. What does not encode keeps both from being stored.
func (c *core) clone() core {
	st, err := c.st.clone(c.m.opts.Codec)
	c.refuse(err)
	w := *c
	w.st, w.now = st, c.now.clone(c.m.opts.Codec)
	w.ops, w.events, w.spent = slices.Clip(c.ops), nil, false
	return w
}

func (c *core) event(kind EventKind, id string, err error) {
	c.events = append(c.events, Event{Kind: kind, ID: id, User: c.user, Err: err})
}

// storable reports whether there is something to keep: data, or a user.
func (c *core) storable() bool { return c.user != "" || !c.st.empty() }

func (c *core) dirty() bool {
	return len(c.ops) > 0 || c.retire != KindLive || c.ending != nil || c.st.hasOld() || c.stale
}

// id is the public handle of the session as it will be after the commit.
func (c *core) id() string {
	switch {
	case c.discard || c.gone:
		return ""
	case c.rec != nil && c.retire == KindLive:
		return c.rec.ID
	case c.rec != nil || c.storable():
		c.renew()
		return c.nextID
	}
	return ""
}

// renew makes the id to come, unless there is one.
func (c *core) renew() {
	if c.nextID == "" {
		c.next = newTicket()
		c.nextID = c.next.id()
	}
}

// do does an operation, also to the values of this request around it, and remembers that it was refused.
func (c *core) do(o op) {
	if err := c.apply(o); err != nil {
		c.refuse(err)
		return
	}
	if raw, ok, err := []byte(nil), false, error(nil); o.kind == opUpdate && c.now != nil {
		if raw, ok, err = c.st.at(c.m.opts.Codec, o.path); ok && err == nil {
			o = op{kind: opSet, path: o.path, raw: raw}
		}
	}
	c.unshadow(o)
}

// apply does an operation and remembers it.
func (c *core) apply(o op) error {
	changed, err := c.applyWithin(o)
	if err != nil {
		return err
	}
	// A clear of what is empty counts too: on a conflict it wins over what was committed before it.
	if changed || o.kind == opClear && c.rec != nil && !c.gone {
		c.ops = append(c.ops, o)
	}
	return nil
}

// applyWithin does an operation that must not make the session too large. After an error no commit succeeds, so that what
// is known of the size will do.
func (c *core) applyWithin(o op) (bool, error) {
	st, was := &c.st, c.st.above
	st.sure = st.sure || c.err != nil
	st.limit = st.allowed(c.m.opts.MaxBytes)
	defer func() { st.limit = 0 }()
	changed, err := o.apply(st, c.m.opts.Codec)
	if was == nil && st.above != nil && err == nil {
		err = st.count(c.m.opts.Codec)
	}
	if st.used <= st.limit {
		st.above = nil
	}
	return changed, err
}

// replay puts the state on a newer record and does the unsaved operations again.
func (c *core) replay(st state) error {
	c.st = st
	for _, o := range c.ops {
		if _, err := o.apply(&c.st, c.m.opts.Codec); err != nil {
			return fmt.Errorf("a change cannot be repeated on the newest state: %w", err)
		}
	}
	return nil
}

// refuse remembers the first error.
func (c *core) refuse(err error) {
	if err != nil && c.err == nil {
		c.err = err
	}
}

// reset begins a new session: what was set before does not belong to it.
func (c *core) reset() {
	*c = core{m: c.m, ip: c.ip, ua: c.ua, discard: c.discard, gone: c.gone, ending: c.ending, former: c.former, tell: c.tell, events: c.events}
}

// deadlines are the two times at which the session ends; zero for one that is not set.
func (c *core) deadlines(seen time.Time) (idle, absolute time.Time) {
	if d := c.idleTimeout(); d > 0 {
		idle = seen.Add(d)
	}
	if d := override(c.st.Lifetime, c.m.opts.Lifetime); d > 0 {
		anchor := max(c.st.Created, c.st.Login)
		if anchor == 0 {
			anchor = seen.UnixMicro()
		}
		absolute = time.UnixMicro(anchor).UTC().Add(d)
	}
	return idle, absolute
}

func (c *core) idleTimeout() time.Duration { return override(c.st.Idle, c.m.opts.IdleTimeout) }

// override is a session's own duration in microseconds, or the manager's.
func override(own int64, managers time.Duration) time.Duration {
	if own != 0 {
		return time.Duration(own) * time.Microsecond
	}
	return managers
}

// expiresAt is the earlier of the two deadlines, zero when there is none.
func (c *core) expiresAt(seen time.Time) time.Time {
	idle, absolute := c.deadlines(seen)
	if idle.IsZero() || !absolute.IsZero() && absolute.Before(idle) {
		return absolute
	}
	return idle
}

func (c *core) persistent() bool {
	if c.st.Persistent == 0 {
		return c.m.opts.Cookie.Persistent
	}
	return c.st.Persistent == 1
}

// expired reports whether the stored session has ended by time.
func (c *core) expired(now time.Time) bool {
	end := c.expiresAt(c.rec.SeenAt)
	if sealed := c.rec.ExpiresAt; c.m.carried != nil && !sealed.IsZero() && (end.IsZero() || sealed.Before(end)) {
		end = sealed
	}
	return !end.IsZero() && !now.Before(end)
}

// build makes the record that replaces rec, or the first one of a new id, and ages the flash data in st.
func (c *core) build(now time.Time) (rec *Record, aged []shadow, err error) {
	rec = &Record{ID: c.nextID, User: c.user, SeenAt: now, RemoteIP: c.ip, UserAgent: c.ua}
	if c.rec != nil {
		if rec.SeenAt = c.rec.SeenAt; !c.unseen {
			rec.SeenAt = later(c.rec.SeenAt, now)
		}
		rec.takeClient(c.rec)
	}
	if c.rec != nil && c.nextID == "" {
		rec.ID, rec.Version = c.rec.ID, c.rec.Version
	} else {
		c.st.Issued = now.UnixMicro()
		rec.Version = c.made
		if c.rec != nil {
			rec.Successor = c.rec.ID
		}
	}
	if c.st.Created == 0 {
		c.st.Created = now.UnixMicro()
	}
	aged = c.st.age(c.m.opts.Codec)
	if err := c.st.flush(c.m.opts.Codec); err != nil {
		return nil, nil, err
	}
	if size := c.st.size(); size > c.st.allowed(c.m.opts.MaxBytes) {
		if c.st.above != nil {
			return nil, nil, c.st.above
		}
		return nil, nil, fmt.Errorf("%w: the session has %d bytes of data, Options.MaxBytes allows %d", ErrTooLarge, size, c.m.opts.MaxBytes)
	}
	rec.CreatedAt, rec.LoginAt = fromMicro(c.st.Created), fromMicro(c.st.Login)
	rec.ExpiresAt = c.expiresAt(rec.SeenAt)
	rec.Persistent = c.persistent()
	if c.m.carried != nil {
		rec.Data, err = c.m.carry(rec, c.ticketOf(rec), &c.st, c.admitted)
		return rec, aged, err
	}
	rec.Data = sealRecord(c.m.ring()[0], rec, &c.st, c.m.opts.Seal)
	return rec, aged, nil
}

// takeClient keeps what is known of the client when this request knows nothing of it.
func (r *Record) takeClient(from *Record) {
	if !r.RemoteIP.IsValid() && r.UserAgent == "" {
		r.RemoteIP, r.UserAgent = from.RemoteIP, from.UserAgent
	}
}

// stored takes note that the record is in the store.
func (c *core) stored(rec *Record, aged []shadow) {
	if c.rec == nil || c.rec.ID != rec.ID || c.stale ||
		c.rec.Persistent != rec.Persistent || cookieMoved(c.rec, rec) {
		c.tell = tellTicket
	}
	if c.nextID != "" {
		c.ticket = c.next
	}
	rec.Version++
	if c.m.carried != nil {
		c.tell, c.token, rec.Data = tellTicket, string(rec.Data), nil
	}
	c.rec, c.ops, c.st.above = rec, nil, nil
	c.shade(aged)
	c.next, c.nextID, c.made, c.retire, c.login, c.stale, c.gone = ticket{}, "", 0, KindLive, false, false, false
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func fromMicro(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
