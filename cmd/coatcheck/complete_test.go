//go:build unix

package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A server that takes the connection and says nothing, while somebody has pressed Tab. The test ends a process that
// hangs, in the end.
func TestAStoreThatHangsOffersNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	for _, row := range []struct{ store, driver, dsn, words string }{
		{"redis", "redis", "redis://" + l.Addr().String() + "/0", "session list --user"},
		{"database", "postgresql", "postgres://coatcheck@" + l.Addr().String() + "/site?sslmode=disable",
			"session show"},
		{"database", "mysql", "coatcheck@tcp(" + l.Addr().String() + ")/site", "session revoke"},
	} {
		t.Run(row.driver, func(t *testing.T) {
			t.Parallel()
			args := append(strings.Fields("__complete "+row.words), "")
			cmd := in(t, t.TempDir(), underTest, args...)
			cmd.Env = append(os.Environ(), "SESSION_STORE="+row.store, "SESSION_CONNECTIONS__HUNG__DRIVER="+row.driver,
				"SESSION_CONNECTIONS__HUNG__DSN="+row.dsn)
			if out, err := cmd.Output(); err != nil || string(out) != ":4\n" {
				t.Errorf("the words after %q are %q, %v, want none", row.words, out, err)
			}
		})
	}
}

// Tab in a folder of somebody else must not run what its configuration names.
func TestTabRunsNoProgramOfTheConfiguration(t *testing.T) {
	for _, row := range []struct{ store, driver, words string }{
		{"redis", "redis", "session list --user"},
		{"database", "sqlite", "session show"},
		{"database", "postgresql", "session revoke"},
		{"cookies", "postgresql", "session list --user"},
	} {
		t.Run(row.store+" "+row.driver, func(t *testing.T) {
			dir := t.TempDir()
			text := "store: " + row.store + "\nconnections:\n  main: {driver: " + row.driver +
				", dsn_command: [touch, ran]}\nstores:\n  cookies: {revocations: database}\nsecrets:\n" +
				"  command: [touch, ran]\n"
			if err := os.WriteFile(filepath.Join(dir, "session.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := in(t, dir, underTest, append(strings.Fields("__complete "+row.words), "")...).Output()
			if err != nil || string(out) != ":4\n" {
				t.Errorf("the words are %q, %v, want none", out, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
				t.Error("the program ran")
			}
		})
	}
}

// Tab puts what several words have in common on the command line as it is, and the next Tab has the shell read it. So
// a name for which the shell would run something is not offered.
func TestTabOffersNoWordThatAShellReadsOtherwise(t *testing.T) {
	dir := withSessions(t)
	hostile := []string{"zoe`touch${IFS}ran`", "zoe$(touch ran)", "zoe;touch ran", "zoe>ran", "zoe&", "zoe|touch",
		"zoe*", "zoe'", `zoe"`, `zoe\`, "zoe!ran", "zoe{ran,}", "zoe#", "zoe~", "zoe=", "zoe\u3000ran"}
	config := "store: database\nstores: {database: {connection: local}}\nconnections:\n" +
		"  local: {driver: sqlite, path: sessions.db}\n"
	for _, name := range append(hostile, "zoe.lovelace+x@example.com", "zoé") {
		mustRun(t, in(t, dir, "seed", name, "1"))
		config += "  " + strconv.Quote(name) + ": {driver: sqlite, path: a}\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "session.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for words, want := range map[string]string{
		"session list --user":   "zoe.lovelace+x@example.com\nzoé\n:4\n",
		"session revoke --user": "zoe.lovelace+x@example.com\nzoé\n:4\n",
		"session copy --from":   "database\ndatabase:local\ndatabase:zoe.lovelace+x@example.com\ndatabase:zoé\n:4\n",
	} {
		begun := map[bool]string{true: "z"}[strings.HasSuffix(words, "user")]
		args := append(strings.Fields("__complete "+words), begun)
		var out []byte
		for range 20 { // a busy machine may be too slow for the time that Tab has
			if out, _ = in(t, dir, underTest, args...).Output(); string(out) == want {
				break
			}
		}
		if string(out) != want {
			t.Errorf("after %q there are %q, want %q", words, out, want)
		}
	}
}
