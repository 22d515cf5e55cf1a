//go:build unix && !linux

package postgrestest

import "syscall"

// endWithUs does nothing: only Linux can.
func endWithUs(attr *syscall.SysProcAttr) *syscall.SysProcAttr { return attr }
