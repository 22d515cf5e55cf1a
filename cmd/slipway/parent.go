package main

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"slipway/magefiles/launch"
)

// dieWithParent makes a kill of the mage that started this process end it as well: it
// gets SIGTERM then and stops its builds, rather than going on unseen.
func dieWithParent() {
	if os.Getenv(launch.Marker) == "" {
		return
	}
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0, 0, 0) // without it, only less tidy
}
