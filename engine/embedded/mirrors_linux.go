package embedded

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
)

const mirrorsName = "mirrors.json"

// writeMirrors writes the settings that the server follows while it runs (its -mirrors
// file), and only if they differ from what is there.
func writeMirrors(path string, o Options) error {
	for _, address := range append(append([]string{}, o.Mirrors...), o.Insecure...) {
		if err := checkRegistry(address); err != nil {
			return err
		}
	}
	data, err := json.Marshal(struct {
		Mirrors  []string `json:"mirrors"`
		Insecure []string `json:"insecure"`
	}{o.Mirrors, o.Insecure})
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	if err := writeFile(path, data, 0o600); err != nil {
		return fmt.Errorf("writing the registry mirrors: %w", err)
	}
	return nil
}

// checkRegistry takes HOST[:PORT][/PATH], with or without http:// or https://.
func checkRegistry(address string) error {
	full := address
	if !strings.Contains(address, "://") {
		full = "https://" + address
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("registry mirror %q: write it as host:port, http://host:port or https://host/path", address)
	}
	return nil
}
