//go:build !linux

package browser_test

import "syscall"

// endsWithUs is what only Linux can do.
var endsWithUs *syscall.SysProcAttr
