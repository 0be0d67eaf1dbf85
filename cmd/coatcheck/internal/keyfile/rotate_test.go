package keyfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coatcheck/session"
	"github.com/coatcheck/session/cmd/coatcheck/internal/keyfile"
)

// A secret that is lost again may have signed tickets meanwhile.
func TestOfSeveralRotationsAtOnceNoneIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.secret")
	if err := keyfile.Create(path); err != nil {
		t.Fatal(err)
	}
	var rotating sync.WaitGroup
	var done atomic.Int64
	for range 4 {
		rotating.Go(func() {
			for range 8 {
				_, err := keyfile.Rotate(path, -1)
				if err == nil {
					done.Add(1)
				} else if !strings.Contains(err.Error(), "another rotation") {
					t.Error(err)
				}
			}
		})
	}
	rotating.Wait()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secrets, err := session.ParseSecrets(string(text))
	if err != nil || int64(len(secrets)) != 1+done.Load() || done.Load() == 0 {
		t.Errorf("%d rotations were done, and there are %d secrets, %v", done.Load(), len(secrets), err)
	}
}

// What a rotation leaves that was killed says what it is, and a failure leaves nothing.
func TestARotationLeavesNothingBesideTheFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "session.secret")
	if err := os.WriteFile(path, []byte("hush"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Rotate(path, -1); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("a file that holds no secret: %v", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("beside the file there is %v, %v", left, err)
	}
	killed := filepath.Join(dir, ".session.next.secret")
	if err := os.WriteFile(killed, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keyfile.Rotate(path, -1); err == nil || !strings.Contains(err.Error(), killed) {
		t.Errorf("beside a rotation that was killed: %v, want the file to remove", err)
	}
	if _, err := os.Stat(killed); err != nil {
		t.Errorf("the file of the other rotation is gone: %v", err)
	}
}

// An editor on Windows puts the mark in front, where nothing may stand between two secrets.
func TestARotationLeavesOutAByteOrderMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.secret")
	if err := os.WriteFile(path, []byte("\ufeff"+keyfile.New()+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := keyfile.Rotate(path, -1); n != 2 || err != nil {
		t.Fatalf("Rotate = %d, %v", n, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if secrets, err := session.ParseSecrets(string(text)); len(secrets) != 2 || err != nil {
		t.Errorf("there are %d secrets, %v", len(secrets), err)
	}
}
