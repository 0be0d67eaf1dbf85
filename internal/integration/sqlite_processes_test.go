package integration_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/coatcheck/session"
)

// childFile is the environment variable by which a test tells a copy of itself that it is one, and on which file.
const childFile = "COATCHECK_TEST_SQLITE_FILE"

const childIncrements = 20

// A service with ten workers starts on an empty file, and its visitors do not wait.
func TestSQLiteTenProcessesStartAtOnce(t *testing.T) {
	path := sqliteFile(t)
	children := make([]*exec.Cmd, 10)
	said := make([]bytes.Buffer, len(children))
	for i := range children {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSQLiteOneOfTenProcesses$")
		cmd.Env = append(os.Environ(), childFile+"="+path)
		cmd.Stdout, cmd.Stderr = &said[i], &said[i]
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		children[i] = cmd
	}
	for i, cmd := range children {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v\n%s", i, err, &said[i])
		}
	}
	rec := loaded(t, newSQLite(t, openSQLite(t, path), ""), "shared")
	if got, want := binary.BigEndian.Uint64(rec.Data), uint64(len(children)*childIncrements); got != want {
		t.Errorf("%d increments are there, want %d", got, want)
	}
}

func TestSQLiteOneOfTenProcesses(t *testing.T) {
	path := os.Getenv(childFile)
	if path == "" {
		t.Skip("runs in the processes that TestSQLiteTenProcessesStartAtOnce starts")
	}
	ctx := context.Background()
	store := migrated(t, openSQLite(t, path), "")
	err := store.Save(ctx, &session.Record{ID: "shared", Data: make([]byte, 8)})
	if err != nil && !errors.Is(err, session.ErrConflict) {
		t.Fatal(err)
	}
	for range childIncrements {
		if err := increment(ctx, store, "shared"); err != nil {
			t.Fatal(err)
		}
	}
}
