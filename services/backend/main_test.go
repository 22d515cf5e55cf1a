package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"services/backend/postgrestest"
	"services/shared/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, main) }

func TestServesWithoutDatabase(t *testing.T) {
	p := processtest.Start(t, []string{"DB_HOST=" + t.TempDir(), "VERSION=v1"}) // no socket there
	for _, test := range []struct {
		path   string
		status int
		body   string
	}{
		{"/healthz", 200, `{"name":"backend","status":"ok"}`},
		{"/api/service/ping", 200, `{"name":"backend","status":"ok"}`},
		{"/api/service/version", 200, `{"name":"backend","version":"v1"}`},
		{"/readyz", 503, `{"error":"the database is not ready"}`},
		{"/api/notes", 503, `{"error":"the database cannot be reached; try again soon"}`},
	} {
		if status, body := p.Ask("GET", test.path, ""); status != test.status || body != test.body+"\n" {
			t.Errorf("%s: %d %s", test.path, status, body)
		}
	}
	if code, said := processtest.Run(t, []string{"HTTP_ADDR=" + p.Addr}, "-healthcheck"); code != 0 || said != "" {
		t.Errorf("-healthcheck: exit code %d, %s", code, said)
	}
	if code := p.Signal(syscall.SIGTERM); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}

func TestDatabaseComesGoesAndComesBack(t *testing.T) {
	postgres := postgrestest.NewServer(t)
	p := processtest.Start(t, []string{
		"DB_HOST=" + postgres.Dir, "DB_PASS_FILE=" + postgres.PasswordFile,
		"DB_USER=" + postgres.User(), "DB_NAME=postgres",
	})
	await := func(status int) {
		t.Helper()
		deadline, tick := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
		defer tick.Stop()
		for {
			got, body := p.Ask("GET", "/readyz", "")
			if got == status {
				return
			}
			select {
			case <-deadline:
				t.Fatalf("/readyz: %d %s; want %d", got, body, status)
			case <-tick.C:
			}
		}
	}
	await(503)
	postgres.Start()
	await(200)
	if status, body := p.Ask("POST", "/api/notes", `{"title":"kept"}`); status != 201 {
		t.Fatalf("creating a note: %d %s", status, body)
	}

	postgres.Stop()
	await(503)
	if status, body := p.Ask("GET", "/api/notes/1", ""); status != 503 {
		t.Errorf("a note while PostgreSQL is away: %d %s", status, body)
	}
	postgres.Start()
	await(200)
	if status, body := p.Ask("GET", "/api/notes/1", ""); status != 200 || !strings.Contains(body, `"kept"`) {
		t.Errorf("the note after PostgreSQL came back: %d %s", status, body)
	}
	for _, line := range []string{"db_up 1", "db_pool_max_connections ", "db_pool_connections{state=\"idle\"} 1", `route="/api/notes/{id}"`} {
		if told := p.Metrics(); !strings.Contains(told, line) {
			t.Errorf("/metrics lacks %s:\n%s", line, told)
		}
	}
	if code := p.Signal(syscall.SIGTERM); code != 0 {
		t.Errorf("SIGTERM: exit code %d", code)
	}
}

// A job may start before its database does, and a backend that runs after it has nothing to do.
func TestMigratesAndEnds(t *testing.T) {
	postgres := postgrestest.NewServer(t)
	env := []string{"DB_HOST=" + postgres.Dir, "DB_PASS_FILE=" + postgres.PasswordFile, "DB_USER=" + postgres.User(), "DB_NAME=postgres"}
	job := processtest.Command(t, env, "-migrate")
	var said bytes.Buffer
	job.Stderr = &said
	if err := job.Start(); err != nil {
		t.Fatal(err)
	}
	postgres.Start()
	if err := job.Wait(); err != nil || !strings.Contains(said.String(), `"applied":["0001_create_notes.sql"`) {
		t.Fatalf("%v: %s", err, &said)
	}
	if code, said := processtest.Run(t, env, "-migrate"); code != 0 || !strings.Contains(said, `"applied":null`) {
		t.Errorf("a second time: exit code %d, %s", code, said)
	}
	env[1] = "DB_PASS_FILE=/does/not/exist"
	if code, said := processtest.Run(t, env, "-migrate"); code != 1 || !strings.Contains(said, "backend: reading the database password") {
		t.Errorf("without the password's file: exit code %d, %s", code, said)
	}
}

func TestRefusesToStart(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte("[http]\nbind-host = 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		env  string
		args []string
		code int
		says string
	}{
		{"", []string{"-config", config}, 1, "backend: reading the configuration: " + config + ":2:13: "},
		{"", []string{"-healthcheck", "-config", config}, 1, config + ":2:13: "},
		{"DB_PASS_FILE=/does/not/exist", nil, 1, "backend: reading the database password (DB_PASS_FILE): open /does/not/exist"},
		{"DB_PORT=x", nil, 1, `DB_PORT: "x" is not a port number`},
		{"", []string{"-migrate", "-healthcheck"}, 2, "-healthcheck and -migrate exclude each other"},
		{"", []string{"serve"}, 2, `was given ["serve"]`},
		{"", []string{"-conf"}, 2, "-conf"},
	} {
		if code, said := processtest.Run(t, []string{test.env}, test.args...); code != test.code || !strings.Contains(said, test.says) {
			t.Errorf("%s %v: exit code %d, %s", test.env, test.args, code, said)
		}
	}
}

func TestAddresses(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte("[http]\nbind-host = '127.0.0.1'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ file, env, want, metrics string }{
		{config, "", "127.0.0.1:8080", "127.0.0.1:9090"},
		{config, ":9000", ":9000", "127.0.0.1:9090"},
		{config + ".missing", "", ":8080", ":9090"},
	} {
		got, metrics, err := addresses(test.file, func(name string) string {
			return map[string]string{"HTTP_ADDR": test.env}[name]
		})
		if err != nil || got != test.want || metrics != test.metrics {
			t.Errorf("%s, HTTP_ADDR=%q: %q, %q, %v", test.file, test.env, got, metrics, err)
		}
	}
}
