package storm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/guard"
)

// header carries the ticket, for that is easier to read than a cookie.
const header = "Session"

// What a session holds.
const (
	mark    = session.Key[string]("mark")
	log     = session.Key[[]string]("log")
	told    = session.Key[[]string]("told")
	counter = session.Key[int]("n")
	gift    = session.Key[string]("gift")
	flash   = session.Key[string]("flash")
)

// visit is one request.
type visit struct {
	w      *world
	worker int
	rng    *rand.Rand
	no     int // the tick at which it began
	end    int
	client *client
	sent   *ticket
	text   string // of the newest ticket
	begin  string // the user who signs in at the beginning of the round
	calls  int    // of the store
	killAt int    // the call before which the client goes away
	cancel func()

	ctx     context.Context
	node    int
	m       *session.Manager
	g       *guard.Guard
	device  *device // that the client sends
	account string  // to sign in to
	s       *session.Session
	loaded  string   // the life that the session had at first
	stored  string   // the life of the last commit
	fresh   string   // the life that it gets if it has none
	lives   []string // all that this request may have touched
	pending []*fact  // what the next commit is to do
	flash   string   // of an earlier request
	leaves  bool     // it ends its session
	left    bool     // it has ended the session that it found
	job     bool     // it comes without HTTP
	lost    bool     // it was told that the session is gone
	failed  bool     // the store did not do what it asked for
	cleared bool
	signed  bool
	afresh  bool // it has signed in when there was no session, and nothing leads to an earlier one any more
	did     []string
	answer  error
}

func (v *visit) String() string { return fmt.Sprint("request ", v.no) }

func (w *world) newVisit(worker int, rng *rand.Rand, c *client) *visit {
	v := &visit{w: w, worker: worker, rng: rng, no: w.next(), client: c, cancel: func() {}}
	c.mu.Lock()
	defer c.mu.Unlock()
	v.sent, v.device = c.jar, c.device
	if len(c.had) > 0 && rng.IntN(6) == 0 { // it was made before the last response came
		v.sent = c.had[max(0, len(c.had)-1-rng.IntN(5))]
	}
	return v
}

// act does what the request is for.
func (v *visit) act() {
	if v.worker < 0 {
		v.start()
		return
	}
	for range 1 + v.rng.IntN(3) {
		d := pick(v.rng, v.w.deeds...)
		v.did = append(v.did, d.name)
		d.do(v)
	}
}

// start begins the session that a client has when the round begins.
func (v *visit) start() {
	if v.begin != "" {
		v.login(v.begin)
	}
	v.write(appends)
}

// look notes what the request finds.
func (v *visit) look() {
	v.loaded = v.life()
	switch {
	case v.s.IsNew() && v.loaded != "":
		v.w.fault("%v: a new session has the data of another", v)
	case !v.s.IsNew() && v.loaded == "":
		v.w.fault("%v: the session has lost its data", v)
	case v.s.Get("now") != nil:
		v.w.fault("%v: what Now set was stored", v)
	}
	if before := v.ticketLife(); v.loaded != "" && before != "" && v.loaded != before {
		v.w.fault("%v: the ticket of %s opens %s", v, before, v.loaded)
	}
	v.newFresh()
	if v.s.IsNew() {
		return
	}
	v.lives = append(v.lives, v.loaded)
	v.w.see(sighting{life: v.loaded, id: v.s.ID(), user: v.s.User()})
	if v.flash = flash.Or(v.s, ""); v.flash != "" {
		v.pend(&fact{kind: sees, token: v.flash, lives: []string{v.loaded}}).from = v.no
	}
	v.did = append(v.did, "finds "+v.loaded+" of "+v.s.User())
}

// life is the mark of the session as it is now, "" when it is none.
func (v *visit) life() string { return mark.Or(v.s, "") }

func (v *visit) ticketLife() string {
	if v.sent == nil {
		return ""
	}
	return v.sent.life
}

// newFresh makes a mark that no session has.
func (v *visit) newFresh() {
	v.fresh = v.w.newLife(cmp.Or(v.life(), v.stored, v.loaded, v.ticketLife()))
	v.lives = append(v.lives, v.fresh)
}

// own gives the session its mark if it has none, whatever it is when the commit comes.
func (v *visit) own() {
	fresh := v.fresh
	mark.Update(v.s, func(old string) string {
		if old != "" {
			return old
		}
		return fresh
	})
}

func (v *visit) pend(f *fact) *fact {
	if f.lives == nil {
		f.lives = v.lives
	}
	v.pending = append(v.pending, v.w.add(f))
	return f
}

// drop forgets what was to be done to a session that the request has left.
func (v *visit) drop() {
	v.pending = slices.DeleteFunc(v.pending, func(f *fact) bool { return f.kind != ends })
	v.leaves, v.left, v.flash = true, true, ""
	v.newFresh()
}

// commit runs what commits, and notes what became of all that was to be done.
func (v *visit) commit(do func() error) error {
	for _, f := range v.pending {
		f.tries++
	}
	err := do()
	now := v.w.next()
	for _, f := range v.pending {
		f.to, f.sure = now, err == nil && (f.kind == ends || !v.lost)
		if f.kind == sees && (v.failed || v.s.ID() == "") { // what only read is answered, though it consumed nothing
			f.sure = false
		}
		f.refused = f.refused || errors.Is(err, session.ErrTooMany)
		if f.sure {
			f.life = v.life()
		}
	}
	if err != nil {
		v.lost = v.lost || errors.Is(err, session.ErrEnded)
		return err
	}
	v.pending = nil
	id, life, user := v.s.ID(), v.life(), v.s.User()
	switch {
	case id == "": // there is none, or a renewal found it gone
		v.lost = v.lost || life != ""
	case life == "":
		v.w.fault("%v: a session was stored without its mark", v)
	default:
		v.w.see(sighting{life: life, id: id, user: user})
		v.stored = life
		v.newFresh() // for a Login that finds it gone
	}
	if now := v.s.Token(); v.job && now != "" && now != v.text {
		v.receive(now)
	}
	return nil
}
