//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/creack/pty"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
	"github.com/coatcheck/session/sessionconfig"
)

// inFiles is a command on a site whose sessions are files.
func inFiles(t *testing.T, dir, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := in(t, dir, program, args...)
	cmd.Env = append(os.Environ(), "SESSION_STORE=file")
	return cmd
}

// withFiles is a folder with a site of n sessions in files.
func withFiles(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	mustRun(t, inFiles(t, dir, underTest, "init"))
	mustRun(t, inFiles(t, dir, "seed", "ada", fmt.Sprint(n-1)))
	mustRun(t, inFiles(t, dir, "seed", "-", "1"))
	return dir
}

// More than are ended in one go, by somebody who is asked and watches.
func TestEverySessionOfHundredsEnds(t *testing.T) {
	dir := withFiles(t, 400)
	terminal, err := pty.Start(inFiles(t, dir, underTest, "session", "revoke", "--all"))
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	if _, err := terminal.WriteString("y\n"); err != nil {
		t.Fatal(err)
	}
	said, _ := io.ReadAll(terminal) // it ends with an error of its own when the other side is closed
	for _, want := range []string{"End 399 sessions of ada and 1 anonymous session? [y/N] ", "ending",
		"ended 400 sessions\r\n"} {
		if !strings.Contains(string(said), want) {
			t.Errorf("it said %q, want %q", said, want)
		}
	}
	mustRun(t, inFiles(t, dir, "alive", "0"))
	again := inFiles(t, dir, underTest, "session", "revoke", "--all", "--yes")
	if out := mustRun(t, again); out != "ended 0 sessions\n" {
		t.Errorf("once more it said %q, want that none ended", out)
	}
}

// failing is a filestore whose disk fails after so many saves.
type failing struct {
	*filestore.Store
	saves atomic.Int64 // that are left
}

var errDisk = errors.New("input/output error")

func (f *failing) Save(ctx context.Context, rec *session.Record) error {
	if f.saves.Add(-1) < 0 {
		return errDisk
	}
	return f.Store.Save(ctx, rec)
}

func (f *failing) Delete(ctx context.Context, id string) error {
	if f.saves.Load() < 0 {
		return errDisk
	}
	return f.Store.Delete(ctx, id)
}

// Nobody knows how much of their work was done before something failed, unless they are told.
func TestARevocationThatFailsInTheMiddleSaysHowManyHaveEnded(t *testing.T) {
	files, err := filestore.New(filepath.Join(t.TempDir(), "sessions"), filestore.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	store := &failing{Store: files}
	store.saves.Store(400 + 200)
	m, err := session.New(store, session.Options{Secrets: []session.Secret{session.NewSecret()},
		SweepEvery: session.Never})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for range 400 {
		s, _ := m.Open(t.Context(), "")
		s.Login("ada")
		if err := s.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	site := &site{Manager: m, cfg: &sessionconfig.Config{Store: "file"}, store: store}
	done, err := site.revoke(t.Context(), &tool{}, target{all: true, reason: "operator"}, true)
	left := 0
	for _, err := range m.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		left++
	}
	want := fmt.Sprintf("after ending %d sessions: ", done.ended)
	if done.ended != 200 || left != 200 || code(err) != exitUnavailable || !strings.HasPrefix(err.Error(), want) ||
		!errors.Is(err, errDisk) {
		t.Errorf("revoke = %+v, %v, and %d are left; want 200 of each, and to be told", done, err, left)
	}
}
