package embedded

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	logName = "buildkitd.log"
	maxLog  = 1 << 20 // bytes; a longer one is put aside as buildkitd.log.1 at the next start
)

// child is a server that this process has started and does not stop.
type child struct {
	pid   int
	log   string
	from  int64 // where its part of the log begins
	ended chan struct{}
	state error // why it ended, once ended is closed
}

type command struct {
	binary, version, runc string
	idle                  time.Duration
}

// spawn starts the server in a session of its own, so that Ctrl-C in this terminal does not
// reach what other commands share.
func spawn(l layout, c command) (*child, error) {
	path := l.file(logName)
	log, err := openLog(path)
	if err != nil {
		return nil, fmt.Errorf("opening its log: %w", err)
	}
	defer func() { _ = log.Close() }()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("opening its log: %w", err)
	}
	cmd := exec.Command(c.binary, "-root", l.root, "-run", l.run, "-runc", c.runc, "-version", c.version,
		"-mirrors", l.file(mirrorsName), "-idle", c.idle.String())
	cmd.Dir = l.root
	cmd.Env = environment(os.Environ())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ch := &child{pid: cmd.Process.Pid, log: path, from: from, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		ch.state = fmt.Errorf("%s", cmd.ProcessState)
		close(ch.ended)
	}()
	return ch, nil
}

func openLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

// environment keeps what the server needs of a command's environment. The rest stays out
// of a process that outlives the command: a CI job's variables are full of secrets.
func environment(all []string) []string {
	keep := map[string]bool{"PATH": true, "HOME": true, "USER": true, "HTTP_PROXY": true, "HTTPS_PROXY": true, "NO_PROXY": true,
		"ALL_PROXY": true, "SSL_CERT_FILE": true, "SSL_CERT_DIR": true}
	var out []string
	for _, entry := range all {
		name, _, _ := strings.Cut(entry, "=")
		if keep[strings.ToUpper(name)] {
			out = append(out, entry)
		}
	}
	return out
}

// gone returns an error with the end of the log if the server has ended.
func (c *child) gone() error {
	select {
	case <-c.ended:
	default:
		return nil
	}
	said := c.said()
	if len(said) == 0 {
		return fmt.Errorf("it ended at once (%w) and wrote nothing to its log %s", c.state, c.log)
	}
	return fmt.Errorf("it ended at once (%w); the end of its log %s:\n%s", c.state, c.log, indent(lastLines(said, 15)))
}

// said returns the lines of its log, at most the last 16 kB.
func (c *child) said() []string {
	f, err := os.Open(c.log)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	from := c.from
	if info, err := f.Stat(); err == nil {
		from = max(from, info.Size()-16<<10)
	}
	data, _ := io.ReadAll(io.NewSectionReader(f, from, 16<<10))
	text := strings.TrimSpace(string(data))
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
