package registry

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

func init() {
	// The registry logs through logrus' standard logger and nowhere else, and a test's own
	// output is lost in it. The request log says more.
	logrus.SetOutput(io.Discard)
}

func configure(t testing.TB, options Options) *configuration.Configuration {
	t.Helper()
	config := &configuration.Configuration{}
	config.HTTP.Secret = "of no worth: it signs upload states of a registry that ends with its test"
	config.Catalog.MaxEntries = 1000
	config.Storage = configuration.Storage{
		"inmemory": configuration.Parameters{},
		"delete":   configuration.Parameters{"enabled": true},
		"maintenance": configuration.Parameters{
			"uploadpurging": map[any]any{"enabled": false},
		},
	}
	if options.Dir != "" {
		delete(config.Storage, "inmemory")
		config.Storage["filesystem"] = configuration.Parameters{"rootdirectory": options.Dir}
	}
	if len(options.Users) > 0 {
		config.Auth = configuration.Auth{"htpasswd": configuration.Parameters{
			"realm": "test registry", "path": writeHtpasswd(t, options.Users),
		}}
	}
	return config
}

// writeHtpasswd uses bcrypt, the only hash that distribution accepts, at its lowest cost:
// every request is checked.
func writeHtpasswd(t testing.TB, users map[string]string) string {
	t.Helper()
	var lines strings.Builder
	for user, password := range users {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatalf("hashing the password of %s: %v", user, err)
		}
		fmt.Fprintf(&lines, "%s:%s\n", user, hash)
	}
	path := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatalf("writing the registry's users: %v", err)
	}
	return path
}

func isWrite(method string) bool {
	return !slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions}, method)
}

// refusePushes answers writes of read-only users as registries do, with 403 and DENIED
// (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes).
// Whoever gives a wrong password is left to the registry, which answers 401.
func refusePushes(options Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		user, password, _ := q.BasicAuth()
		known := user == "" && len(options.Users) == 0 || user != "" && options.Users[user] == password
		if !known || !isWrite(q.Method) || !slices.Contains(options.ReadOnly, user) {
			next.ServeHTTP(w, q)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`+"\n")
	})
}
