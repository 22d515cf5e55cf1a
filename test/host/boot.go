package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"slipway/test/child"
	"slipway/test/sshd"
)

// boot runs as process 1 of the host's namespaces, under tini: all of it ends with that process.
// $1 is the host's directory, $2 the root filesystem, $3 the host's name, $4 that of its control
// groups, each the root of what the host's own systemd manages. Docker cannot keep images on an
// overlay, so its directories are on the disk itself.
const boot = `set -e
for tree in /sys/fs/cgroup /sys/fs/cgroup/*; do
	if [ ! -e "$tree/cgroup.procs" ]; then continue; fi
	mkdir -p "$tree/$4"
	for file in cpuset.cpus cpuset.mems; do # of version 1, without which nobody may be in the group
		if [ -e "$tree/$file" ] && [ -e "$tree/$4/$file" ]; then cat "$tree/$file" > "$tree/$4/$file"; fi
	done
	echo 0 > "$tree/$4/cgroup.procs"
done
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
touch "$1/netns"
mount --bind /proc/self/ns/net "$1/netns"
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 SYSTEMD_NSPAWN_LOCK=0
exec systemd-nspawn --quiet --boot --register=no --keep-unit --directory="$1/root" --hostname="$3" --machine="$3" \
	--network-namespace-path="$1/netns" --resolv-conf=off --timezone=off --link-journal=no --console=pipe --kill-signal=SIGKILL \
	--capability=all --system-call-filter='@keyring bpf' \
	--bind="$1/docker:/var/lib/docker" --bind="$1/containerd:/var/lib/containerd"`

func (h *Host) upper() string { return filepath.Join(h.dir, "upper") }

// prepare writes what is the host's own: its keys, who may log in, its files.
func (h *Host) prepare() error {
	for _, dir := range []string{"upper", "work", "root", "docker", "containerd"} {
		if err := os.MkdirAll(filepath.Join(h.dir, dir), 0o755); err != nil {
			return err
		}
	}
	hostKey, hostPublic := sshd.NewKey(h.t, "ed25519", "")
	key, public := sshd.NewKey(h.t, "ed25519", "")
	h.Key = key
	authorized := string(ssh.MarshalAuthorizedKey(public))
	files := map[string]string{
		"/etc/hostname":                     h.options.Name + "\n",
		"/etc/hosts":                        "127.0.0.1 localhost\n127.0.1.1 " + h.options.Name + "\n",
		"/etc/ssh/ssh_host_ed25519_key":     hostKey,
		"/etc/ssh/ssh_host_ed25519_key.pub": string(ssh.MarshalAuthorizedKey(hostPublic)),
		"/root/.ssh/authorized_keys":        authorized,
		"/home/admin/.ssh/authorized_keys":  authorized,
		"/home/clerk/.ssh/authorized_keys":  authorized,
	}
	for name, text := range h.options.Files {
		files[name] = text
	}
	for name, text := range files {
		if err := h.put(name, text); err != nil {
			return err
		}
	}
	return nil
}

// put writes a file to the host's layer before it boots. Directories have the modes of the layer
// below, as far as sshd looks at them.
func (h *Host) put(name, text string) error {
	path := filepath.Join(h.upper(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if strings.HasSuffix(name, "_key") {
		mode = 0o600
	}
	return os.WriteFile(path, []byte(text), mode)
}

// boot starts the host and returns when its sshd answers.
func (h *Host) boot() error {
	log, err := os.OpenFile(h.consoleFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("tini", "-s", "--", "sh", "-c", boot, "sh", h.dir, h.root, h.options.Name, cgroup(h.dir))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin", "LC_ALL=C"}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	p, err := child.Start(cmd, h.machine.Enter)
	if err != nil {
		return err
	}
	if err := h.await(p); err != nil {
		p.Kill()
		return err
	}
	h.process = p
	return nil
}

// await asks for sshd's greeting until it comes, the host ends, or a minute has passed.
func (h *Host) await(p *child.Process) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := h.greeted(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.Done:
			return errors.Join(errors.New("it ended"), p.Err)
		case <-ctx.Done():
			return fmt.Errorf("its sshd did not answer within a minute: %w", err)
		case <-again.C:
		}
	}
}

func (h *Host) greeted(ctx context.Context) error {
	conn, err := h.machine.Dial(ctx, "tcp4", net.JoinHostPort(h.IP, "22"))
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	greeting := make([]byte, 4)
	if _, err := conn.Read(greeting); err != nil || string(greeting) != "SSH-" {
		return fmt.Errorf("it said %q (%w)", greeting, err)
	}
	return nil
}

// Run runs a script as root on the host, not by way of sshd.
func (h *Host) Run(ctx context.Context, script string) (string, error) {
	h.mu.Lock()
	p := h.process
	h.mu.Unlock()
	if p == nil {
		return "", errors.New("the host is down")
	}
	first, err := initOf(p.Cmd.Process.Pid)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "nsenter", "--target", strconv.Itoa(first), "--mount", "--uts", "--ipc", "--net", "--pid", "--", "sh", "-c", script)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// initOf finds the host's own process 1: the child of systemd-nspawn, which tini started.
func initOf(tini int) (int, error) {
	pid := tini
	for range 2 {
		children, err := childrenOf(pid)
		if err != nil || len(children) == 0 {
			return 0, fmt.Errorf("finding the host's first process: process %d has no child (%w)", pid, err)
		}
		pid = children[0]
	}
	return pid, nil
}

// childrenOf reads who has this parent (proc(5), /proc/PID/stat: the second field, which may
// hold anything, is in brackets).
func childrenOf(parent int) (found []int, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		data, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(parent) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
			if err == nil {
				found = append(found, pid)
			}
		}
	}
	return found, err
}

func (h *Host) consoleFile() string { return filepath.Join(h.dir, "console") }

// console gives the last n lines of what the host wrote to its console.
func (h *Host) console(n int) string {
	data, err := os.ReadFile(h.consoleFile())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
