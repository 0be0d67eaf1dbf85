package browser_test

import "syscall"

// endsWithUs has a program end when this one does, however that happens.
var endsWithUs = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
