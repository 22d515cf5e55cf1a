package docker

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/docker/cli/cli/config/types"

	"slipway/test/dockerd"
)

func TestWhichDockersAreRecent(t *testing.T) {
	for version, want := range map[string]bool{
		"20.10.24+dfsg1": false, "22.06.0-beta.0": false, "23.0.0": true, "28.5.2": true, "29.0.0-rc.1": true, "dev": false, "": false,
	} {
		if got := (&Daemon{Version: version}).Recent(); got != want {
			t.Errorf("Docker %q: recent %v, want %v", version, got, want)
		}
	}
}

// A daemon without its default network has none for build steps but the machine's.
func TestADaemonWithAndWithoutItsBridge(t *testing.T) {
	for _, without := range []bool{false, true} {
		d, err := Dial(t.Context(), dockerd.Start(t, dockerd.Options{HostNetwork: without}).Host)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := d.Bridgeless(t.Context()); err != nil || got != without {
			t.Errorf("bridgeless: %v (%v), want %v", got, err, without)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestPushingWhatIsNotThere(t *testing.T) {
	d, err := Dial(t.Context(), dockerd.Start(t, dockerd.Options{HostNetwork: true}).Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = d.Push(ctx, []string{"127.0.0.1:9/group/app:1"}, func(string) (types.AuthConfig, error) { return types.AuthConfig{}, nil })
	if err == nil || !strings.HasPrefix(err.Error(), "pushing 127.0.0.1:9/group/app:1 from Docker: ") {
		t.Errorf("Push: %v", err)
	}
}
