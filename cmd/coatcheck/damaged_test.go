//go:build unix

package main

import (
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// damageFile cuts the end off the file of a session.
func damageFile(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "sessions", "records", "??", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no files, %v", err)
	}
	if err := os.Truncate(files[0], 20); err != nil {
		t.Fatal(err)
	}
}

// damageRow gives a row a kind that there is not.
func damageRow(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "sessions.db"))
	if err == nil {
		_, err = db.Exec("UPDATE sessions SET kind = 9 WHERE id = (SELECT min(id) FROM sessions)")
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// follow does what session rekey advises, which is to be this.
func follow(t *testing.T, dir, advice string, run func(program, args string) *exec.Cmd) {
	t.Helper()
	cmd := run(underTest, "session rekey")
	var said strings.Builder
	cmd.Stderr = &said
	out, _ := cmd.Output()
	if !strings.HasSuffix(strings.TrimSpace(said.String()), advice) {
		t.Errorf("rekey said %q, want %q", &said, advice)
	}
	file := regexp.MustCompile(`records/\S+`).Find(out)
	if file == nil {
		id := regexp.MustCompile(`(?m)^[0-9a-f]{12}`).Find(out) // all that a terminal shows of it
		mustRun(t, run(underTest, "session revoke --yes "+string(id)))
		return
	}
	if err := os.Remove(filepath.Join(dir, "sessions", string(file))); err != nil {
		t.Fatal(err)
	}
}

// A list leaves a damaged record out, because it opens no session. Nobody should hear that all is well.
func TestADamagedRecordThatNoListHasIsReported(t *testing.T) {
	for _, row := range []struct {
		store, reason, advice string
		damage                func(*testing.T, string)
	}{
		{"file", `(?m)^- +- .*the record is damaged: records/`,
			"1 record left as found: a file that cannot be read may have another owner than its folder, or be of a " +
				"newer release; if it is damaged, you can remove it", damageFile},
		{"database", `(?m)^[0-9a-f]{64} +- .*the record is damaged$`,
			"1 record left as found: coatcheck session revoke ID ends a session that nobody can open", damageRow},
	} {
		t.Run(row.store, func(t *testing.T) {
			dir := t.TempDir()
			run := func(program, args string) *exec.Cmd {
				cmd := in(t, dir, program, strings.Fields(args)...)
				cmd.Env = append(os.Environ(), "SESSION_STORE="+row.store, "SESSION_STORES__DATABASE__MIGRATE=true")
				return cmd
			}
			mustRun(t, run(underTest, "init"))
			mustRun(t, run("seed", "ada 3"))
			row.damage(t, dir)
			for _, command := range []string{"session verify", "session rekey",
				"session copy --from " + row.store + " --to file:copied"} {
				cmd := run(underTest, command)
				out, _ := cmd.Output()
				if got := cmd.ProcessState.ExitCode(); got != exitFound || !regexp.MustCompile(row.reason).Match(out) {
					t.Errorf("%s ended with %d and wrote %q, want %d and %q", command, got, out, exitFound, row.reason)
				}
			}
			if out := mustRun(t, run(underTest, "session stats")); !strings.Contains(out, "1 record damaged") {
				t.Errorf("stats wrote %q, want the damaged one", out)
			}
			if out := mustRun(t, run(underTest, "session stats --json")); !strings.Contains(out, `"damaged": 1,`) {
				t.Errorf("stats --json wrote %s, want the damaged one", out)
			}
			follow(t, dir, row.advice, run)
			mustRun(t, run(underTest, "session rekey"))
		})
	}
}
