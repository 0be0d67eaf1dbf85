package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

func newWatch() *cobra.Command {
	var count int
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show sessions as they end, on any machine",
		Long: `Show each session that ends from now on, whichever machine ended it, until Ctrl-C. Redis and
PostgreSQL announce these. Other stores tell nobody outside the process that ends a session, and
the command says so; the log of the site has all events. An end is "ended", "renewed" (the session
goes on under a new id), "replaced" (a login or Regenerate gave it a new id), or "unknown" (the
store reported it, and then could not be asked). What is swept, or dropped by Redis when its time
is up, is not shown.`,
		Example: "  coatcheck session watch\n  coatcheck session watch --count 10 --json",
		Args:    noArguments,
	}
	cmd.Flags().IntVar(&count, "count", 0, "stop after this many; 0: do not stop")
	return table(cmd, func(ctx context.Context, t *tool, _ []string) error {
		var wrong mistakes
		wrong.atLeast("count", count, 0)
		if err := wrong.err(); err != nil {
			return err
		}
		s, err := t.open(ctx)
		if err != nil {
			return err
		}
		defer s.close()
		return watchEnds(ctx, t, s, count)
	})
}

// end is a session that ended, or an id that did.
type end struct {
	Time      time.Time `json:"time"`
	Event     string    `json:"event"`
	ID        string    `json:"id"`
	User      string    `json:"user,omitempty"` // as far as the store still says
	Successor string    `json:"successor,omitempty"`
}

func watchEnds(ctx context.Context, t *tool, s *site, count int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	told := make(chan string, 1024) // a terminal that stands still holds the store up, rather than lose one
	stopped := make(chan error, 1)
	go func() {
		stopped <- listen(ctx, t, s, func(id string) {
			select {
			case told <- id:
			case <-ctx.Done():
			}
		})
	}()
	list := &endList{tool: t}
	for count == 0 || list.shown < count {
		select {
		case <-ctx.Done():
			return nil
		case err := <-stopped:
			return err
		case id := <-told:
			if err := list.add(ctx, s, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// listen has the store report ends, and starts again whenever it stops, until the context ends or the store never will.
func listen(ctx context.Context, t *tool, s *site, tell func(id string)) error {
	w, ok := s.store.(session.Watcher)
	for ok {
		err := w.Watch(ctx, tell)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, session.ErrNotSupported) {
			break
		}
		t.Note("lost the store's notifications; retrying: %v", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return fmt.Errorf("the store %s does not announce the sessions that end; Redis and PostgreSQL do, and the log of "+
		"the site has all events (log.format: json and log.level: debug)", s.cfg.Store)
}

// endList shows ends, each once: a store may report one more often, and also what has not ended. One that was unknown
// is shown again when it is known, and is counted once.
type endList struct {
	tool  *tool
	seen  map[string]string // their events
	shown int
}

const remembered = 10_000 // ids that a store may report again

func (l *endList) add(ctx context.Context, s *site, id string) error {
	if l.seen == nil || len(l.seen) > remembered {
		l.seen = map[string]string{}
	}
	was, again := l.seen[id]
	if id == "" || again && was != unknown { // "": it has begun to listen
		return nil
	}
	e, ended := lookAt(ctx, s, id)
	if !ended || again && e.Event == unknown {
		return nil
	}
	l.seen[id] = e.Event
	if !again {
		l.shown++
	}
	return l.tool.Line(e, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %-8s  %s  %s\n", output.Time(e.Time), e.Event, output.Clean(l.tool.ID(e.ID)),
			output.Clean(orDash(e.User)))
	})
}

// unknown is the event of what was reported by a store that cannot be asked about it.
const unknown = "unknown"

// lookAt finds out what became of a session. One of which the store has nothing left that can be read has ended.
func lookAt(ctx context.Context, s *site, id string) (end, bool) {
	e := end{Time: s.Now(), Event: "ended", ID: id}
	rec, err := s.store.Load(ctx, id)
	switch {
	case ctx.Err() != nil:
		return e, false
	case errors.Is(err, session.ErrNotFound), errors.Is(err, session.ErrCorrupt):
		return e, true
	case err != nil:
		e.Event = unknown
		return e, true
	}
	e.User, e.Successor = rec.User, rec.Successor
	switch {
	case rec.Kind == session.KindLive:
		return e, false
	case rec.Kind == session.KindAlias:
		e.Event = "renewed"
	case rec.Successor != "":
		e.Event = "replaced"
	}
	return e, true
}
