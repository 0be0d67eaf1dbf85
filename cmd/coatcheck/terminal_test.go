//go:build unix

package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/jedib0t/go-pretty/v6/text"
)

// screen is what a command wrote to a terminal.
func screen(t *testing.T, cmd *exec.Cmd, columns uint16) string {
	t.Helper()
	ours, its, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	if err := pty.Setsize(ours, &pty.Winsize{Rows: 24, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = its, its, its
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	its.Close()
	read := make(chan string)
	go func() {
		out, _ := io.ReadAll(ours) // it ends with an error of its own when the other side is closed
		read <- string(out)
	}()
	out := strings.ReplaceAll(<-read, "\r\n", "\n")
	if err := cmd.Wait(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return out
}

// withSessions is a folder with a site of a few sessions.
func withSessions(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mustRun(t, in(t, dir, underTest, "init"))
	mustRun(t, in(t, dir, underTest, "db", "migrate"))
	mustRun(t, in(t, dir, "seed", "ada.lovelace@analytical-engine.example", "2"))
	mustRun(t, in(t, dir, "seed", strings.Repeat("名", 85), "1"))
	mustRun(t, in(t, dir, "seed", "-", "1"))
	return dir
}

func TestAListFitsTheTerminal(t *testing.T) {
	dir := withSessions(t)
	for _, columns := range []uint16{60, 80, 100, 300} {
		out := screen(t, in(t, dir, underTest, "session", "list"), columns)
		for line := range strings.SplitSeq(escapes.ReplaceAllString(out, ""), "\n") {
			if n := text.StringWidthWithoutEscSequences(line); n > int(columns) {
				t.Errorf("on %d columns a line has %d: %q", columns, n, line)
			}
		}
		if !regexp.MustCompile(`(?m)^[0-9a-f]{12}  .* (now|\d+ s ago) `).MatchString(out) ||
			regexp.MustCompile(`[0-9a-f]{13}`).MatchString(out) {
			t.Errorf("on %d columns the list has no short ids, or no short times:\n%s", columns, out)
		}
	}
	narrow := screen(t, in(t, dir, underTest, "session", "list"), 20)
	for _, want := range []string{"DEVICE", "Unknown device", "analytical-engine.example"} {
		if !strings.Contains(narrow, want) {
			t.Errorf("on 20 columns %q is missing:\n%s", want, narrow)
		}
	}
}

func TestAWideListIsThatOfAPipe(t *testing.T) {
	dir := withSessions(t)
	wide := screen(t, in(t, dir, underTest, "session", "list", "--wide", "--color", "never"), 40)
	if piped := mustRun(t, in(t, dir, underTest, "session", "list")); wide != piped {
		t.Errorf("the terminal has\n%s\nand the pipe\n%s", wide, piped)
	}
	if !regexp.MustCompile(`(?m)^[0-9a-f]{64}  名{85}  \d{4}-`).MatchString(wide) {
		t.Errorf("something was shortened:\n%s", wide)
	}
}

func TestColourIsForPeopleWhoWantIt(t *testing.T) {
	dir := withSessions(t)
	doctor := func(with ...string) *exec.Cmd {
		cmd := in(t, dir, underTest, append([]string{"doctor"}, with[1:]...)...)
		cmd.Env = append(os.Environ(), "TERM=xterm", "NO_COLOR=", with[0])
		return cmd
	}
	const green = "\x1b[32mpass\x1b[0m"
	for _, row := range []struct {
		with    []string
		colours bool
	}{
		{[]string{"TERM=xterm-256color"}, true},
		{[]string{"NO_COLOR=1"}, false},
		{[]string{"NO_COLOR=0"}, false}, // whatever its value
		{[]string{"TERM=dumb"}, false},
		{[]string{"FORCE_COLOR=1", "--color", "never"}, false},
		{[]string{"NO_COLOR=1", "--color", "always"}, true},
	} {
		if out := screen(t, doctor(row.with...), 100); strings.Contains(out, green) != row.colours {
			t.Errorf("with %q there are colours: %t, want %t\n%q", row.with, !row.colours, row.colours, out)
		}
	}
	for colour, want := range map[string]bool{"auto": false, "always": true} {
		if out := mustRun(t, doctor("FORCE_COLOR=1", "--color", colour)); strings.Contains(out, green) != want {
			t.Errorf("in a pipe with --color %s there are colours: %t, want %t", colour, !want, want)
		}
	}
}

// head reads one line, and is gone.
func TestAPipeThatClosesEarlyIsNoFailure(t *testing.T) {
	dir := withSessions(t)
	mustRun(t, in(t, dir, "seed", "grace", "3000"))
	for _, format := range []string{"--json", "--wide"} {
		cmd := in(t, dir, "sh", "-c", underTest+" session list "+format+" | head -n 1")
		if out := mustRun(t, cmd); strings.Count(out, "\n") != 1 {
			t.Errorf("head got %q, want a line, and nothing was to be said", out)
		}
	}
}

func TestAFullDiskIsAFailure(t *testing.T) {
	dir := withSessions(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Logf("this system has none: %v", err)
		return
	}
	defer full.Close()
	for _, command := range []string{"session stats", "session list", "version --json"} {
		cmd := in(t, dir, underTest, strings.Fields(command)...)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &said
		if err := cmd.Run(); err == nil || !strings.Contains(said.String(), "no space left") {
			t.Errorf("%s on a full disk ended with %v and said %q", command, err, &said)
		}
	}
}

func TestClosedStreamsEndACommandInWords(t *testing.T) {
	dir := withSessions(t)
	for _, row := range []struct{ shell, want string }{
		{" session revoke --all <&-", "there is no terminal to ask on; use --yes"},
		{" session revoke --all </dev/null", "there is no terminal to ask on; use --yes"},
		{" db rollback <&-", "there is no terminal to ask on; use --yes"},
	} {
		out, err := in(t, dir, "sh", "-c", underTest+row.shell).CombinedOutput()
		if err == nil || !strings.Contains(string(out), row.want) || strings.Count(string(out), "\n") != 1 {
			t.Errorf("coatcheck%s ended with %v and said %q, want one line with %q", row.shell, err, out, row.want)
		}
	}
	mustRun(t, in(t, dir, "alive", "4"))
}

// Ctrl-C, which a terminal makes a signal.
func TestAQuestionCanBeInterrupted(t *testing.T) {
	dir := withSessions(t)
	cmd := in(t, dir, underTest, "session", "revoke", "--all")
	terminal, r := asked(t, cmd)
	if _, err := terminal.WriteString("\x03"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(r) // it ends with an error of its own when the other side is closed
	if err := cmd.Wait(); err == nil || !strings.Contains(string(rest), "coatcheck: interrupted") {
		t.Errorf("after Ctrl-C it ended with %v and said %q", err, rest)
	}
	mustRun(t, in(t, dir, "alive", "4"))
}

// asked starts a command on a terminal and waits for its question.
func asked(t *testing.T, cmd *exec.Cmd) (terminal *os.File, r *bufio.Reader) {
	t.Helper()
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	r = bufio.NewReader(terminal)
	for said := ""; !strings.HasSuffix(said, "[y/N] "); {
		c, err := r.ReadByte()
		if err != nil {
			t.Fatalf("after %q: %v", said, err)
		}
		said += string(c)
	}
	return terminal, r
}

// Somebody else takes the step back while the question waits for its answer, which would be about another one.
func TestARollbackTakesBackNoStepButTheOneThatItAskedAbout(t *testing.T) {
	dir := withSessions(t)
	cmd := in(t, dir, underTest, "db", "rollback")
	terminal, r := asked(t, cmd)
	mustRun(t, in(t, dir, underTest, "db", "rollback", "--yes"))
	if _, err := terminal.WriteString("y\n"); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(r) // it ends with an error of its own when the other side is closed
	if err := cmd.Wait(); err == nil || !strings.Contains(string(rest), "run the command again") {
		t.Errorf("it ended with %v and said %q, want that the table has changed", err, rest)
	}
	mustRun(t, in(t, dir, underTest, "db", "migrate"))
	mustRun(t, in(t, dir, "alive", "4"))
}
