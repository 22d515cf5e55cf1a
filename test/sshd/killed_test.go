package sshd_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"slipway/test/sshd"
)

func TestNoServerOutlivesATestThatIsKilled(t *testing.T) {
	if os.Getenv("SLIPWAY_TEST_VICTIM") != "" {
		fmt.Printf("listening on %s\n", sshd.Start(t, sshd.Options{HostKeys: []string{"ed25519"}}).Address())
		select {}
	}
	victim := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	victim.Env = append(os.Environ(), "SLIPWAY_TEST_VICTIM=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		_, address, _ = strings.Cut(lines.Text(), "listening on ")
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Errorf("the server at %q does not listen: %v", address, err)
	} else {
		_ = conn.Close()
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // "signal: killed"
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	deadline := time.After(20 * time.Second)
	for {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		_ = conn.Close()
		select {
		case <-deadline:
			t.Fatal("the server still listens 20 seconds after its test was killed")
		case <-again.C:
		}
	}
}
