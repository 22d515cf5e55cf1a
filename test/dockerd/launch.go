package dockerd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/client"

	"slipway/test/child"
)

// boot runs as process 1 of the daemon's namespaces, under tini. What a reboot forgets is
// on tmpfs: with it, process ids of an earlier run are never taken for living ones, and the
// machine's own containerd is out of sight. Parts of Docker write to /etc/docker and
// /var/lib/docker whatever the configuration says, so these are the daemon's too. $1 is
// the daemon's directory, $2 the machine's name or "".
const boot = `set -e
if [ -n "$2" ]; then echo "$2" > /proc/sys/kernel/hostname; fi
mount --make-rprivate /
mount -t proc proc /proc
mkdir -p /run/docker /run/containerd /etc/docker /var/lib/docker "$1/etc" "$1/data"
mount -t tmpfs tmpfs /run/docker
mount -t tmpfs tmpfs /run/containerd
mount --bind "$1/etc" /etc/docker
mount --bind "$1/data" /var/lib/docker
exec dockerd --config-file "$1/daemon.json" --host "unix://$1/docker.sock"`

// launch starts the daemon and returns when it answers.
func (d *Daemon) launch() error {
	if err := d.configure(); err != nil {
		return err
	}
	log, err := os.OpenFile(d.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("tini", "-s", "--", "sh", "-c", boot, "sh", d.dir, d.options.Hostname)
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS,
	}
	p, err := child.Start(cmd, d.network.enter)
	if err != nil {
		return err
	}
	if err := d.await(p); err != nil {
		p.Kill()
		return err
	}
	d.process = p
	return nil
}

// configure writes the daemon's configuration. Paths are as the daemon sees them.
func (d *Daemon) configure() error {
	mirrors := []string{}
	for _, mirror := range d.options.Mirrors {
		mirrors = append(mirrors, "http://"+mirror)
	}
	config := map[string]any{
		"data-root":           "/var/lib/docker",
		"exec-root":           "/run/docker",
		"pidfile":             "/run/docker/docker.pid",
		"cgroup-parent":       "/" + cgroup(d.dir),
		"exec-opts":           []string{"native.cgroupdriver=cgroupfs"}, // systemd may not be there
		"registry-mirrors":    mirrors,
		"insecure-registries": append([]string{}, d.options.InsecureRegistries...),
		"shutdown-timeout":    10,
	}
	if d.options.HostNetwork {
		config["bridge"], config["iptables"], config["ip6tables"] = "none", false, false
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.dir, "daemon.json"), data, 0o644)
}

// await asks the daemon until it answers, ends, or a minute has passed.
func (d *Daemon) await(p *child.Process) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		_, err := d.Client.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true})
		if err == nil {
			return nil
		}
		select {
		case <-p.Done:
			return errors.Join(errors.New("it ended"), p.Err)
		case <-ctx.Done():
			return fmt.Errorf("it did not answer within a minute: %w", err)
		case <-again.C:
		}
	}
}

func (d *Daemon) logFile() string { return filepath.Join(d.dir, "dockerd.log") }

// LogTail gives the last n lines of the daemon's log.
func (d *Daemon) LogTail(n int) string {
	data, err := os.ReadFile(d.logFile())
	if errors.Is(err, os.ErrNotExist) {
		return "(no log)"
	}
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
