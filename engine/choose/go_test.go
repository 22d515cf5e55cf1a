package choose

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"slipway/pipeline"
)

const arch = runtime.GOARCH

// goSecrets are this machine's ways to modules, as the command reads them.
func goSecrets(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, file := range []string{os.Getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt"} {
		if data, err := os.ReadFile(file); err == nil {
			out[pipeline.SecretCA] = data
			break
		}
	}
	var env strings.Builder
	for _, name := range []string{"GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB", "GOINSECURE"} {
		value, err := exec.Command("go", "env", name).Output()
		must(t, err)
		if v := strings.TrimSpace(string(value)); v != "" {
			env.WriteString(name + "=" + v + "\n")
		}
	}
	out[pipeline.SecretGoEnv] = []byte(env.String())
	return out
}
