package e2e

import "testing"

func TestWarmTmp(t *testing.T) {
	r := sample(t, "alpha")
	res := in(r.Dir).slipway(t, "build:service", "alpha")
	t.Log(res.stdout)
	t.Log(res.stderr)
	res.exits(t, 0)
	t.Log(read(t, r.Dir, "build/run.json"))
}
