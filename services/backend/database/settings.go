// Package database connects the backend to PostgreSQL and keeps its schema up to date.
package database

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Settings makes the pool's configuration from the environment: DB_HOST (default "postgres";
// a directory is that of a unix socket), DB_PORT (5432), DB_NAME ("PROJECT"), DB_USER
// ("project-prod"), and DB_PASS_FILE, the file that holds the password: a Docker secret.
// Without DB_PASS_FILE no password is sent. Nothing is connected yet.
func Settings(getenv func(string) string) (*pgxpool.Config, error) {
	port := cmp.Or(getenv("DB_PORT"), "5432")
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return nil, fmt.Errorf("reading DB_PORT: %q is not a port number", port)
	}
	query := url.Values{
		"host":            {cmp.Or(getenv("DB_HOST"), "postgres")},
		"port":            {port},
		"dbname":          {cmp.Or(getenv("DB_NAME"), "PROJECT")},
		"user":            {cmp.Or(getenv("DB_USER"), "project-prod")},
		"connect_timeout": {strconv.Itoa(int(connectTimeout / time.Second))},
	}
	// The URL's query form takes any name and any socket's path, escaped. PostgreSQL reads a "+"
	// as itself, where Encode means a space by it.
	config, err := pgxpool.ParseConfig("postgres://?" + strings.ReplaceAll(query.Encode(), "+", "%20"))
	if err != nil {
		return nil, fmt.Errorf("reading the DB_* settings: %w", err)
	}
	if config.ConnConfig.Password, err = password(getenv("DB_PASS_FILE")); err != nil {
		return nil, err
	}
	return config, nil
}

// connectTimeout bounds one attempt, in whole seconds.
const connectTimeout = 5 * time.Second

func password(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the database password (DB_PASS_FILE): %w", err)
	}
	// An editor or `echo` ends the file with a newline that is not part of the password.
	given := strings.TrimRight(string(content), "\r\n")
	if given == "" {
		return "", fmt.Errorf("reading the database password (DB_PASS_FILE): %s is empty", file)
	}
	return given, nil
}
