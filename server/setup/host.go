package setup

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"

	"slipway/deploy/ssh"
	"slipway/secret"
)

// Host is a server with an admin logged in who may become root.
type Host struct {
	ssh      *ssh.Client
	options  ssh.Options
	root     bool         // the admin is root
	password secret.Value // for sudo; empty where it asks for none
}

// Open logs in as an admin, and finds out how the admin becomes root. password is for sudo, and
// may be empty.
func Open(ctx context.Context, o ssh.Options, password secret.Value) (*Host, error) {
	client, err := ssh.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	h := &Host{ssh: client, options: o}
	if err := h.becomeRoot(ctx, password); err != nil {
		_ = client.Close()
		return nil, err
	}
	return h, nil
}

func (h *Host) becomeRoot(ctx context.Context, password secret.Value) error {
	id, err := h.ssh.Run(ctx, "id -u", nil)
	if err != nil {
		return err
	}
	if h.root = strings.TrimSpace(id.Stdout) == "0"; h.root {
		return nil
	}
	without, err := h.ssh.Run(ctx, "sudo -n true", nil)
	if err != nil || without.Exit == 0 {
		return err
	}
	if password.Empty() {
		return fmt.Errorf("the admin %s cannot become root there without a password (%s): set SERVER_ADMIN_PASSWORD to the password for sudo, or name another admin with -admin=", h.ssh, firstLine(without.Stderr))
	}
	h.password = password
	with, err := h.Root(ctx, "true", nil)
	if err == nil && with.Exit != 0 {
		err = fmt.Errorf("the admin %s cannot become root there: sudo says %q; check SERVER_ADMIN_PASSWORD, and that the admin may use sudo", h.ssh, firstLine(with.Stderr))
	}
	return err
}

// command is what the admin's shell runs so that root runs a script.
func (h *Host) command(script string) string {
	script = "export PATH=\"$PATH:/usr/local/sbin:/usr/sbin:/sbin\"; set -e; " + script
	switch {
	case h.root:
		return "sh -c " + quote(script)
	case h.password.Empty():
		return "sudo -n -- sh -c " + quote(script)
	}
	// -k asks for the password whatever is remembered, so that it is never the script that reads it.
	return "sudo -k -S -p '' -- sh -c " + quote(script)
}

// Root runs a script as root. As with ssh.Client.Run, an exit code other than 0 is no error.
func (h *Host) Root(ctx context.Context, script string, stdin io.Reader) (ssh.Result, error) {
	if stdin == nil {
		stdin = strings.NewReader("")
	}
	if !h.root && !h.password.Empty() {
		stdin = io.MultiReader(strings.NewReader(h.password.Reveal()+"\n"), stdin)
	}
	return h.ssh.Run(ctx, h.command(script), stdin)
}

// dialDocker connects to the host's Docker daemon as root.
func (h *Host) dialDocker(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := h.ssh.DialStdio(ctx, h.command("exec docker system dial-stdio"))
	if err == nil && !h.root && !h.password.Empty() {
		_, err = io.WriteString(conn, h.password.Reveal()+"\n")
	}
	return conn, err
}

// Facts asks the host about itself, and changes nothing.
func (h *Host) Facts(ctx context.Context) (Facts, error) {
	got, err := h.Root(ctx, look, nil)
	if err == nil && got.Exit != 0 {
		err = fmt.Errorf("exit code %d: %s", got.Exit, lastLine(got.Stderr))
	}
	if err != nil {
		return Facts{}, fmt.Errorf("asking %s about itself: %w", h.ssh, err)
	}
	return parseFacts(got.Stdout)
}

// Close ends the login.
func (h *Host) Close() error { return h.ssh.Close() }

func (h *Host) String() string { return h.ssh.String() }

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}
