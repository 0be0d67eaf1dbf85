//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// in runs a program of these tests in a folder.
func in(t *testing.T, dir, program string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	return cmd
}

func mustRun(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// kill -9 in the middle of a copy, as soon as the first session is there.
func TestACopyThatIsKilledIsCompletedByTheNext(t *testing.T) {
	dir := t.TempDir()
	mustRun(t, in(t, dir, underTest, "init"))
	mustRun(t, in(t, dir, underTest, "db", "migrate"))
	mustRun(t, in(t, dir, "seed", "ada", "1000"))

	killed := in(t, dir, underTest, "session", "copy", "--from", "database", "--to", "file")
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		there := in(t, dir, underTest, "session", "stats", "--json")
		there.Env = append(os.Environ(), "SESSION_STORE=file")
		out, err := there.Output()
		return err == nil && !strings.Contains(string(out), `"live": 0`)
	})
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // it was killed

	out := mustRun(t, in(t, dir, underTest, "session", "copy", "--from", "database", "--to", "file"))
	if !strings.Contains(out, "compared 1000, all equal") || strings.Contains(out, "copied 1000 records") {
		t.Errorf("the second run said %q, want the rest copied, and 1000 compared", out)
	}
	moved := in(t, dir, "alive", "1000")
	moved.Env = append(os.Environ(), "SESSION_STORE=file")
	mustRun(t, moved)
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(longest); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it did not happen within %v", longest)
		}
	}
}
