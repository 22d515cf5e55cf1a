package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// daemonFile is where Docker's daemon has its settings.
const daemonFile = "/etc/docker/daemon.json"

// daemonSettings adds to the daemon's settings what is wanted, and leaves all else as it is.
// "" are settings that need no file.
func daemonSettings(f Facts, mirrors []string) (settings string, changed bool, err error) {
	now := map[string]json.RawMessage{}
	if strings.TrimSpace(f.DaemonJSON) != "" {
		err := json.Unmarshal([]byte(f.DaemonJSON), &now)
		if err == nil && now == nil {
			err = errors.New("it is null")
		}
		if err != nil {
			return "", false, fmt.Errorf("%s on the host is no JSON object, and stays as it is: put it right first (%w)", daemonFile, err)
		}
	}
	if string(bytes.TrimSpace(now["live-restore"])) == "true" {
		return "", false, fmt.Errorf("%s on the host has live-restore on, with which Docker refuses to be in a Swarm: take it out first, and restart Docker", daemonFile)
	}
	var have []string
	if raw, ok := now["registry-mirrors"]; ok {
		if err := json.Unmarshal(raw, &have); err != nil {
			return "", false, fmt.Errorf("registry-mirrors in %s on the host is no list of addresses, and stays as it is: put it right first", daemonFile)
		}
	}
	for _, m := range mirrors {
		same := func(h string) bool { return strings.TrimSuffix(h, "/") == strings.TrimSuffix(m, "/") }
		if !slices.ContainsFunc(have, same) {
			have, changed = append(have, m), true
		}
	}
	if changed {
		now["registry-mirrors"], err = json.Marshal(have)
	}
	// Without a bound, containers' logs fill the disk. A running daemon would need a restart.
	if f.Docker == "" && now["log-driver"] == nil && now["log-opts"] == nil {
		now["log-driver"], now["log-opts"], changed = json.RawMessage(`"json-file"`), json.RawMessage(`{"max-size": "10m", "max-file": "3"}`), true
	}
	if err != nil || len(now) == 0 {
		return "", false, err
	}
	data, err := json.MarshalIndent(now, "", "  ")
	return string(data) + "\n", changed, err
}
