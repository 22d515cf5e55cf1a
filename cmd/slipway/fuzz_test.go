package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/report/repro"
)

// A saved plan may have lain anywhere. What is taken of it can be shown, compared and applied.
func FuzzReadPlan(f *testing.F) {
	for _, text := range []string{
		`{"format":1,"stack":"shop_dev","want":{"Name":"shop_dev","Services":[{"Key":"a","Spec":{"Name":"shop_dev_a","TaskTemplate":{"ContainerSpec":{"Configs":[{"ConfigName":"c"}]}}}}]},"plan":{"stack":"shop_dev","operations":[{"action":"create","kind":"service","name":"a"}],"seen":{}}}`,
		`{"format":1,"stack":"shop_dev","want":{"Name":"shop_dev","Services":[{"Key":"a","Spec":{"Name":"b"}}]},"plan":{"seen":{}}}`,
		`{"format":1,"stack":"shop_dev","want":{"Name":"shop_dev","Services":[{"Key":"a","Spec":{"Name":"b","TaskTemplate":{"ContainerSpec":{"Secrets":[null]}}}}]},"plan":{"seen":{}}}`,
		`{"format":2}`, `[]`, `{"format":1,"stack":"shop_dev","want":{"Name":"shop_prod"},"plan":{"seen":{}}}`, ``,
	} {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(dir, "plan.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := readPlan(file, "shop_dev")
		if err != nil {
			if exitCode(err) != exitBadInput {
				t.Errorf("exit code %d: %v", exitCode(err), err)
			}
			return
		}
		s.Plan.Print(io.Discard)
		_ = s.Plan.Counts()
		_ = s.Want.Images()
		for i := range s.Want.Services {
			_ = s.Want.Services[i].Bind(convert.IDs{})
		}
		if s.Want.Name != "shop_dev" {
			t.Errorf("a plan for %s is taken for shop_dev", s.Want.Name)
		}
	})
}

// A run's record may come from anywhere. What is taken of it can be compared, and holds no word
// that a command line or a path would take for another.
func FuzzReadRecord(f *testing.F) {
	const commit = "4605cc6e4605cc6e4605cc6e4605cc6e4605cc6e"
	for _, text := range []string{
		`{"version":1,"commit":"` + commit + `","with":{"commit":"` + commit + `","project":"shop"},"parts":["lint"],"services":[{"service":"ping","steps":[{"id":"ping/lint","state":"failed","failure":{"exit":1,"log":"a.go:1: x"}}]}]}`,
		`{"version":1,"event":{"kind":"push"},"with":{"commit":"` + commit + `","project":"shop"},"decision":{},"results":[{"part":"deploy","env":"prod","deploy":{"before":"` + commit + `"}},{"part":"check","run":{"services":[null]}}]}`,
		`{"version":1,"event":{},"with":{"commit":"-x","project":"../x"}}`, `{"version":99}`, `{}`, `{"version":1,"event":null}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rep, err := readRecord([]byte(text))
		if err != nil {
			return
		}
		if !fullCommit.MatchString(rep.commit) || filepath.Base(rep.with.Project) != rep.with.Project {
			t.Errorf("taken: the commit %q, the project %q", rep.commit, rep.with.Project)
		}
		if rep.recorded != nil {
			_ = repro.Compare(*rep.recorded, *rep.recorded).String()
			_ = repro.Compare(*rep.recorded, repro.Run{}).String()
		}
	})
}

// A plan file has the contents of configs: nobody else may read it, whatever was there before.
func TestAPlanIsReadByItsOwnerAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(file, []byte("an older one"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writePlan(file, savedPlan{planFormat, "shop_dev", "", &convert.Stack{Name: "shop_dev"}, &diff.Plan{Seen: map[string]string{}}}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if data, err := os.ReadFile(file); err != nil || !json.Valid(data) {
		t.Errorf("%v: %s", err, data)
	}
	if all, _ := filepath.Glob(filepath.Dir(file) + "/.*"); len(all) > 0 {
		t.Errorf("left over: %v", all)
	}
}
