package e2e

import (
	"strings"
	"testing"

	"slipway/test/baseimage"
)

const racyGo = `package main

import (
	"sync"
	"testing"
)

func TestCounter(t *testing.T) {
	n := 0
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { n++ })
	}
	wg.Wait()
	t.Log(n)
}
`

// The toolchain image brings a C compiler, and with it the race detector. Which Go it
// brings does not matter: go.mod's release is fetched if it is another.
func TestAToolchainImageFindsDataRacesWithTheGoOfGoMod(t *testing.T) {
	const image = "golang:1.26-bookworm"
	mirror := baseimage.Mirror(t, image)
	r := sample(t, "alpha")
	r.Write("slipway.yaml", "toolchain: "+image+"\n")
	r.Write("services/alpha/race_test.go", racyGo)
	r.Write("services/alpha/release_test.go", strings.NewReplacer("RELEASE", "go"+goVersion(t)).Replace(releaseGo))
	r.Commit("Count in two goroutines", later(1))
	c := in(r.Dir, "SLIPWAY_CACHE="+ownCache(t), "REGISTRY_MIRROR="+mirror.Host)
	res := c.slipway(t, "build:test", "alpha").Exits(t, 1)
	got := lastBlock(res)
	for _, want := range []string{"✗ test alpha failed with exit status 1\n", "services/alpha/race_test.go:12: TestCounter: WARNING: DATA RACE", "\nRepeat only this: go tool mage build:test alpha\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q, but:\n%s", want, got)
		}
	}
	if strings.Contains(got, "TestRelease") {
		t.Errorf("the tests did not run on go.mod's Go:\n%s", got)
	}

	r.Remove("services/alpha/race_test.go")
	r.Commit("Do not", later(2))
	c.slipway(t, "build:test", "alpha").Exits(t, 0)
	if readRecord(t, r).Services[0].Bases[image] == "" {
		t.Error("build/run.json does not say which image the tests ran on")
	}
}

const releaseGo = `package main

import (
	"os"
	"runtime"
	"testing"
)

func TestRelease(t *testing.T) {
	if runtime.Version() != "RELEASE" || os.Getenv("GOTOOLCHAIN") != "RELEASE" {
		t.Errorf("this is %s, with GOTOOLCHAIN=%s", runtime.Version(), os.Getenv("GOTOOLCHAIN"))
	}
}
`

func TestAToolchainImageThatIsNowhere(t *testing.T) {
	env := alpine(t)
	r := sample(t, "alpha")
	r.Write("slipway.yaml", "toolchain: golang:0.1\n")
	r.Commit("Want the past", later(1))
	res := in(r.Dir, env...).slipway(t, "build:test", "alpha").Exits(t, 1)
	mirror := strings.TrimPrefix(env[1], "REGISTRY_MIRROR=")
	for _, want := range []string{"slipway: building alpha on embedded BuildKit: the toolchain image golang:0.1: ", "Tried: the mirrors " + mirror + " (REGISTRY_MIRROR)"} {
		if !strings.Contains(res.Stderr, want) {
			t.Errorf("it does not say %q, but:\n%s", want, res.Stderr)
		}
	}
}
