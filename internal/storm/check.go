package storm

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/coatcheck/session"
)

// verdict is what can be said of a round when it is over.
type verdict struct {
	*world
	lives  map[string]*state
	byRoot map[string]string // life by the first id
	alive  []string          // ids, as All lists them
	opened map[*ticket]*session.Session
	whys   map[*ticket]session.Reason // why it opens nothing
	errs   []error
}

// state is what became of a life.
type state struct {
	life    string
	found   *session.Session // nil: it is over
	created bool
	users   []string // who may have signed in
	user    string   // who has
	userAt  int      // the tick at which that was known
	moved   bool     // old tickets are of no use
	unsure  bool     // perhaps it has an id of which no client was told
	dropped bool     // an id of it was evicted
	clears  []*fact
	// stranded: see deleted
	stranded bool
	bereft   bool // a request deleted an id of it that a move was to give up
}

func (v *verdict) wrong(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf(format, args...))
}

// check looks at what the round has left, when nothing fails any more.
func (w *world) check() error {
	v := &verdict{world: w, lives: map[string]*state{}, byRoot: map[string]string{}}
	if err := errors.Join(v.settle(), w.stop()); err != nil {
		return err
	}
	v.errs = append(v.errs, w.wrong...)
	v.resolve()
	for _, check := range []func(){
		v.checkReach, v.checkWrites, v.checkEnds, v.checkAlive, v.checkUsers, v.checkLimit, v.checkBound,
		v.checkListings, v.checkOnce, v.checkFactors, v.checkReasons, v.checkLimits, v.checkSignIns,
		v.checkOperations,
	} {
		check()
	}
	return errors.Join(v.errs...)
}

// settle waits until the managers have removed the records that nobody has the ticket of, as they do after a second, or
// later when the store has failed them.
func (v *verdict) settle() error {
	for range 150 {
		if err := v.open(); err != nil {
			return err
		}
		if len(v.unreachable()) == 0 {
			return nil
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}

// open opens every ticket that somebody was given, and lists all sessions.
func (v *verdict) open() error {
	ctx := context.Background()
	v.opened, v.whys, v.alive = map[*ticket]*session.Session{}, map[*ticket]session.Reason{}, nil
	for info, err := range v.nodes[0].All(ctx) {
		if err != nil {
			return err
		}
		v.alive = append(v.alive, info.ID)
	}
	for _, user := range v.users {
		infos, err := v.nodes[1].Sessions(ctx, user)
		if err != nil {
			return err
		}
		for _, info := range infos {
			if !slices.Contains(v.alive, info.ID) {
				v.alive = append(v.alive, info.ID)
			}
		}
	}
	for _, t := range v.tickets {
		s, err := v.nodes[1].Open(ctx, t.text)
		if err != nil {
			return err
		}
		if v.whys[t] = s.EndedBy(); !s.IsNew() {
			v.opened[t] = s
		}
	}
	return nil
}

// unreachable are the sessions that no ticket opens.
func (v *verdict) unreachable() []string {
	return slices.DeleteFunc(slices.Clone(v.alive), func(id string) bool {
		for _, s := range v.opened {
			if s.ID() == id {
				return true
			}
		}
		return false
	})
}

// strays are those that no ticket opened at any time. The way to the others was dropped.
func (v *verdict) strays() []string {
	return slices.DeleteFunc(v.unreachable(), func(id string) bool {
		return slices.ContainsFunc(v.drops, func(d dropped) bool { return v.root(d.id) == v.root(id) })
	})
}

// resolve tells what is known of each life.
func (v *verdict) resolve() {
	for life := range v.parents {
		v.lives[life] = &state{life: life}
	}
	for _, s := range v.sightings {
		v.sighted(s)
	}
	for _, t := range v.tickets {
		if s := v.opened[t]; s != nil {
			v.sighted(sighting{life: mark.Or(s, ""), id: s.ID(), user: s.User(), at: v.tick})
			v.find(s)
		}
	}
	for _, d := range v.drops {
		if st := v.lives[v.lifeOf(d.id)]; st != nil {
			st.dropped = true
		}
	}
	for root := range v.stranded {
		if st := v.lives[v.byRoot[root]]; st != nil {
			st.stranded = true
		}
	}
	v.bereave()
	for _, f := range v.facts {
		for _, st := range v.concerned(f) {
			switch f.kind {
			case logins:
				st.users = append(st.users, f.user)
			case moves:
				st.moved, st.unsure = true, st.unsure || !f.sure || f.life != f.lives[0]
			case clears:
				st.clears = append(st.clears, f)
			}
		}
	}
}

// bereave finds the sessions of which an id is gone that tells which move has lost.
func (v *verdict) bereave() {
	for _, before := range v.kin {
		if st := v.lives[v.lifeOf(before)]; st != nil && v.removed[before] {
			st.bereft = true
		}
	}
}

// concerned are the lives that a fact may concern.
func (v *verdict) concerned(f *fact) (list []*state) {
	switch {
	case f.tries == 0:
		return nil
	case f.sure && f.tries == 1 && f.life != "" && f.kind != moves:
		return []*state{v.lives[f.life]}
	}
	for _, life := range f.lives {
		list = append(list, v.lives[life])
	}
	return list
}

func (v *verdict) sighted(s sighting) {
	st := v.lives[s.life]
	if st == nil {
		v.wrong("a session has the mark %q", s.life)
		return
	}
	root := v.root(s.id)
	if other, ok := v.byRoot[root]; ok && other != s.life {
		v.wrong("%s and %s were one session", other, s.life)
	}
	v.byRoot[root], st.created = s.life, true
	if s.user == "" {
		return
	}
	if st.user != "" && st.user != s.user {
		v.wrong("%s was of %s and of %s", s.life, st.user, s.user)
	}
	if st.user, st.users = s.user, append(st.users, s.user); st.userAt == 0 || s.at < st.userAt {
		st.userAt = s.at
	}
}

func (v *verdict) find(s *session.Session) {
	st := v.lives[mark.Or(s, "")]
	switch {
	case st == nil: // which was told
	case st.found != nil && st.found.ID() != s.ID():
		v.wrong("%s is there twice", st.life)
	default:
		st.found = s
	}
}

func (v *verdict) lifeOf(id string) string { return v.byRoot[v.root(id)] }

// each goes through the lives in their order.
func (v *verdict) each(fn func(st *state)) {
	for i := range len(v.lives) {
		fn(v.lives[fmt.Sprint("life ", i+1)])
	}
}

// checkReach wants that what is alive has a ticket, and is listed.
func (v *verdict) checkReach() {
	for _, id := range v.strays() {
		v.wrong("%s is alive, and nobody has its ticket", v.name(id))
	}
	for _, t := range v.tickets {
		if s := v.opened[t]; s != nil && !slices.Contains(v.alive, s.ID()) {
			v.wrong("%v opens %s, which is in no list", t, v.name(s.ID()))
		}
	}
	if listed := slices.Sorted(slices.Values(v.alive)); len(slices.Compact(listed)) < len(v.alive) {
		v.wrong("All lists a session twice")
	}
	for _, user := range slices.Sorted(maps.Keys(v.byUser())) {
		infos, err := v.nodes[1].Sessions(context.Background(), user)
		if err != nil || len(infos) != len(v.byUser()[user]) {
			v.wrong("%d sessions of %s are listed, and %d are alive: %v", len(infos), user, len(v.byUser()[user]), err)
		}
	}
}

// byUser are the sessions that are alive of each user.
func (v *verdict) byUser() map[string][]*state {
	all := map[string][]*state{}
	for _, user := range v.users {
		all[user] = nil
	}
	v.each(func(st *state) {
		if st.found != nil && st.found.User() != "" {
			all[st.found.User()] = append(all[st.found.User()], st)
		}
	})
	return all
}
