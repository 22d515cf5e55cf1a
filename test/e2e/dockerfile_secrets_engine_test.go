package e2e

import (
	"path/filepath"
	"testing"
)

// A Dockerfile mounts the machine's .npmrc and CA bundle as secrets. A machine that has none builds too.
func TestADockerfileMountsTheMachinesSettings(t *testing.T) {
	env := alpine(t)
	npmrc := filepath.Join(t.TempDir(), "npmrc")
	writeFile(t, npmrc, "registry=https://npm.example.com/\n", 0o600)
	r := packed(t, map[string]string{})
	for i, c := range []struct{ check, npmrc string }{
		{"grep -q npm.example.com /root/.npmrc", npmrc},
		{"test ! -s /root/.npmrc", npmrc + ".missing"},
	} {
		r.Write("services/box/Dockerfile", `FROM alpine:3.20
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca-bundle `+c.check+` && grep -q BEGIN /run/secrets/ca-bundle
`)
		r.Commit("Check it", later(i+1))
		in(r.Dir, append(env, "NPM_CONFIG_USERCONFIG="+c.npmrc)...).slipway(t, "build:service", "box").Exits(t, 0)
	}
}
