package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		line, err string
		args      []string
		flags     map[string]string
	}{
		{line: "build:service ping", args: []string{"ping"}},
		{line: "build:plan ping -json=true", args: []string{"ping"}, flags: map[string]string{"json": "true"}},
		{line: "build:plan ping -json", args: []string{"ping"}, flags: map[string]string{"json": "true"}},
		{line: "image:push ping,backend", args: []string{"ping,backend"}},
		{line: "build:all"},
		{line: "build:service", err: "NAME is missing: usage: build:service NAME [-noReuse=true]"},
		{line: "build:service ping backend", err: `"backend" is one name too many: usage: build:service NAME [-noReuse=true]`},
		{line: "build:service -json=true", err: `"-json=true" is a flag where a service's name belongs: names come first, flags after them`},
		{line: "build:plan ping -jason=true", err: "build:plan has no flag -jason: usage: build:plan NAME [-json=true]"},
		{line: "build:service ping,backend", err: `"ping,backend" is no service's name: a name has lower-case letters and digits, with single dots, dashes and underscores between them`},
		{line: "image:push ping,", err: "a service's name is missing: write it after the target, as in `mage build:service ping`"},
		{line: "build:service ../ping", err: `"../ping" is no service's name: a name has lower-case letters and digits, with single dots, dashes and underscores between them`},
	} {
		words := strings.Fields(c.line)
		in, err := parse(words[0], commands[words[0]], words[1:])
		if got := text(err); got != c.err {
			t.Errorf("%s:\n got error %q\nwant       %q", c.line, got, c.err)
		}
		if err != nil {
			continue
		}
		if strings.Join(in.args, " ") != strings.Join(c.args, " ") || len(in.flags) != len(c.flags) {
			t.Errorf("%s: got %v %v", c.line, in.args, in.flags)
		}
		for k, v := range c.flags {
			if in.flags[k] != v {
				t.Errorf("%s: flag %s is %q, want %q", c.line, k, in.flags[k], v)
			}
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestUnknownCommand(t *testing.T) {
	err := dispatch(t.Context(), []string{"build:servise", "ping"})
	if want := `there is no command "build:servise": did you mean build:service?`; text(err) != want {
		t.Errorf("got %q, want %q", text(err), want)
	}
	if exitCode(err) != exitBadInput {
		t.Errorf("exit code %d, want %d", exitCode(err), exitBadInput)
	}
	if exitCode(errors.New("anything else")) != exitFailed {
		t.Error("an ordinary error does not exit with 1")
	}
}

// TestTargetsAndCommandsAreTwins reads the mage targets: each that calls the binary names a
// command that is there, and each command has its target.
func TestTargetsAndCommandsAreTwins(t *testing.T) {
	files, err := filepath.Glob("../../magefiles/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no mage files: %v", err)
	}
	called := map[string]bool{}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if ok && strings.Contains(lit.Value, ":") && !strings.Contains(lit.Value, "/") {
				called[strings.Trim(lit.Value, `"`)] = true
			}
			return true
		})
	}
	for name := range called {
		if _, ok := commands[name]; !ok {
			t.Errorf("a mage target calls %s, which is no command", name)
		}
	}
	for name := range commands {
		if !called[name] {
			t.Errorf("command %s has no mage target", name)
		}
	}
}
