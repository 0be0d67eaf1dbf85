package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/cmd/coatcheck/internal/survey"
)

// canAsk refuses to guess where nobody can answer, before anything is opened.
func canAsk(yes bool, in *os.File) error {
	if yes || output.Terminal(in) {
		return nil
	}
	return usage("there is no terminal to ask on; use --yes")
}

// ask puts a question to a person, who may also answer it with Ctrl-C.
func (t *tool) ask(ctx context.Context, in io.Reader, question string) error {
	fmt.Fprint(t.Err, question+" [y/N] ")
	answered := make(chan string, 1)
	go func() { // it may wait for ever, and ends with the process
		line, _ := bufio.NewReader(in).ReadString('\n') // an end without an answer is none
		answered <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case answer := <-answered:
		if answer == "y" || answer == "yes" {
			return nil
		}
		return errors.New("nothing was changed")
	}
}

// extent is what a question is about.
type extent struct {
	sessions, anonymous, unknown int
	over                         int // by our clock, and maybe not by that of the site
	users                        map[string]bool
	whose                        string // of whom it is all sessions, which nobody can count
}

// none reports whether there is nothing to ask about.
func (e *extent) none() bool { return e.sessions+e.over == 0 && e.whose == "" }

func (e *extent) add(user string) {
	e.sessions++
	if user == "" {
		e.anonymous++
		return
	}
	if e.users == nil {
		e.users = map[string]bool{}
	}
	e.users[user] = true
}

// String is how the question names it: "10 sessions of 3 users".
func (e *extent) String() string {
	if e.whose != "" {
		return "all sessions of " + output.Clean(e.whose) + ", however many there are"
	}
	var parts []string
	if named := e.sessions - e.anonymous - e.unknown; named > 0 {
		whose := output.Count(len(e.users), "user")
		if len(e.users) == 1 {
			whose = output.Clean(slices.Collect(maps.Keys(e.users))[0])
		}
		parts = append(parts, output.Count(named, "session")+" of "+whose)
	}
	if e.anonymous > 0 {
		parts = append(parts, output.Count(e.anonymous, "anonymous session"))
	}
	if e.unknown > 0 {
		parts = append(parts, output.Count(e.unknown, "session")+" of unknown users")
	}
	switch {
	case e.over == 1:
		parts = append(parts, "1 session that is over by this machine's clock")
	case e.over > 1:
		parts = append(parts, fmt.Sprintf("%d sessions that are over by this machine's clock", e.over))
	}
	return strings.Join(parts, " and ")
}

// extent counts what a target is.
func (s *site) extent(ctx context.Context, t *tool, g target) (*extent, error) {
	e := &extent{}
	if len(g.ids) > 0 {
		return e, s.addIDs(ctx, e, g.ids)
	}
	if s.isCarried() {
		e.whose = g.user
		return e, nil
	}
	bar := output.NewProgress(t.Err, "counting", -1)
	defer bar.Done()
	for rec, err := range s.listed(ctx, g.user) {
		if err != nil {
			break // as it does below
		}
		if rec.Kind == session.KindLive && s.isOver(rec) {
			e.over++
			bar.Step(1)
		}
	}
	for info, err := range s.sessions(ctx, g.user) {
		if err != nil && !e.none() && ctx.Err() == nil {
			break // what cannot be read is told by the work
		}
		if err != nil {
			return e, err
		}
		e.add(info.User)
		bar.Step(1)
	}
	return e, nil
}

// listed goes through the records of a user, or through all.
func (s *site) listed(ctx context.Context, user string) iter.Seq2[*session.Record, error] {
	if user == "" {
		return survey.Records(ctx, s.store)
	}
	return func(yield func(*session.Record, error) bool) {
		l, err := s.lister()
		if err != nil {
			yield(nil, err)
			return
		}
		list, err := l.ByUser(ctx, user)
		for _, rec := range list {
			if !yield(rec, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// isOver reports whether the time of a record is up by our clock.
func (s *site) isOver(rec *session.Record) bool {
	return !rec.ExpiresAt.IsZero() && !s.Now().Before(rec.ExpiresAt)
}

// addIDs looks at each id once. A renewed one counts: ending it ends the session that goes on.
func (s *site) addIDs(ctx context.Context, e *extent, ids []string) error {
	met := map[string]bool{}
	for _, id := range ids {
		if met[id] {
			continue
		}
		met[id] = true
		rec, err := s.store.Load(ctx, id)
		switch {
		case errors.Is(err, session.ErrNotFound):
			if s.isCarried() && isHex(id) && len(id) == wholeID {
				e.sessions, e.unknown = e.sessions+1, e.unknown+1
			}
		case errors.Is(err, session.ErrCorrupt), errors.Is(err, session.ErrNotSupported):
			e.sessions, e.unknown = e.sessions+1, e.unknown+1
		case err != nil:
			return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
		case rec.Kind == session.KindTombstone && rec.Successor == "": // it has ended
		case rec.Kind == session.KindLive && s.isOver(rec):
			e.over++
		default:
			e.add(rec.User)
		}
	}
	return nil
}
