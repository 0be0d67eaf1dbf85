//go:build unix

package keyfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Changed is when a file got what it holds, or came to its place, be it by a link that was turned. A file that was
// moved or copied there may have the time of its origin as its own, and somebody can set that one. That a folder was
// moved is not seen: its time changes with whatever is made in it as well.
func Changed(path string) (time.Time, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return time.Time{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	last := later(time.Unix(st.Mtim.Unix()), time.Unix(st.Ctim.Unix()))
	for range mostLinks {
		turned, to, err := firstLink(path)
		if err != nil || to == "" {
			return last, err
		}
		last, path = later(last, turned), to
	}
	return last, nil
}

// mostLinks is more than any system follows.
const mostLinks = 255

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// firstLink is when the first link on the way to a path was turned, and the path without it; "" where there is none.
// The path is not cleaned, for what .. means after a link depends on where that leads.
func firstLink(path string) (turned time.Time, to string, err error) {
	for i := 1; i <= len(path); i++ {
		if i < len(path) && path[i] != '/' {
			continue
		}
		var st unix.Stat_t
		if err := unix.Lstat(path[:i], &st); err != nil {
			return turned, "", &fs.PathError{Op: "lstat", Path: path[:i], Err: err}
		}
		if st.Mode&unix.S_IFMT != unix.S_IFLNK {
			continue
		}
		to, err := os.Readlink(path[:i])
		if !filepath.IsAbs(to) {
			to = path[:strings.LastIndexByte(path[:i], '/')+1] + to
		}
		return time.Unix(st.Ctim.Unix()), to + path[i:], err
	}
	return turned, "", nil
}
