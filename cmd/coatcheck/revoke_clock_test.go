package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/output"
	"github.com/coatcheck/session/memstore"
	"github.com/coatcheck/session/sessionconfig"
)

// A session that is over by the clock of the operator is not by that of the site, which would let it go on for another
// idle timeout. It ends as well, and whoever did not say --yes is asked about it.
func TestASessionThatIsOverByTheOperatorsClockAloneEnds(t *testing.T) {
	for _, ahead := range []time.Duration{20 * time.Second, 5 * time.Minute} {
		for _, answer := range []string{"--yes", "y", "n"} {
			for _, way := range []string{"ids", "user", "all"} {
				t.Run(fmt.Sprint(ahead, answer, way), func(t *testing.T) { endsAhead(t, ahead, way, answer) })
			}
		}
	}
}

func endsAhead(t *testing.T, ahead time.Duration, way, answer string) {
	store, secret, begun := memstore.New(memstore.Options{}), session.NewSecret(), time.Now()
	at := func(after time.Duration) *session.Manager {
		m, err := session.New(store, session.Options{Secrets: []session.Secret{secret}, SweepEvery: session.Never,
			IdleTimeout: 30 * time.Minute, Now: func() time.Time { return begun.Add(after) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = m.Close() })
		return m
	}
	s := signedIn(t.Context(), t, at(0))
	const idle = 30*time.Minute - 10*time.Second
	command := &site{Manager: at(idle + ahead), cfg: &sessionconfig.Config{Store: "file"}, store: store}
	what := map[string]target{"ids": {ids: []string{s.ID()}}, "user": {user: "ada"}, "all": {all: true}}[way]
	what.reason = string(session.ReasonOperator)
	answers(t, answer)
	var said bytes.Buffer
	done, err := command.revoke(t.Context(), &tool{Printer: output.Printer{Err: &said}}, what, answer == "--yes")
	if asked := strings.Contains(said.String(), "End 1 session that is over by this machine's clock? [y/N] "); asked ==
		(answer == "--yes") {
		t.Errorf("it said %q, with the answer %s", &said, answer)
	}
	left, open := at(idle).Open(t.Context(), s.Token())
	if open != nil {
		t.Fatal(open)
	}
	if answer == "n" {
		if err == nil || left.User() != "ada" {
			t.Errorf("after the answer no the session is that of %q, %v; want ada, and to be told", left.User(), err)
		}
		return
	}
	if err != nil || done != (tally{ended: 0, over: 1}) || left.User() != "" {
		t.Errorf("revoke = %+v, %v, and the session is that of %q; want 1 that was over", done, err, left.User())
	}
}

// answers has standard input say something.
func answers(t *testing.T, text string) {
	t.Helper()
	path, before := filepath.Join(t.TempDir(), "answer"), os.Stdin
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	os.Stdin = f
	t.Cleanup(func() {
		os.Stdin = before
		_ = f.Close() // it was only read
	})
}

// joined is a store to which a visitor comes after it was listed so many times.
type joined struct {
	*memstore.Store
	listings, at int
	come         func()
}

func (j *joined) count() {
	if j.listings++; j.listings == j.at {
		j.come()
	}
}

func (j *joined) Page(ctx context.Context, after string, limit int) ([]*session.Record, error) {
	defer j.count()
	return j.Store.Page(ctx, after, limit)
}

func (j *joined) ByUser(ctx context.Context, user string) ([]*session.Record, error) {
	defer j.count()
	return j.Store.ByUser(ctx, user)
}

// Of nobody there is nothing to ask. Who signs in after the count stays all the same.
func TestNobodyIsSignedOutWithoutAQuestion(t *testing.T) {
	for _, what := range []target{{user: "ada"}, {all: true}} {
		for at := range 5 {
			store := &joined{Store: memstore.New(memstore.Options{}), at: at}
			m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()},
				SweepEvery: session.Never})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			var ada *session.Session
			store.come = func() { ada = signedIn(context.Background(), t, m) }
			answers(t, "n")
			site := &site{Manager: m, cfg: &sessionconfig.Config{Store: "file"}, store: store}
			done, err := site.revoke(t.Context(), &tool{Printer: output.Printer{Err: new(bytes.Buffer)}}, what, false)
			if ada == nil {
				continue
			}
			if s, open := m.Open(t.Context(), ada.Token()); open != nil || s.User() != "ada" || done != (tally{}) {
				t.Errorf("%+v, who came after listing %d: revoke = %+v, %v, and the session has ended", what, at,
					done, err)
			}
		}
	}
}
