// Package postgrestest gives tests a real PostgreSQL: the one that TEST_POSTGRES names, else
// a server of the test's own, from the binaries on this machine.
package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	user     = "postgres"
	password = "only for tests"
)

// Server is a PostgreSQL of one test: it listens on a unix socket in a directory of its own
// and wants a password. It is stopped and removed when the test ends.
type Server struct {
	Dir          string // of the socket: DB_HOST
	PasswordFile string // DB_PASS_FILE

	t       testing.TB
	bin     string
	asUser  *syscall.Credential // nil is the user that we are
	process *os.Process         // nil while stopped
	ended   chan struct{}
	output  output
}

// User is the server's superuser: DB_USER.
func (s *Server) User() string { return user }

// NewServer makes a server and does not start it. The test is skipped where this machine has
// no PostgreSQL.
func NewServer(tb testing.TB) *Server {
	tb.Helper()
	bin, asUser := installed(tb)
	// Not t.TempDir: the path of a unix socket has 107 bytes at most, and PostgreSQL's user
	// could not enter.
	dir, err := os.MkdirTemp("", "pg") //nolint:usetesting // see above
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Errorf("removing the test's PostgreSQL: %v", err)
		}
	})
	s := &Server{Dir: dir, PasswordFile: filepath.Join(dir, "password"), t: tb, bin: bin, asUser: asUser}
	if err := os.WriteFile(s.PasswordFile, []byte(password+"\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	if asUser != nil {
		for _, path := range []string{dir, s.PasswordFile} {
			if err := os.Chown(path, int(asUser.Uid), int(asUser.Gid)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	initdb := s.command("initdb", "--pgdata="+filepath.Join(dir, "data"), "--username="+user, "--pwfile="+s.PasswordFile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if err := initdb.Run(); err != nil {
		tb.Fatalf("making a PostgreSQL for this test: initdb: %v\n%s", err, s.output.String())
	}
	return s
}

// Start starts the server and returns when it can be asked.
func (s *Server) Start() {
	s.t.Helper()
	started := make(chan error)
	s.ended = make(chan struct{})
	server := s.command("postgres", "-D", filepath.Join(s.Dir, "data"), "-k", s.Dir, "-c", "listen_addresses=", "-c", "fsync=off")
	go func() {
		// The kernel ends the server together with the thread that started it (endWithUs).
		runtime.LockOSThread()
		err := server.Start()
		started <- err
		if err == nil {
			_ = server.Wait() // how it ended is in ProcessState
			close(s.ended)
		}
	}()
	if err := <-started; err != nil {
		s.t.Fatalf("starting PostgreSQL: %v", err)
	}
	s.process = server.Process
	s.t.Cleanup(s.Stop)
	s.await(server)
}

// await returns when the server can be connected to.
func (s *Server) await(server *exec.Cmd) {
	s.t.Helper()
	config := s.Config()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		conn, err := pgx.ConnectConfig(s.t.Context(), config.ConnConfig)
		if err == nil {
			if err := conn.Close(s.t.Context()); err != nil {
				s.t.Fatal(err)
			}
			return
		}
		select {
		case <-s.ended:
			s.process = nil
			s.t.Fatalf("PostgreSQL ended: %s\n%s", server.ProcessState, s.output.String())
		case <-deadline:
			s.t.Fatalf("PostgreSQL does not answer: %v\n%s", err, s.output.String())
		case <-tick.C:
		}
	}
}

// Stop stops the server where it runs, as if it had crashed: clients are cut off.
func (s *Server) Stop() {
	s.t.Helper()
	if s.process == nil {
		return
	}
	if err := s.process.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.t.Errorf("stopping PostgreSQL: %v", err)
	}
	<-s.ended
	s.process = nil
}

// Config is how to connect to the server, as its superuser.
func (s *Server) Config() *pgxpool.Config {
	s.t.Helper()
	config, err := pgxpool.ParseConfig("postgres://?dbname=postgres&user=" + user + "&host=" + s.Dir)
	if err != nil {
		s.t.Fatal(err)
	}
	config.ConnConfig.Password = password
	return config
}

func (s *Server) command(program string, args ...string) *exec.Cmd {
	// The test's context ends before its clean-up, which is what stops the server.
	ctx := context.WithoutCancel(s.t.Context())
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir = s.Dir
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	cmd.SysProcAttr = endWithUs(&syscall.SysProcAttr{Credential: s.asUser})
	cmd.Env = slices.Concat(os.Environ(), []string{"LC_ALL=C"})
	return cmd
}

// output is what the server said so far; it is written while it is read.
type output struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.said.String()
}
