//go:build unix

package keyfile

import (
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// Changed is when a file got what it holds, or came to its place. A file that was moved or copied there may have the
// time of its origin as its own, and somebody can set that one.
func Changed(path string) (time.Time, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return time.Time{}, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	modified, changed := time.Unix(st.Mtim.Unix()), time.Unix(st.Ctim.Unix())
	if changed.After(modified) {
		return changed, nil
	}
	return modified, nil
}
