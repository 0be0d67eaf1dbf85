//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// asOwner says as whom root has to run a command that works on a path of somebody else, or would make it in their
// folder: what root makes there the site cannot use. It is nil for anybody but root.
func asOwner(path string, as int) error {
	abs, err := filepath.Abs(path)
	if as != 0 || err != nil || path == "" {
		return nil
	}
	uid, where := ownerOf(abs)
	if uid == 0 {
		return nil
	}
	name := strconv.Itoa(uid)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return fmt.Errorf("%s belongs to %s: run this as that user, which docs/deploying.md shows for systemd", where, name)
}

// ownerOf is who owns a file or a folder, or where it would be made; root where that cannot be seen.
func ownerOf(path string) (uid int, where string) {
	info, err := os.Stat(path)
	if parent := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) && parent != path {
		return ownerOf(parent)
	}
	if err != nil {
		return 0, path
	}
	return int(info.Sys().(*syscall.Stat_t).Uid), path
}
