//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// withUnreadable is a folder with a site of n sessions in files, and a shelf that the system does not let anybody read.
func withUnreadable(t *testing.T, n int) string {
	t.Helper()
	dir := withFiles(t, n)
	for i := 255; ; i-- {
		shelf := filepath.Join(dir, "sessions", "records", fmt.Sprintf("%02x", i))
		if _, err := os.Stat(shelf); err == nil {
			continue
		}
		if err := os.WriteFile(shelf, nil, 0o600); err != nil { // which is no folder
			t.Fatal(err)
		}
		return dir
	}
}

// unavailable runs a command that ends with the code of a store that cannot be reached. It returns what it wrote.
func unavailable(t *testing.T, cmd *exec.Cmd) (out, said string) {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, _ := cmd.Output()
	if got := cmd.ProcessState.ExitCode(); got != exitUnavailable {
		t.Errorf("%s ended with code %d, want %d\n%s%s", strings.Join(cmd.Args, " "), got, exitUnavailable, stdout,
			&stderr)
	}
	return string(stdout), stderr.String()
}

// Half a store must not keep anybody from working on the other half, nor be taken for the whole.
func TestWhatCannotBeReadStopsNoCommand(t *testing.T) {
	dir := withUnreadable(t, 10)
	for _, command := range []string{"session list", "session stats", "session verify"} {
		out, _ := unavailable(t, inFiles(t, dir, underTest, append(strings.Fields(command), "--json")...))
		if !json.Valid([]byte(out)) || strings.Contains(out, `"error"`) {
			t.Errorf("%s --json wrote %s, want one value with what could be read", command, out)
		}
	}
	for _, row := range []struct{ command, out, said string }{
		{"session list", "10 sessions", ""},
		{"session stats", `live +10`, ""},
		{"session verify", "opened 10 sessions", ""},
		{"session rekey", "", "after 0 sessions had been signed or sealed again"},
		{"session copy --from file --to file:copied", "", "the copy is not complete"},
		{"session revoke --all --yes", "", "after ending 10 sessions"},
	} {
		out, said := unavailable(t, inFiles(t, dir, underTest, strings.Fields(row.command)...))
		if row.command != "session list" && !regexp.MustCompile(row.out).MatchString(out) ||
			!strings.Contains(said, row.said) || !strings.Contains(said, "store is unavailable") {
			t.Errorf("%s wrote %q and said %q, want %q and %q", row.command, out, said, row.out, row.said)
		}
	}
	copied := inFiles(t, dir, underTest, "session", "list")
	copied.Env = append(copied.Env, "SESSION_STORES__FILE__PATH=copied")
	if out := mustRun(t, copied); !strings.Contains(out, "10 sessions") {
		t.Errorf("the copy has %q, want 10 sessions", out)
	}
	mustRun(t, inFiles(t, dir, "alive", "0"))
}

func TestAShortIDIsNotGuessedWhereRecordsCannotBeRead(t *testing.T) {
	dir := withUnreadable(t, 2)
	out, _ := unavailable(t, inFiles(t, dir, underTest, "session", "list"))
	id := regexp.MustCompile(`[0-9a-f]{64}`).FindString(out)
	if _, said := unavailable(t, inFiles(t, dir, underTest, "session", "show", id[:12])); !strings.Contains(said,
		"give the whole id") {
		t.Errorf("it said %q, want what to do", said)
	}
	mustRun(t, inFiles(t, dir, underTest, "session", "show", id))
}
