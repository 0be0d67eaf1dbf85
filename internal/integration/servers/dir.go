//go:build linux

package servers

import (
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// folders begin like this, in the folder for temporary files.
const folders = "coatcheck-server-"

// held keeps the folders of this program open, and with them the locks that say that it lives, and its ports taken.
var held []io.Closer

// newDir makes a folder for the data of a server, and first removes those that were abandoned.
func newDir(name string) (string, error) {
	removeAbandonedOnce()
	dir, err := os.MkdirTemp("", folders+name+"-")
	if err != nil {
		return "", err
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", err
	}
	allMu.Lock()
	defer allMu.Unlock()
	held = append(held, f)
	return dir, syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
}

// prepared makes the data of a new server at the first call, as a user without privileges, and returns their folder.
// That takes seconds, and a copy of it nearly nothing.
func prepared(username string, fill func(s *Server, data string) error) func() (string, error) {
	return sync.OnceValues(func() (string, error) {
		s, err := newServer("new-"+username, username)
		if err != nil {
			return "", err
		}
		data := filepath.Join(s.Dir, "data")
		return data, fill(s, data)
	})
}

// copyOf gives the server data that were prepared, and returns their folder.
func (s *Server) copyOf(data func() (string, error)) (string, error) {
	from, err := data()
	if err != nil {
		return "", err
	}
	to := filepath.Join(s.Dir, "data")
	return to, s.run("cp", "-a", from, to)
}

var removeAbandonedOnce = sync.OnceFunc(func() { removeAbandoned(os.TempDir(), time.Hour) })

// removeAbandoned removes the folders of programs that were killed before they could do so. A folder whose program
// lives is locked. A younger one stays, for its program may not have locked it yet.
func removeAbandoned(temp string, age time.Duration) {
	found, _ := filepath.Glob(filepath.Join(temp, folders+"*"))
	for _, dir := range found {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < age {
			continue
		}
		f, err := os.Open(dir)
		if err != nil {
			continue // of another user
		}
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir) // what cannot be removed is in nobody's way
		}
		f.Close()
	}
}
