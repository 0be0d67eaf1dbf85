package storm

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/coatcheck/session"
)

// kind is what somebody asked for.
type kind string

const (
	appends kind = "append"
	counts  kind = "count"
	sets    kind = "set"
	clears  kind = "clear"
	gives   kind = "give" // a value that one request may take
	takes   kind = "take"
	flashes kind = "flash"
	sees    kind = "see" // flash data of an earlier request
	logins  kind = "login"
	moves   kind = "move" // Regenerate, or a Login that keeps the data: the old ticket is of no use
	ends    kind = "end"
	tells   kind = "tell" // UpdateUser

	shows    kind = "show"    // a factor
	confirms kind = "confirm" // an operation
)

// fact is something that was asked for, and what was answered. Life is the mark of a session.
type fact struct {
	kind     kind
	token    string // the value, which nobody else uses
	lives    []string
	life     string // which it concerned, when it is sure
	user     string
	ids      []string // to be ended
	keep     []string // ids
	own      string   // the user who may end sessions of his own alone
	from, to int      // ticks
	tries    int      // how often a commit may have done it
	sure     bool     // the answer said that it was done
	refused  bool     // the user has too many sessions
	vague    bool     // an end of nobody knows which session
}

// before reports whether a was done, and b came later.
func (f *fact) before(other *fact) bool { return f.sure && f.to < other.from }

// sighting is a session that somebody saw in the store.
type sighting struct {
	life, id, user string
	at             int
}

// listing is an answer of Sessions, or of All when there is no user.
type listing struct {
	fact
	all bool
}

// dropped is an event that says that a session was evicted.
type dropped struct {
	id, user string
	live     bool // it was no retired id
	by       *visit
	at       int
}

// ticket is one that a client was given.
type ticket struct {
	text string
	life string // "": nobody knows
	no   int
}

func (t *ticket) String() string {
	if t == nil {
		return "no ticket"
	}
	return fmt.Sprint("ticket ", t.no)
}

// ledger is what everybody noted.
type ledger struct {
	mu        sync.Mutex
	tick      int
	facts     []*fact
	sightings []sighting
	listings  []*listing
	visits    []*visit
	passages  []*passage
	drops     []dropped
	ends      map[string][]session.Reason // of an id
	tickets   []*ticket
	parents   map[string]string // of a life: that of the session which it followed on the same browser
	names     map[string]int    // short ones for ids
	kin       map[string]string // of an id: one that it takes over from
	kinds     map[string]session.RecordKind
	heirs     map[string]string // of a retired id: the one that it gave way to
	lost      map[string]bool   // ids of which a move to them failed, if only at first
	retiring  map[string]int    // saves under way
	stranded  map[string]bool   // roots of which a request deleted an id that led on
	removed   map[string]bool   // ids that a request deleted
	made      int               // ids that had no predecessor
	lines     []string
	wrong     []error
}

func newLedger() ledger {
	return ledger{
		parents: map[string]string{}, names: map[string]int{}, kin: map[string]string{},
		kinds: map[string]session.RecordKind{}, heirs: map[string]string{}, lost: map[string]bool{},
		retiring: map[string]int{},
		stranded: map[string]bool{}, removed: map[string]bool{}, ends: map[string][]session.Reason{},
	}
}

// now is a tick that nothing else has.
func (l *ledger) next() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick++
	return l.tick
}

// newLife returns the mark of a session to come.
func (l *ledger) newLife(parent string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	life := fmt.Sprint("life ", len(l.parents)+1)
	l.parents[life] = parent
	return life
}

// token returns a value that nobody else uses.
func (l *ledger) token() string { return fmt.Sprint("t", l.next()) }

func (l *ledger) add(f *fact) *fact {
	f.from = l.next()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.facts = append(l.facts, f)
	return f
}

func (l *ledger) see(s sighting) {
	s.at = l.next()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sightings = append(l.sightings, s)
}

func (l *ledger) log(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tick++
	l.lines = append(l.lines, fmt.Sprintf("%4d ", l.tick)+fmt.Sprintf(format, args...))
}

func (l *ledger) logCall(v *visit, what string, kind fault, err error) {
	who := "nobody"
	if v != nil {
		who = v.String()
	}
	answer := "done"
	if err != nil {
		answer = err.Error()
	}
	how := [...]string{"", " FAILS", " LOSES ITS ANSWER", " IS SLOW", " HANGS", " IS KILLED"}[kind]
	l.log("  %s: %s%s: %s", who, what, how, answer)
}

func (l *ledger) fault(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	l.log("WRONG: %v", err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, err)
}

// name is a short one for an id.
func (l *ledger) name(id string) string {
	if id == "" {
		return "-"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n, ok := l.names[id]
	if !ok {
		n = len(l.names) + 1
		l.names[id] = n
	}
	return fmt.Sprint("#", n)
}

// sort puts records in the order of their names, so that chance plays no part in who comes first.
func (l *ledger) sort(recs []*session.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.SortFunc(recs, func(a, b *session.Record) int { return cmp.Compare(l.names[a.ID], l.names[b.ID]) })
}

// note notes what a record that is about to be saved says.
func (l *ledger) note(rec *session.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rec.Kind != session.KindLive {
		l.retiring[rec.ID]++
	}
	if rec.Version > 0 || rec.Kind != session.KindLive {
		return
	}
	l.kin[rec.ID] = rec.Predecessor() // the last time counts: a login that was refused may begin afresh under this id
	if rec.Predecessor() == "" {
		l.made++
	}
}

// stored notes what a record has become, unless that failed.
func (l *ledger) stored(rec *session.Record, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if rec.Kind != session.KindLive {
		l.retiring[rec.ID]--
	}
	if err == nil {
		l.kinds[rec.ID], l.heirs[rec.ID] = rec.Kind, rec.Successor
	} else if rec.Kind != session.KindLive && rec.Successor != "" {
		// that move is lost, and its record one more until it goes
		l.made++
		l.lost[rec.Successor] = true
	}
	return err
}

// deleted notes that a record goes. One that is deleted because nothing can be written may have moved since somebody
// looked, and then it leads nobody to the session any more.
func (l *ledger) deleted(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removed[id] = true
	if heir := l.heirs[id]; l.kinds[id] == session.KindAlias || heir != "" && l.kin[heir] == id {
		l.stranded[l.root(id)] = true
	}
}

// root is the first id of a session.
func (l *ledger) root(id string) string {
	for l.kin[id] != "" {
		id = l.kin[id]
	}
	return id
}

// happened is told of events.
func (w *world) happened(ctx context.Context, e session.Event) {
	v := visitOf(ctx)
	w.log("  event %s %s %q %q %v", e.Kind, w.name(e.ID), e.User, e.Reason, e.Err)
	if e.Kind != session.EventEvicted && e.Kind != session.EventEnded {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ends[e.ID] = append(w.ends[e.ID], e.Reason)
	if e.Kind == session.EventEnded {
		return
	}
	kind, known := w.kinds[e.ID]
	live := known && kind == session.KindLive && w.retiring[e.ID] == 0
	w.drops = append(w.drops, dropped{e.ID, e.User, live, v, w.tick})
}

// story is the log of the round.
func (w *world) story() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("seed %d: %v\n%s", w.seed, w.plan, strings.Join(w.lines, "\n"))
}
