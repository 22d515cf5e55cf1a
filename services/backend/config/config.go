// Package config reads the backend's config.toml.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// DefaultPath is where the image has its config.toml and where manifests mount theirs.
const DefaultPath = "/app/config.toml"

// Config is the file's content; its zero value is the defaults.
type Config struct {
	HTTP HTTP `toml:"http"`
}

// HTTP is the table [http].
type HTTP struct {
	BindHost string `toml:"bind-host"` // the interface to listen on, without a port; empty is every one
}

// Load reads the file at path. Where there is none, it gives the defaults. What is wrong in
// the file is an error that names path, line and column, or the setting; unknown keys are
// wrong too, since a misspelt one would otherwise be lost without a word.
func Load(path string) (Config, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("opening the configuration: %w", err)
	}
	defer file.Close() //nolint:errcheck // only read from

	var config Config
	if err := toml.NewDecoder(file).DisallowUnknownFields().Decode(&config); err != nil {
		return Config{}, fmt.Errorf("reading the configuration: %w", located(path, err))
	}
	if host := config.HTTP.BindHost; net.ParseIP(host) == nil && strings.ContainsAny(host, ":/[] \t\n") {
		return Config{}, fmt.Errorf("reading the configuration: %s: http.bind-host is %q; write an IP address or a name, without a port", path, host)
	}
	return config, nil
}

// located puts the file's place before the parser's words: "path:line:column: …".
func located(path string, err error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var all []error
		for i := range strict.Errors {
			unknown := &strict.Errors[i]
			line, column := unknown.Position()
			all = append(all, fmt.Errorf("%s:%d:%d: there is no setting %q", path, line, column, strings.Join(unknown.Key(), ".")))
		}
		return errors.Join(all...)
	}
	if wrong, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, column := wrong.Position()
		return fmt.Errorf("%s:%d:%d: %w", path, line, column, wrong)
	}
	return fmt.Errorf("%s: %w", path, err)
}
