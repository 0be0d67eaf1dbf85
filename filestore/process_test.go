package filestore_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/filestore"
)

// The tests in this file run the test binary again, as other processes that work on the same folder.
const (
	childEnv = "FILESTORE_TEST_CHILD" // what the child does
	dirEnv   = "FILESTORE_TEST_DIR"   // and in which folder
)

func TestMain(m *testing.M) {
	children := map[string]func(*filestore.Store) error{"write": writeForever, "count": count}
	child := children[os.Getenv(childEnv)]
	if child == nil {
		os.Exit(m.Run())
	}
	s, err := filestore.New(os.Getenv(dirEnv), filestore.Options{NoSync: true})
	if err == nil {
		err = child(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// startChild returns what the child prints.
func startChild(t *testing.T, what, dir string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+what, dirEnv+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, out
}

const (
	crashSessions = 5
	crashWrites   = 1000
)

// writeForever saves, touches and deletes, and prints each version that was saved.
func writeForever(s *filestore.Store) error {
	ctx := context.Background()
	for i := range crashWrites {
		id := "session " + strconv.Itoa(i%crashSessions)
		rec, err := s.Load(ctx, id)
		if errors.Is(err, session.ErrNotFound) {
			rec, err = record(id), nil
		}
		if err != nil {
			return err
		}
		fillCrashRecord(rec)
		if err := s.Save(ctx, rec); err != nil {
			return err
		}
		fmt.Println(id+":", rec.Version+1)
		if err := s.Touch(ctx, id, rec.Version+1, rec.SeenAt.Add(1e9), rec.ExpiresAt); err != nil {
			return err
		}
		if i%97 == 96 {
			fmt.Println(id+":", 0)
			if err := s.Delete(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// fillCrashRecord makes user and data follow from the version, so that a mixture of two versions shows.
func fillCrashRecord(rec *session.Record) {
	next := rec.Version + 1
	rec.User = fmt.Sprint("user ", next%3)
	rec.Data = []byte(strings.Repeat(fmt.Sprintf("%d,", next), int(next%2000)))
}

// A process is killed in the middle of writing, again and again. What was acknowledged is there, everything
// loads or is absent, and no session is missing from the list of its user.
func TestAKilledProcessLeavesEveryRecordWhole(t *testing.T) {
	_, dir := newStore(t)
	for range 12 {
		cmd, out := startChild(t, "write", dir)
		acknowledged := map[string]uint64{}
		lines := bufio.NewScanner(out)
		for i, n := 0, rand.IntN(300); i < n && lines.Scan(); i++ {
			note(t, acknowledged, lines.Text())
		}
		_ = cmd.Process.Kill()
		for lines.Scan() {
			note(t, acknowledged, lines.Text())
		}
		_ = cmd.Wait()
		wantWhole(t, dir, acknowledged)
	}
}

func note(t *testing.T, acknowledged map[string]uint64, line string) {
	t.Helper()
	id, version, ok := strings.Cut(line, ": ")
	n, err := strconv.ParseUint(version, 10, 64)
	if !ok || err != nil {
		return // cut by the kill
	}
	acknowledged[id] = n
}

func wantWhole(t *testing.T, dir string, acknowledged map[string]uint64) {
	t.Helper()
	s := reopen(t, dir, filestore.Options{NoSync: true})
	sweep(t, s, start, 10)
	for _, f := range filesIn(t, dir) {
		if strings.HasSuffix(f, ".tmp") {
			t.Errorf("a temporary file is left: %s", f)
		}
	}
	for i := range crashSessions {
		id := "session " + strconv.Itoa(i)
		rec, err := s.Load(t.Context(), id)
		if errors.Is(err, session.ErrNotFound) {
			if acknowledged[id] != 0 {
				t.Errorf("%s is gone, want version %d", id, acknowledged[id])
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		wantCrashRecord(t, s, rec, acknowledged[id])
	}
}

func wantCrashRecord(t *testing.T, s *filestore.Store, rec *session.Record, least uint64) {
	t.Helper()
	want := rec.Clone()
	want.Version--
	fillCrashRecord(want)
	want.Version++
	wantRecord(t, rec, want)
	if rec.Version < least {
		t.Errorf("%s has version %d, but %d had been saved", rec.ID, rec.Version, least)
	}
	if ids := strings.Join(byUser(t, s, rec.User), "\n"); !strings.Contains(ids, rec.ID) {
		t.Errorf("%s is not in the list of %s: %q", rec.ID, rec.User, ids)
	}
}

const countTo = 150

// count adds to a number that others add to as well.
func count(s *filestore.Store) error {
	ctx := context.Background()
	for range countTo {
		rec, err := s.Load(ctx, "counter")
		for err == nil {
			next := rec.Clone()
			binary.BigEndian.PutUint64(next.Data, binary.BigEndian.Uint64(rec.Data)+1)
			err = s.Save(ctx, next)
			var conflict *session.ConflictError
			if !errors.As(err, &conflict) {
				break
			}
			rec, err = conflict.Newest, nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Reading, comparing and writing is one step also between processes.
func TestProcessesThatCountTogetherLoseNothing(t *testing.T) {
	s, dir := newStore(t)
	rec := record("counter")
	rec.Data = make([]byte, 8)
	create(t, s, rec)
	const processes = 3
	var wg sync.WaitGroup
	for range processes {
		cmd, out := startChild(t, "count", dir)
		wg.Go(func() {
			_, _ = io.Copy(io.Discard, out)
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	if err := count(s); err != nil {
		t.Error(err)
	}
	wg.Wait()
	got := load(t, s, "counter")
	if n := binary.BigEndian.Uint64(got.Data); n != (processes+1)*countTo || got.Version != n+1 {
		t.Errorf("the count is %d in version %d, want %d", n, got.Version, (processes+1)*countTo)
	}
}
