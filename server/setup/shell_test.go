package setup

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// nasty are texts that a shell would take for something else.
var nasty = []string{"", "plain", "two words", "it's", `"$HOME" $(id) ` + "`id`", "-n", "a\nb\n", "*", "~", "a;b|c&d", `back\slash`, "%s %d", "é", "!x", "#"}

func TestWhatIsQuotedReachesTheCommandAsItIs(t *testing.T) {
	for _, text := range nasty {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+quote(text)).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q became %q (%v)", text, out, err)
		}
		// Once more inside of another shell's word, as the admin's shell gets it.
		out, err = exec.CommandContext(t.Context(), "sh", "-c", "sh -c "+quote("printf %s "+quote(text))).Output()
		if err != nil || string(out) != text {
			t.Errorf("%q became %q within a script (%v)", text, out, err)
		}
	}
}

func TestAFileIsWrittenAndThenFoundToBeSo(t *testing.T) {
	sh := func(script string) error { return exec.CommandContext(t.Context(), "sh", "-ec", script).Run() }
	for _, text := range nasty {
		file := filepath.Join(t.TempDir(), "it's new", "file")
		if sh(holds(file, text)) == nil {
			t.Errorf("a file that is not there holds %q", text)
		}
		if err := sh(write(file, "640", text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		info, fault := os.Stat(file)
		if err != nil || fault != nil || string(got) != text || info.Mode().Perm() != 0o640 {
			t.Errorf("%q was written as %q (%v, %v)", text, got, err, info)
		}
		if err := sh(holds(file, text)); err != nil {
			t.Errorf("%q is not found to be so: %v", text, err)
		}
	}
}

func TestWhatAHostSaysIsRead(t *testing.T) {
	got, err := parseFacts("os=ZGViaWFu\nversion=MTI=\nhostname=b25lCg==\napt=eWVzCg==\ndocker=" +
		"RG9ja2VyIHZlcnNpb24gMjAuMTAuMjQrZGZzZzEsIGJ1aWxkIDVkNmRiODQK\nswarm=eyJOb2RlSUQiOiJuMSIsIk5vZGVBZGRyIjoiMTAuMC4wLjEiLCJMb2NhbE5vZGVTdGF0ZSI6ImFjdGl2ZSIsIkNvbnRyb2xBdmFpbGFibGUiOnRydWV9\n")
	if err != nil || got.OS != "debian" || got.Version != "12" || got.Hostname != "one" || !got.Apt || got.Systemd || got.Docker != "20.10.24+dfsg1" ||
		got.Swarm != (Swarm{State: "active", NodeID: "n1", Address: "10.0.0.1", Manager: true}) {
		t.Errorf("got %+v (%v)", got, err)
	}
	if _, err := parseFacts("Welcome to this host!\nos=ZGViaWFu\n"); err == nil {
		t.Error("a greeting was taken for a fact")
	}
}

func TestDockersOwnBridgesAreNoAddresses(t *testing.T) {
	const said = `2: eth0    inet 203.0.113.7/24 brd 203.0.113.255 scope global eth0\       valid_lft forever
2: eth0    inet6 2001:db8::7/64 scope global \       valid_lft forever
3: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0
4: br-1a2b    inet 172.18.0.1/16 scope global br-1a2b
5: eth1    inet 10.0.0.2/24 scope global eth1
`
	got := addresses(said)
	if len(got) != 2 || got[0] != "203.0.113.7" || got[1] != "10.0.0.2" {
		t.Errorf("got %v", got)
	}
}
