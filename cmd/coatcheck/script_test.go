package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/sessionconfig"
)

// underTest is this program as a file in the path of the tests.
const underTest = "coatcheck-under-test"

// longest is how long anything may take on a machine that has other things to do.
const longest = 5 * time.Minute

func TestMain(m *testing.M) {
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise each command ends a second late under the race detector
	testscript.Main(m, map[string]func(){underTest: main, "seed": helper(seed), "alive": helper(alive),
		"endless": helper(endless), "interrupt": helper(interrupt), "age": age})
}

// The scripts run on SQLite. With COATCHECK_SCRIPTS some of them run on the store that variables of the configuration
// describe, as internal/integration does with each server; the word SCRIPT in one becomes another one for each script.
func TestTheCommandsDoWhatTheirScriptsSay(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if names := strings.Fields(os.Getenv("COATCHECK_SCRIPTS")); len(names) > 0 {
		files = slices.DeleteFunc(files, func(file string) bool {
			return !slices.Contains(names, strings.TrimSuffix(filepath.Base(file), ".txtar"))
		})
	}
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no scripts to run, %v", err)
	}
	testscript.Run(t, testscript.Params{
		Files:               files,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", os.Getenv("GORACE"))
			passConfiguration(e)
			return nil
		},
		Condition: onStore,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"coatcheck": runCoatcheck,
			"exits":     checkExit,
			"same":      checkSame,
			"until":     runUntil,
			"id":        setID,
			"begin":     setBegin,
		},
	})
}

// onStore reports whether the scripts run on this store, which COATCHECK_SCRIPTS_ON says.
func onStore(name string) (bool, error) {
	if !slices.Contains([]string{"sqlite", "postgresql", "mysql", "redis"}, name) {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	return cmp.Or(os.Getenv("COATCHECK_SCRIPTS_ON"), "sqlite") == name, nil
}

// passConfiguration gives a script the variables that describe the store.
func passConfiguration(e *testscript.Env) {
	e.Setenv("FROM", cmp.Or(os.Getenv("SESSION_STORE"), "database"))
	own := strings.ReplaceAll(strings.TrimPrefix(filepath.Base(e.WorkDir), "script-"), "-", "_")
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "SESSION_") {
			e.Setenv(name, strings.ReplaceAll(value, "SCRIPT", own))
		}
	}
}

// runCoatcheck runs the command, and looks for tickets in what it says.
func runCoatcheck(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(underTest, args...)
	out := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	for _, ticket := range tickets(ts.MkAbs("tickets")) {
		for part := range strings.SplitSeq(ticket, ".") {
			if len(part) > 10 && strings.Contains(out, part) {
				ts.Fatalf("the output contains a ticket")
			}
		}
	}
	if strings.Contains(out, "panic:") || strings.Contains(out, "DATA RACE") {
		ts.Fatalf("the command crashed")
	}
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	ts.Setenv("EXIT", strconv.Itoa(code))
	if (err != nil) != neg {
		ts.Fatalf("coatcheck %s ended with %v", strings.Join(args, " "), err)
	}
}

// runUntil runs the command until its output matches: "until '^grace$' session list". What is to happen within a moment
// does not always do so on a machine that has other things to do.
func runUntil(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[0])
	for end := time.Now().Add(longest); ; {
		runCoatcheck(ts, false, args[1:])
		if want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("the output never matches %s", want)
		}
	}
}

// checkExit compares the exit code of the last command.
func checkExit(ts *testscript.TestScript, _ bool, args []string) {
	if got := ts.Getenv("EXIT"); got != args[0] {
		ts.Fatalf("the exit code is %s, want %s", got, args[0])
	}
}

// checkSame compares two files byte for byte, whatever they hold; negated, they must differ.
func checkSame(ts *testscript.TestScript, neg bool, args []string) {
	if (ts.ReadFile(args[0]) != ts.ReadFile(args[1])) != neg {
		ts.Fatalf("%s and %s differ: %t, want %t", args[0], args[1], !neg, neg)
	}
}

// setID puts the id that comes first in the last output into $ID.
func setID(ts *testscript.TestScript, _ bool, _ []string) {
	for word := range strings.FieldsFuncSeq(ts.ReadFile("stdout"),
		func(r rune) bool { return !strings.ContainsRune("0123456789abcdef", r) }) {
		if len(word) == 64 {
			ts.Setenv("ID", word)
			return
		}
	}
	ts.Fatalf("the output has no id")
}

// setBegin puts the first digits of $ID into $BEGIN, and into $UPPER in capitals: "begin 8".
func setBegin(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	ts.Setenv("BEGIN", ts.Getenv("ID")[:n])
	ts.Setenv("UPPER", strings.ToUpper(ts.Getenv("ID")[:n]))
}

func tickets(path string) []string {
	text, _ := os.ReadFile(path) // none before seed ran
	return strings.Fields(string(text))
}

func helper(work func(context.Context, *session.Manager) error) func() {
	return func() {
		err := withManager(work)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// withManager opens session.yaml with the options of the site.
func withManager(work func(context.Context, *session.Manager) error) error {
	path := "session.yaml"
	if other := os.Getenv("SEED_CONFIG"); other != "" {
		path = other
	}
	cfg, err := sessionconfig.Load(path)
	if err != nil {
		return err
	}
	cfg.Options.SweepEvery = -1
	if ago := os.Getenv("SEED_AGO"); ago != "" {
		d, err := time.ParseDuration(ago)
		if err != nil {
			return err
		}
		cfg.Options.Now = func() time.Time { return time.Now().Add(-d) }
	}
	m, closer, err := cfg.Open(context.Background())
	if err != nil {
		return err
	}
	return errors.Join(work(context.Background(), m), closer.Close())
}

// seed makes sessions: "seed ada 3", or "seed - 2" for visitors without a name. It writes their tickets to a file.
func seed(ctx context.Context, m *session.Manager) error {
	f, err := os.OpenFile("tickets", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(os.Args[2])
	for range n {
		s, opened := m.Open(ctx, "")
		if opened != nil {
			return opened
		}
		if user := os.Args[1]; user != "-" {
			s.Login(user)
		}
		s.Set("cart", []any{"apple", 3})
		s.Set("note", "do not show this")
		err = errors.Join(err, s.Save(ctx))
		fmt.Fprintln(f, s.Token())
	}
	return errors.Join(err, f.Close())
}

// age has a file look as if it was written a while ago: "age session.secret 6m".
func age() {
	d, err := time.ParseDuration(os.Args[2])
	if ago := time.Now().Add(-d); err == nil {
		err = os.Chtimes(os.Args[1], ago, ago)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// endless begins and ends sessions of a user until it is killed: "endless ada".
func endless(ctx context.Context, m *session.Manager) error {
	for end := time.Now().Add(longest); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		s, err := m.Open(ctx, "")
		if err != nil {
			return err
		}
		s.Login(os.Args[1])
		if err := s.Save(ctx); err != nil {
			return err
		}
		if _, err := m.Revoke(ctx, s.ID()); err != nil {
			return err
		}
	}
	return nil
}

// interrupt leaves what a rollback leaves on MySQL that ends after the first change of the last step: "interrupt".
func interrupt(ctx context.Context, _ *session.Manager) error {
	cfg, err := sessionconfig.Load("session.yaml")
	if err != nil {
		return err
	}
	db, opts, err := cfg.OpenDatabase(ctx)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "ALTER TABLE "+opts.Table+" DROP COLUMN due_at")
	return errors.Join(err, db.Close())
}

// alive counts the tickets that open a session with its data: "alive 3".
func alive(ctx context.Context, m *session.Manager) error {
	n := 0
	all := tickets(filepath.Join(".", "tickets"))
	for _, ticket := range all {
		s, err := m.Open(ctx, ticket)
		if err != nil {
			return err
		}
		if !s.IsNew() && s.Get("note") == "do not show this" {
			n++
		}
	}
	if os.Args[1] != strconv.Itoa(n) {
		return fmt.Errorf("%d of %d tickets open their session, want %s", n, len(all), os.Args[1])
	}
	return nil
}
