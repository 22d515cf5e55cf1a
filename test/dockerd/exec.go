package dockerd

import (
	"bytes"
	"testing"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
)

// Exec runs a command in a container and gives what it printed; another exit code than 0 ends
// the test.
func (d *Daemon) Exec(t testing.TB, container string, command ...string) string {
	t.Helper()
	made, err := d.Client.ExecCreate(t.Context(), container, client.ExecCreateOptions{Cmd: command, AttachStdout: true, AttachStderr: true})
	if err != nil {
		t.Fatalf("running %q in a container: %v", command, err)
	}
	attached, err := d.Client.ExecAttach(t.Context(), made.ID, client.ExecAttachOptions{})
	if err != nil {
		t.Fatalf("running %q in a container: %v", command, err)
	}
	defer attached.Close()
	var out, problems bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &problems, attached.Reader); err != nil {
		t.Fatalf("reading the output of %q in a container: %v", command, err)
	}
	end, err := d.Client.ExecInspect(t.Context(), made.ID, client.ExecInspectOptions{})
	if err != nil || end.ExitCode != 0 {
		t.Fatalf("%q in a container ended with %d (%v):\n%s%s", command, end.ExitCode, err, &out, &problems)
	}
	return out.String()
}
