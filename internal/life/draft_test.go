package life_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coatcheck/session/internal/life"
)

// Who did nothing leaves nothing, and asks the store for nothing.
func TestNothingIsStoredOfNothing(t *testing.T) {
	w := newWorld(t)
	d, found := w.find("")
	if !d.NothingToDo(life.Mode{CanTell: true}) || found.Live {
		t.Error("there is something to do")
	}
	w.commit(d)
	if w.shelf.calls > 0 || d.ID() != "" || d.Token() != "" {
		t.Errorf("%d calls, id %q, token %q", w.shelf.calls, d.ID(), d.Token())
	}
}

// Any number of drafts of one session may commit in any order: every value of each is there at the end.
func TestEveryDraftKeepsItsChanges(t *testing.T) {
	for seed := range uint64(50) {
		w, random := newWorld(t), rand.New(rand.NewPCG(seed, 0))
		token := w.stored("base")
		drafts := make([]*life.Draft, 4)
		for i := range drafts {
			drafts[i], _ = w.find(token)
		}
		want := []string{"base"}
		for step := range 20 {
			d := drafts[random.IntN(len(drafts))]
			want = append(want, fmt.Sprint("v", step))
			d.Do(set(t, want[step+1], "1"))
			if random.IntN(3) == 0 {
				w.commit(d)
			}
		}
		for _, d := range drafts {
			w.commit(d)
		}
		if !w.has(token, want...) || w.shelf.live() != 1 {
			t.Fatalf("seed %d: a value is lost, or there are %d sessions", seed, w.shelf.live())
		}
	}
}

// A session that has left does not come back by a draft that was under way, not under another id either.
func TestWhatLeftIsGone(t *testing.T) {
	for name, do := range map[string]func(*life.Draft){
		"by a change": func(d *life.Draft) { d.Do(set(t, "x", "2")) },
		"by a new id": func(d *life.Draft) { d.Regenerate() },
	} {
		w := newWorld(t)
		token := w.stored("x")
		late, _ := w.find(token)
		leaves, _ := w.find(token)
		leaves.Leave(life.ReasonLogout)
		w.commit(leaves)
		do(late)
		err := late.Commit(t.Context(), life.Mode{CanTell: true})
		if !errors.Is(err, life.ErrEnded) || w.shelf.live() != 0 {
			t.Errorf("%s: Commit = %v, %d sessions", name, err, w.shelf.live())
		}
		if r, _, _ := late.TakeReply(); r != life.ReplyNothing {
			t.Errorf("%s: the client is told something", name)
		}
		if r, _, _ := leaves.TakeReply(); r != life.ReplyForget {
			t.Errorf("%s: the client that left is not told", name)
		}
	}
}

// Signing in needs nothing of a session that is gone.
func TestWhoSignsInBeginsAfresh(t *testing.T) {
	w := newWorld(t)
	token := w.stored("x")
	late, _ := w.find(token)
	leaves, _ := w.find(token)
	leaves.Leave(life.ReasonLogout)
	w.commit(leaves)
	late.SignIn("ada")
	w.commit(late)
	d, found := w.find(late.Token())
	if !found.Live || d.User() != "ada" || w.shelf.live() != 1 {
		t.Errorf("live %v, user %q, %d sessions", found.Live, d.User(), w.shelf.live())
	}
}

// A renewed id leads to the session within the grace, and gives nothing but an event after it.
func TestARenewedIDLeadsOnForAWhile(t *testing.T) {
	w := newWorld(t, func(r *life.Rules) { r.RenewEvery = 10 * time.Minute })
	old := w.stored("x")
	w.now = w.now.Add(11 * time.Minute)
	d, _ := w.find(old)
	w.commit(d)
	if d.Token() == old {
		t.Fatal("the id was not renewed")
	}
	late, found := w.find(old)
	if r, token, _ := late.TakeReply(); !found.Live || r != life.ReplyTicket || token != d.Token() {
		t.Error("the old ticket does not lead to the new one")
	}
	w.now = w.now.Add(time.Minute)
	_, found = w.find(old)
	reused := func(e life.Event) bool { return e.Kind == life.EventReused }
	if found.Live || !slices.ContainsFunc(found.Events, reused) {
		t.Errorf("after the grace: live %v, events %v", found.Live, found.Events)
	}
}

// What was stored although the store told of a failure is removed later: nobody has its ticket.
func TestAnOrphanIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		down := errors.New("no answer")
		w.shelf.fails, w.shelf.keeps = func(*life.Record) (error, bool) { return down, true }, down
		d, _ := w.find("")
		d.Do(set(t, "x", "1"))
		if err := d.Commit(t.Context(), life.Mode{}); !errors.Is(err, life.ErrUnavailable) || !errors.Is(err, down) {
			t.Errorf("Commit = %v", err)
		}
		w.shelf.fails, w.shelf.keeps = nil, nil
		w.commit(d)
		if w.shelf.live() != 2 {
			t.Errorf("%d sessions before, want the orphan too", w.shelf.live())
		}
		time.Sleep(5 * time.Second)
		if w.shelf.live() != 1 || !w.has(d.Token(), "x") {
			t.Errorf("%d sessions", w.shelf.live())
		}
		w.Close()
	})
}

// hook is a log that has fn called for each line.
type hook struct {
	slog.Handler
	fn func()
}

func (h hook) Enabled(context.Context, slog.Level) bool { return true }

func (h hook) Handle(context.Context, slog.Record) error {
	h.fn()
	return nil
}

// A log may keep what it is told in a session, and so meet the same outage.
func TestWhoIsToldOfAnOrphanMayLeaveAnother(t *testing.T) {
	var w *world
	lines := 0
	create := func() {
		d, _ := w.find("")
		d.Do(set(t, "x", "1"))
		if err := d.Commit(t.Context(), life.Mode{}); !errors.Is(err, life.ErrUnavailable) {
			t.Errorf("Commit = %v", err)
		}
	}
	w = newWorld(t, func(r *life.Rules) {
		r.Logger = slog.New(hook{slog.DiscardHandler, func() {
			if lines++; lines == 1 {
				create()
			}
		}})
	})
	w.shelf.fails = func(*life.Record) (error, bool) { return errors.New("no answer"), true }
	w.Close() // so that nobody asks again
	done := make(chan struct{})
	go func() {
		defer close(done)
		create()
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it waits for itself")
	}
	if lines != 2 {
		t.Errorf("%d lines, want 2", lines)
	}
}

// Who waits for the end of a session is told of it wherever it goes.
func TestWhoWaitsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		token := w.stored("x")
		waits, _ := w.find(token)
		end := waits.Waiter()
		waits.Watch(t.Context(), end)
		moves, _ := w.find(token)
		moves.Regenerate()
		w.commit(moves)
		synctest.Wait()
		select {
		case <-end.Ended():
			t.Fatal("told of a session that goes on")
		default:
		}
		if n, err := w.Records.Revoke(t.Context(), life.Ending{}, []string{moves.ID()}); n != 1 || err != nil {
			t.Errorf("Revoke = %d, %v", n, err)
		}
		<-end.Ended()
		w.Close()
	})
}

// All sessions of a user end but those to keep, also one that moves meanwhile.
func TestTheSessionsOfAUserEnd(t *testing.T) {
	w := newWorld(t)
	var kept *life.Draft
	for range 4 {
		kept, _ = w.find("")
		kept.SignIn("ada")
		w.commit(kept)
	}
	id := kept.ID()
	kept.Regenerate()
	w.commit(kept)
	e := life.Ending{Of: "ada"}
	if n, err := w.Records.RevokeUser(t.Context(), e, []string{id, kept.ID()}); n != 3 || err != nil {
		t.Errorf("RevokeUser = %d, %v", n, err)
	}
	if _, found := w.find(kept.Token()); !found.Live || w.shelf.live() != 1 {
		t.Errorf("live %v, %d sessions", found.Live, w.shelf.live())
	}
}
