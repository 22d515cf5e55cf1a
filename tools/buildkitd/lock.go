package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"
)

const (
	lockName    = "server.lock"  // held for the server's life; says who holds it
	clientsName = "clients.lock" // held shared by commands that use the server
)

// holder is what server.lock says. Package slipway/engine/embedded reads it.
type holder struct {
	PID  int    `json:"pid"`
	Addr string `json:"addr"`
	Run  string `json:"run"`
}

// held keeps locks reachable: the garbage collector closes a forgotten file, and that
// unlocks it. They are never released otherwise; the kernel does so when the process ends,
// after the last write to the state.
var held []*flock.Flock

// takeRoot makes this process the only server on its root, and writes down who it is. It
// returns the run directories to clean: this server's and its predecessor's.
func takeRoot(c options) (runs []string, err error) {
	path := filepath.Join(c.root, lockName)
	lock := flock.New(path)
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	var before holder
	if data, err := os.ReadFile(path); err == nil {
		_ = json.Unmarshal(data, &before) // a torn write of a killed server says nothing
	}
	if !ok {
		return nil, fmt.Errorf("another server (process %d) runs on %s; stop it, or use its address %s", before.PID, c.root, before.Addr)
	}
	runs = []string{c.run}
	if before.Run != "" && !slices.Contains(runs, before.Run) {
		runs = append(runs, before.Run)
	}
	pid, _ := holderPID()
	data, err := json.Marshal(holder{PID: pid, Addr: c.addr, Run: c.run})
	if err != nil {
		return nil, err
	}
	// In place: a rename would put an unlocked file where the locked one was.
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", path, err), lock.Unlock())
	}
	held = append(held, lock)
	return runs, nil
}
