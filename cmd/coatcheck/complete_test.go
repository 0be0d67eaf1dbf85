//go:build unix

package main

import (
	"net"
	"os"
	"path/filepath"
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
