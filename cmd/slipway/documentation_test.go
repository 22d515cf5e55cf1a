package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"slipway/pipeline"
)

// pages are the repository's documents, by their path from its root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", "..", filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimPrefix(filepath.ToSlash(f), "../../")] = string(text)
		}
	}
	if out["README.md"] == "" || out["docs/tutorial.md"] == "" {
		t.Fatalf("the documents found are %v", slices.Collect(maps.Keys(out)))
	}
	return out
}

// targets are mage's, with the flags of each: those of the dispatch table, and the repository's
// own, which mage runs itself.
func targets(t *testing.T) map[string]command {
	t.Helper()
	out := maps.Clone(commands)
	files, err := filepath.Glob("../../magefiles/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		file, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.IsExported() && fmt.Sprint(f.Recv.List[0].Type) == "Self" {
				out["self:"+strings.ToLower(f.Name.Name)] = command{flags: flagsOf(f)}
			}
		}
	}
	return out
}

// flagsOf are a mage target's parameters that may be left out.
func flagsOf(f *ast.FuncDecl) (names []string) {
	for _, p := range f.Type.Params.List {
		if _, may := p.Type.(*ast.StarExpr); may {
			for _, n := range p.Names {
				names = append(names, n.Name)
			}
		}
	}
	return names
}

var (
	targetWord   = regexp.MustCompile(`\b(?:build|image|ci|deploy|dev|server|secret|self):[a-z][A-Za-z0-9]*\b`)
	called       = regexp.MustCompile(`\b(mage|slipway) (?:-d \S+ -w \S+ )?([a-z]+(?::[A-Za-z0-9]+)?)\b([^|` + "`" + `#\n;&>)]*)`)
	flagWord     = regexp.MustCompile(`(?:^|[\s\[(])-([a-z][A-Za-z]*)(=|\b)`)
	coded        = regexp.MustCompile("`([^`\n]+)`")
	foreignWords = map[string]bool{"image:tag": true}
)

// Documents call what is there, with flags that it has.
func TestDocumentsNameTargetsThatAreThere(t *testing.T) {
	there := targets(t)
	for page, text := range pages(t) {
		for _, word := range targetWord.FindAllString(text, -1) {
			if _, ok := there[word]; !ok && !foreignWords[word] {
				t.Errorf("%s names %s, which is no target", page, word)
			}
		}
		joined := strings.ReplaceAll(text, "\\\n", " ")
		for _, m := range called.FindAllStringSubmatch(joined, -1) {
			name := m[2]
			if name == "deploy" && m[1] == "mage" {
				name = "deploy:env"
			}
			if _, ok := there[name]; ok {
				hasFlags(t, page, m[0], there[name], m[3])
			} else if strings.Contains(m[2], ":") || m[2] == "deploy" {
				t.Errorf("%s calls %q, which is no target", page, strings.TrimSpace(m[0]))
			}
		}
		// `deploy:plan ENV [-out=FILE]`, as tables have it.
		for _, m := range coded.FindAllStringSubmatch(text, -1) {
			name, rest, _ := strings.Cut(m[1], " ")
			if name == "deploy" {
				name = "deploy:env"
			}
			if cmd, ok := there[name]; ok {
				hasFlags(t, page, m[1], cmd, rest)
			}
		}
	}
}

func hasFlags(t *testing.T, page, line string, cmd command, rest string) {
	t.Helper()
	// What is in quotes is a command of somebody else's.
	rest = regexp.MustCompile(`'[^']*'|"[^"]*"`).ReplaceAllString(rest, "x")
	for _, f := range flagWord.FindAllStringSubmatch(rest, -1) {
		if _, ok := cmd.flag(f[1]); !ok {
			t.Errorf("%s: %q: there is no flag -%s", page, strings.TrimSpace(line), f[1])
		}
	}
}

// The README has every target.
func TestTheReadmeHasEveryTarget(t *testing.T) {
	readme := pages(t)["README.md"]
	named := map[string]bool{}
	for _, word := range targetWord.FindAllString(readme, -1) {
		named[word] = true
	}
	for name := range targets(t) {
		if !named[name] {
			t.Errorf("README.md does not have %s", name)
		}
	}
}

// Both READMEs open with the same two commands.
func TestReadmesOpenWithTheSameCommands(t *testing.T) {
	all := pages(t)
	block := regexp.MustCompile("(?s)```\n(.*?)```")
	var first []string
	for _, page := range []string{"README.md", "README.ru.md"} {
		m := block.FindStringSubmatch(all[page])
		if m == nil {
			t.Fatalf("%s has no block of commands", page)
		}
		text := regexp.MustCompile(`\s*#.*`).ReplaceAllString(m[1], "")
		first = append(first, strings.Join(strings.Fields(text), " "))
	}
	if want := "go tool mage build:service ping go tool mage self:test"; first[0] != want || first[1] != want {
		t.Errorf("they open with %q", first)
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Links within the repository lead somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	for page, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			to := page
			if file != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(page), file))
			}
			if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(to))); err != nil {
				t.Errorf("%s leads to %s, which is not there", page, m[1])
			} else if anchor != "" && !slices.Contains(anchors(all[to]), anchor) {
				t.Errorf("%s leads to %s, and %s has no such heading", page, m[1], to)
			}
		}
	}
}

// anchors are those of a page's headings, as GitLab and GitHub make them.
func anchors(text string) (out []string) {
	fenced := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if fenced || !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		out = append(out, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(heading)))
	}
	return out
}

// sources are all that the repository's programs, CI files and samples say, but for tests.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir("../..", func(file string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && (name == ".git" || name == "build" || name == "node_modules" || name == "docs" || name == "test"):
			return filepath.SkipDir
		case d.IsDir() || strings.HasSuffix(name, "_test.go") || !slices.Contains([]string{".go", ".yml", ".yaml"}, filepath.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(file)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// Environment variables that documents name are ones that somebody reads.
func TestDocumentsNameVariablesThatAreRead(t *testing.T) {
	all := sources(t)
	// Of an environment (PROD_SERVER_HOST), and of a service (PING_WEBHOOK_URL).
	prefix := regexp.MustCompile(`^(PROD|DEV|MR_123|PING)_`)
	// A stack's name, variables of manifests, and what Dagger, npm and GitLab read.
	others := []string{"PROJECT_ENV", "SOME_VAR", "PROJECT_PROD_BACKEND_CONFIG", "LINT_MANIFEST_ENV", "_EXPERIMENTAL_DAGGER_RUNNER_HOST", "NPM_CONFIG_CAFILE", "GIT_STRATEGY"}
	for page, text := range pages(t) {
		for _, word := range regexp.MustCompile(`\b_?[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+\b`).FindAllString(text, -1) {
			if !slices.Contains(others, word) && !strings.Contains(all, prefix.ReplaceAllString(word, "")) {
				t.Errorf("%s names %s, which nobody reads", page, word)
			}
		}
	}
}

// Settings that documents show are ones that slipway.yaml takes.
func TestShownSettingsAreTaken(t *testing.T) {
	shown := 0
	for page, text := range pages(t) {
		for _, m := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)^(project|environments|labels):`).MatchString(m[1]) {
				continue
			}
			shown++
			if _, err := pipeline.ParseSettings([]byte(m[1])); err != nil {
				t.Errorf("%s: %v in\n%s", page, err, m[1])
			}
		}
	}
	if shown < 4 {
		t.Errorf("%d blocks of settings are shown", shown)
	}
}

// The messages that the troubleshooting page explains are ones that the code has.
func TestExplainedMessagesAreTheCodes(t *testing.T) {
	all := sources(t)
	explained := 0
	for line := range strings.Lines(pages(t)["docs/troubleshooting.md"]) {
		message, ok := strings.CutPrefix(line, "| `")
		if !ok {
			continue
		}
		message, _, _ = strings.Cut(message, "` |")
		explained++
		for _, part := range strings.Split(message, "…") {
			if part = strings.Trim(part, " .()"); len(part) > 3 && !strings.Contains(all, part) {
				t.Errorf("docs/troubleshooting.md explains %q, and no code says %q", message, part)
			}
		}
	}
	if explained < 50 {
		t.Errorf("it explains %d messages", explained)
	}
}

// The alerts that the monitoring page explains are those of the rules.
func TestExplainedAlertsAreTheRules(t *testing.T) {
	rules, err := os.ReadFile("../../manifests/monitoring/prometheus/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	var have, told []string
	for _, m := range regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		have = append(have, m[1])
	}
	_, section, _ := strings.Cut(pages(t)["docs/monitoring.md"], "\n## Alerts\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, m := range regexp.MustCompile("`([A-Z][A-Za-z]+)`").FindAllStringSubmatch(section, -1) {
		told = append(told, m[1])
	}
	slices.Sort(have)
	slices.Sort(told)
	told = slices.Compact(told)
	if !slices.Equal(have, told) || len(have) == 0 {
		t.Errorf("the rules have %v, and the page %v", have, told)
	}
}
