package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
)

// canAsk refuses to guess where nobody can answer, before anything is opened.
func canAsk(yes bool, in *os.File) error {
	if yes || output.Terminal(in) {
		return nil
	}
	return usage("there is no terminal to ask on; use --yes")
}

// ask puts a question to a person.
func (t *tool) ask(in *os.File, question string) error {
	fmt.Fprint(t.Err, question+" [y/N] ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return errors.New("nothing was changed")
	}
	return nil
}

// extent is what a question is about.
type extent struct {
	sessions, anonymous int
	users               map[string]bool
}

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
	named, nobody := e.sessions-e.anonymous, output.Count(e.anonymous, "anonymous session")
	if named == 0 {
		return nobody
	}
	whose := output.Count(len(e.users), "user")
	for user := range e.users {
		if len(e.users) == 1 {
			whose = output.Clean(user)
		}
	}
	text := output.Count(named, "session") + " of " + whose
	if e.anonymous > 0 {
		text += " and " + nobody
	}
	return text
}

// extent counts what a target is.
func (s *site) extent(ctx context.Context, t *tool, g target) (*extent, error) {
	e := &extent{}
	if len(g.ids) > 0 {
		return e, s.addIDs(ctx, e, g.ids)
	}
	bar := output.NewProgress(t.Err, "counting", -1)
	defer bar.Done()
	for info, err := range s.sessions(ctx, g.user) {
		if err != nil {
			return nil, err
		}
		e.add(info.User)
		bar.Step(1)
	}
	return e, nil
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
		case errors.Is(err, session.ErrCorrupt):
			e.add("") // nobody knows whose it is
		case err != nil:
			return fmt.Errorf("%w: %w", session.ErrUnavailable, err)
		case rec.ExpiresAt.IsZero() || s.Now().Before(rec.ExpiresAt):
			e.add(rec.User)
		}
	}
	return nil
}
