package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rootless-containers/rootlesskit/v3/pkg/child"
	"github.com/rootless-containers/rootlesskit/v3/pkg/common"
	"github.com/rootless-containers/rootlesskit/v3/pkg/parent"
	"github.com/sirupsen/logrus"
)

// Without root the server is root of a user namespace instead. Three processes of this
// program, with the same arguments, are then one server:
//
//	the holder      the user's own process: makes the namespaces, has the server's number
//	                and passes signals on
//	└ the init      process 1 in them: when it ends, or the holder does, the kernel kills
//	  │             all that is inside, containers too
//	  └ the server  what a root's only process is
//
// The environment says which of them a process is.
const (
	initEnv       = "SLIPWAY_USERNS_PIPE"       // set for the init: its pipes to the holder
	holderEnv     = "SLIPWAY_USERNS_HOLDER"     // set for the init and the server: the holder's process number
	stateEnv      = "SLIPWAY_USERNS_STATE"      // rootlesskit's directory
	activationEnv = "SLIPWAY_USERNS_ACTIVATION" // always false: no sockets come from systemd
)

// holderPID is the process number that commands outside know this server by, and whether
// the server is in namespaces of its own.
func holderPID() (pid int, namespaced bool) {
	pid, err := strconv.Atoi(os.Getenv(holderEnv))
	if err != nil {
		return os.Getpid(), false
	}
	return pid, true
}

// usernsDir is rootlesskit's directory of a holder. It has the holder's number, since a
// holder removes its directory at its very end, when another may have begun.
func usernsDir(run string, holder int) string {
	return filepath.Join(run, fmt.Sprintf("userns-%d", holder))
}

// holdNamespaces is the holder: it returns when the server has ended.
func holdNamespaces(c options) error {
	// Of the library's words only its errors, which come back, are of use here.
	logrus.SetLevel(logrus.ErrorLevel)
	dir := usernsDir(c.run, os.Getpid())
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing what a killed server left: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the state directory: %w", err)
	}
	if err := os.Setenv(holderEnv, strconv.Itoa(os.Getpid())); err != nil {
		return err
	}
	return ended("running in a user namespace", parent.Parent(parent.Opt{
		PipeFDEnvKey:             initEnv,
		ChildUseActivationEnvKey: activationEnv,
		StateDir:                 dir,
		StateDirEnvKey:           stateEnv,
		CreatePIDNS:              true,
		Propagation:              "rprivate",
	}))
}

// beInit is the init: it starts the server, and buries what the server's containers leave.
func beInit() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	logrus.SetLevel(logrus.ErrorLevel)
	return ended("starting in a user namespace", child.Child(child.Opt{
		PipeFDEnvKey:             initEnv,
		ChildUseActivationEnvKey: activationEnv,
		StateDirEnvKey:           stateEnv,
		TargetCmd:                append([]string{self}, os.Args[1:]...),
		MountProcfs:              true, // of the new process namespace
		Propagation:              "rprivate",
		Reaper:                   true,
	}))
}

// ownProc says whether /proc shows the new process namespace. Linux refuses to mount one
// where parts of the present /proc are hidden, as containers hide them, and would refuse
// the server's containers theirs.
func ownProc() error {
	self, err := os.Readlink("/proc/self")
	if err == nil && self == strconv.Itoa(os.Getpid()) {
		return nil
	}
	return errors.New("without root a /proc of its own cannot be mounted here, where parts of /proc are hidden, as in a container; " +
		"start that with --security-opt systempaths=unconfined, or run as root")
}

// errSaid ends a process whose child has said already what was wrong.
type errSaid struct{ code int }

func (e errSaid) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// ended says what an error of rootlesskit is: one that wraps a child's exit status directly
// is the end of a child that has said why; others are passed on, with what was being done.
func ended(doing string, err error) error {
	if err == nil {
		return nil
	}
	if code, ok := common.GetExecExitStatus(err); ok && code > 0 {
		return errSaid{code}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
