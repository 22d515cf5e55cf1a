package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"slipway/engine/embedded"
	"slipway/test/figures"
)

// BenchmarkMemory is what the client needs at most while it builds and pushes a service, and the
// embedded engine when it has nothing to do.
func BenchmarkMemory(b *testing.B) {
	s := newShop(b)
	client := figures.Sample{Name: "client", Command: "slipway image:push ping (largest resident set)"}
	idle := figures.Sample{Name: "engine", Command: "slipway-buildkitd after it (resident set)"}
	s.slipway(b, "image:push", "ping")
	for b.Loop() {
		s.change(b)
		cmd := s.command("image:push", "ping")
		timed(b, cmd)
		client.Values = append(client.Values, maxResident(cmd))
		idle.Values = append(idle.Values, s.engineResident(b))
	}
	figures.Record(b, figures.Figure{Work: "memory of the client", Unit: "MB", Ours: client, AtMost: 150})
	figures.Record(b, figures.Figure{Work: "memory of the embedded engine, idle", Unit: "MB", Ours: idle, AtMost: 80})
}

// maxResident is the largest resident set of a process that has ended, in MB (getrusage(2): KiB).
func maxResident(cmd *exec.Cmd) float64 {
	return float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) * 1024 / 1e6
}

// engineResident is the resident set of the embedded engine's server now, in MB (proc(5)).
func (s *shop) engineResident(b *testing.B) float64 {
	b.Helper()
	server, err := embedded.Start(b.Context(), embedded.Options{CacheDir: s.cache, ServerSource: filepath.Join(s.home, "tools/buildkitd")})
	check(b, err)
	defer func() { _ = server.Close() }()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", server.PID))
	check(b, err)
	for line := range bytes.Lines(status) {
		if kib, ok := strings.CutPrefix(string(line), "VmRSS:"); ok {
			n, err := strconv.ParseFloat(strings.Fields(kib)[0], 64)
			check(b, err)
			return n * 1024 / 1e6
		}
	}
	b.Fatalf("/proc/%d/status has no VmRSS:\n%s", server.PID, status)
	return 0
}
