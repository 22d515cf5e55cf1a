package repro

import (
	"testing"

	"slipway/report"
)

func failed(id string, f Failure) Step {
	return Step{ID: id, Name: id, State: Failed, Failure: &f}
}

func sum(line int, text string) report.Finding {
	return report.Finding{File: "services/a/sum_test.go", Line: line, Text: text}
}

func run(steps ...Step) Run {
	return Run{With: Circumstances{Commit: "c0ffee", Engine: "embedded BuildKit"}, Services: []Service{{Name: "a", Tag: "20240725_c0ffee00", Steps: steps}}}
}

func TestCompare(t *testing.T) {
	passed := Step{ID: "a/test", Name: "a/test", State: Passed}
	test := func(findings ...report.Finding) Step {
		return failed("a/test", Failure{Exit: 1, Message: "test a failed with exit status 1", Findings: findings})
	}
	dockerfile := func(line int, log string) Step {
		return failed("a/image", Failure{Exit: 3, Message: "image a failed with exit status 3", File: "services/a/Dockerfile", Line: line, Log: log})
	}
	push := failed("a/push", Failure{Message: "the registry says no"})
	push.Push = true
	digest := func(d, engine string, steps ...Step) Run {
		r := run(steps...)
		r.Services[0].Digest, r.With.Engine = d, engine
		return r
	}
	for _, c := range []struct {
		name           string
		recorded, now  Run
		want           string
		doesNotHoldNow bool
	}{
		{name: "all well", recorded: run(passed), now: run(passed), want: `same: a 20240725_c0ffee00
The run is reproduced: nothing differs.
`},
		{name: "the same findings", recorded: run(test(sum(7, "TestSum: 1 + 1 is 2"))), now: run(test(sum(7, "TestSum: 1 + 1 is 2"))), want: `reproduced: test a failed with exit status 1
    services/a/sum_test.go:7: TestSum: 1 + 1 is 2
The failure is reproduced.
`},
		{name: "the same place, said after another time and at another port",
			recorded: run(test(sum(7, "TestGet: dial 127.0.0.1:40001: no answer in 1.2s"))), now: run(test(sum(7, "TestGet: dial 127.0.0.1:52112: no answer in 900ms"))), want: `reproduced: test a failed with exit status 1
    services/a/sum_test.go:7: TestGet: dial 127.0.0.1:52112: no answer in 900ms
The failure is reproduced.
`},
		{name: "the same place in other words", recorded: run(test(sum(7, "TestSum: got\n2"))), now: run(test(sum(7, "TestSum: got\n3"))), want: `reproduced: test a failed with exit status 1
    services/a/sum_test.go:7: TestSum: got
    3
note: what a/test says at services/a/sum_test.go:7 differs first in line 2: 3
    then: 2
The failure is reproduced.
`},
		{name: "another finding", recorded: run(test(sum(7, "TestSum: no"), sum(9, "TestDiff: no"))), now: run(test(sum(7, "TestSum: no"), sum(12, "TestMore: no"))), doesNotHoldNow: true, want: `differs: a/test fails as it did then, with other findings
    only then: services/a/sum_test.go:9: TestDiff: no
    only here: services/a/sum_test.go:12: TestMore: no
The run is not reproduced: here it behaves otherwise.
`},
		{name: "flaky", recorded: run(test(sum(7, "TestSum: no"))), now: run(passed), doesNotHoldNow: true, want: `differs: a/test failed then, and passes here; then: test a failed with exit status 1
    services/a/sum_test.go:7: TestSum: no
The run is not reproduced: here it behaves otherwise.
`},
		{name: "fails here alone", recorded: run(passed), now: run(test(sum(7, "TestSum: no"))), doesNotHoldNow: true, want: `differs: a/test passed then, and fails here: test a failed with exit status 1
    services/a/sum_test.go:7: TestSum: no
The run is not reproduced: here it behaves otherwise.
`},
		{name: "the same line of a Dockerfile, with another output", recorded: run(dockerfile(3, "start\nno space\n")), now: run(dockerfile(3, "start\nno memory\n")), want: `reproduced: image a failed with exit status 3
    services/a/Dockerfile:3: here
note: what a/image printed differs first in line 2: no memory
    then: no space
The failure is reproduced.
`},
		{name: "another line of a Dockerfile", recorded: run(dockerfile(3, "")), now: run(dockerfile(4, "")), doesNotHoldNow: true, want: `differs: a/image fails otherwise here: image a failed with exit status 3
    services/a/Dockerfile:4: here
    then: image a failed with exit status 3
    services/a/Dockerfile:3: here
The run is not reproduced: here it behaves otherwise.
`},
		{name: "a push", recorded: run(passed, push), now: run(passed), doesNotHoldNow: true, want: `not repeated: a/push, which failed with: the registry says no. A repetition never pushes
The run is not reproduced: where it failed, it was not repeated.
`},
		{name: "another digest, on another engine", recorded: digest("sha256:1", "embedded BuildKit", passed), now: digest("sha256:2", "Docker 27.0", passed), doesNotHoldNow: true, want: `differs: the digest of a is sha256:2, and was sha256:1
may be why: the engine is Docker 27.0 here, and was embedded BuildKit
The run is not reproduced: here it behaves otherwise.
`},
		{name: "digests of Docker's store and of a registry", recorded: digest("sha256:1", "Docker 27.0", passed, Step{ID: "a/push", State: Passed, Push: true}), now: digest("sha256:2", "Docker 27.0", passed), want: `same: a 20240725_c0ffee00 sha256:2
note: the digests of a cannot be compared: Docker's store gives the one that a registry has only by pushing
The run is reproduced: nothing differs.
`},
		{name: "it did not come to services", recorded: Run{Error: "the label build-b is a mistake"}, now: Run{Error: "the label build-b is a mistake"}, want: `reproduced: the label build-b is a mistake
The failure is reproduced.
`},
		{name: "a registry that does not take it", recorded: Run{Error: "401 Unauthorized", Pushing: true}, now: run(passed), doesNotHoldNow: true, want: `not repeated: what comes before a push, which failed with: 401 Unauthorized. A repetition never pushes
The run is not reproduced: where it failed, it was not repeated.
`},
	} {
		got := Compare(c.recorded, c.now)
		if got.String() != c.want || got.Holds() == c.doesNotHoldNow {
			t.Errorf("%s: holds %t\n%s\nwant\n%s", c.name, got.Holds(), got, c.want)
		}
	}
}

func TestCircumstances(t *testing.T) {
	recorded, now := run(), run()
	recorded.With = Circumstances{
		Slipway: "c0ffee", Engine: "embedded BuildKit", EngineVersion: "v0.33.1", Platform: "linux/amd64", Registry: "registry.example.com", Toolchain: "golang:1.26",
		Mirrors: []string{"mirror.example.com"}, Changed: []string{"a", "b", "c", "d", "e", "f", "g"},
	}
	now.With = Circumstances{Slipway: "beef", Engine: "embedded BuildKit", EngineVersion: "v0.34.0", Platform: "linux/arm64"}
	recorded.Services[0].Go, now.Services[0].Go = "1.26.7", "1.26.8"
	recorded.Services[0].Inputs, now.Services[0].Inputs = "1", "2"
	recorded.Services[0].Bases, now.Services[0].Bases = map[string]string{"alpine:3.20": "sha256:1"}, map[string]string{"alpine:3.20": "sha256:2"}
	const want = `same: a 20240725_c0ffee00
also different: the run had uncommitted changes, which are not here: a, b, c, d, e and 2 more
also different: slipway is beef here, and was c0ffee
also different: the engine's version is v0.34.0 here, and was v0.33.1
also different: the platform is linux/arm64 here, and was linux/amd64
also different: SLIPWAY_TOOLCHAIN is not set here, and was golang:1.26
also different: REGISTRY is not set here, and was registry.example.com
also different: REGISTRY_MIRROR is not set here, and was mirror.example.com
also different: Go for a is 1.26.8 here, and was 1.26.7
also different: the inputs of a are not the same: its files, its tools or slipway's own plan
also different: the base image alpine:3.20 of a is sha256:2 here, and was sha256:1
The run is reproduced: nothing differs.
`
	if got := Compare(recorded, now).String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestCompareDeploys(t *testing.T) {
	web := func(state, why string) []Deployed { return []Deployed{{"web", state, why}} }
	rolled := Deploy{Env: "dev", Result: "rolled back", Exit: 3, Error: "web: its health check fails", Services: web("rolled back", "its health check fails")}
	again := rolled
	again.Applied = true
	up := Deploy{Env: "dev", Result: "done", Applied: true, Services: web("done", "")}
	for _, c := range []struct {
		name          string
		recorded, now Deploy
		want          string
	}{
		{"applied", rolled, again, "reproduced: the deploy of dev is rolled back: web: its health check fails\nThe failure is reproduced.\n"},
		{"comes up", rolled, up, `differs: web is done, and then was rolled back (its health check fails)
differs: the deploy of dev is done, and then was rolled back
The run is not reproduced: here it behaves otherwise.
`},
		{"not applied", rolled, Deploy{Env: "dev"}, `not repeated: the deploy of dev, which ended with exit code 3: web: its health check fails. Here, the manifest of dev is sound; without a server nothing was planned or deployed. To repeat the deploy itself: -deploy=true, with SERVER_HOST set to a Swarm for tests
The run is not reproduced: where it failed, it was not repeated.
`},
		{"the manifest", Deploy{Env: "dev", Exit: 2, Error: "line 3: no NAME"}, Deploy{Env: "dev", Exit: 2, Error: "line 3: no NAME"}, "reproduced: line 3: no NAME\nThe failure is reproduced.\n"},
		{"all well", Deploy{Env: "dev", Result: "done", Services: web("done", "")}, Deploy{Env: "dev", Planned: true}, "same: the manifest of dev is sound and its plan can be made; nothing was deployed\nThe run is reproduced: nothing differs.\n"},
	} {
		if got := Compare(Run{Deploys: []Deploy{c.recorded}}, Run{Deploys: []Deploy{c.now}}).String(); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
	if got := Compare(Run{Deploys: []Deploy{rolled}}, Run{}); got.Holds() {
		t.Error("a deploy that the repetition did not come to is taken for reproduced")
	}
}
