package postgrestest

import "syscall"

// endWithUs has the kernel end the process when we end, however that is: a test that runs
// into its time limit runs no clean-up.
func endWithUs(attr *syscall.SysProcAttr) *syscall.SysProcAttr {
	attr.Pdeathsig = syscall.SIGQUIT
	return attr
}
