package affected

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// change changes one file, and says which and how.
func (m *monorepo) change(t testing.TB) (file, how string) {
	t.Helper()
	all := strings.Split(m.Git("ls-files"), "\n")
	file = all[m.random.IntN(len(all))]
	// There are many packages and one go.mod.
	if m.chance(4) {
		special := []string{"go.mod", "go.sum", "lib/go.mod"}
		if m.vendored {
			special = append(special, "vendor/modules.txt")
		}
		file = path.Join(m.module, special[m.random.IntN(len(special))])
		if m.chance(3) {
			file = []string{"slipway.yaml", ".golangci.yml", "services/.dockerignore", "services/Dockerfile", "services/s2/.dockerignore"}[m.random.IntN(5)]
		}
	}
	if !m.has(file) {
		file = "README.md"
	}
	switch m.random.IntN(8) {
	case 0:
		m.Remove(file)
		return file, "delete"
	case 1:
		to := path.Join(path.Dir(file), m.token()+path.Ext(file))
		must(t, os.Rename(filepath.Join(m.Dir, file), filepath.Join(m.Dir, to)))
		return file, "rename to " + path.Base(to)
	case 2:
		return m.addFile(file)
	}
	return file, m.edit(t, file)
}

func (m *monorepo) has(file string) bool {
	_, err := os.Lstat(filepath.Join(m.Dir, file))
	return err == nil
}

// addFile adds a file beside another one.
func (m *monorepo) addFile(beside string) (file, how string) {
	dir, pkg := path.Dir(beside), path.Base(path.Dir(beside))
	if path.Dir(dir) == "services" && strings.HasPrefix(pkg, "s") {
		pkg = "main"
	}
	name := m.token()
	if strings.HasSuffix(beside, ".go") {
		suffix := []string{".go", "_windows.go", "_test.go"}[m.random.IntN(3)]
		m.Write(path.Join(dir, name+suffix), m.source(pkg))
		return path.Join(dir, name+suffix), "add"
	}
	f := path.Join(dir, []string{name + ".txt", name + ".md", "Dockerfile", ".dockerignore", ".golangci.json", "." + name, name + ".conf", "testdata/" + name}[m.random.IntN(8)])
	if m.has(f) {
		f = path.Join(dir, name)
	}
	content := name + "\n"
	if path.Base(f) == "Dockerfile" {
		content = "FROM scratch\nENV TOKEN=" + name + "\n"
	}
	m.Write(f, content)
	return f, "add"
}

var printed = regexp.MustCompile(`token\d+`)

// edit changes what a file means, or, of module files and settings, sometimes only how it
// is written.
func (m *monorepo) edit(t testing.TB, file string) string {
	t.Helper()
	full := filepath.Join(m.Dir, file)
	if target, err := os.Readlink(full); err == nil {
		to := map[string]string{"../common/linked.txt": "site.conf", "../../conf/common.toml": "config.toml"}[target]
		if to == "" {
			to = "nowhere"
		}
		must(t, os.Remove(full))
		m.link(file, to)
		return "link to " + to
	}
	data, err := os.ReadFile(full)
	must(t, err)
	text, how := string(data), "edit"
	swap := func(pairs ...string) {
		how = "swap " + pairs[0]
		text = strings.NewReplacer(pairs...).Replace(text)
	}
	switch base := path.Base(file); {
	case base == "go.mod":
		switch m.random.IntN(6) {
		case 0:
			swap("example.org/ext v1.0.0", "example.org/ext v1.1.0", "example.org/ext v1.1.0", "example.org/ext v1.0.0")
		case 1:
			swap("example.org/other v1.0.0", "example.org/other v1.1.0", "example.org/other v1.1.0", "example.org/other v1.0.0")
		case 2:
			swap("go 1.25.0", "go 1.24.0", "go 1.24.0", "go 1.25.0")
		case 3:
			swap("example.com/lib v0.0.0", "example.com/lib v0.0.1", "example.com/lib v0.0.1", "example.com/lib v0.0.0")
		default:
			text, how = text+"\n// "+m.token()+"\n", "comment"
		}
	case base == "go.sum":
		text, how = text+"example.org/old v1.0.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "leftover"
	case base == "modules.txt":
		swap("# example.org/other v1.0.0", "# example.org/other v1.1.0", "# example.org/other v1.1.0", "# example.org/other v1.0.0")
	case base == "slipway.yaml":
		text = []string{"services: {s1: {args: {MODE: " + m.token() + "}}}\n", "# " + m.token() + "\n" + text, "services: {s1: {args: {MODE: fast}}, s3: {args: {A: b}}}\n"}[m.random.IntN(3)]
	case base == ".dockerignore":
		text += []string{"s3/public/index.html\n", "s1/assets\n", "KEEP.md\n", "no/such/" + m.token() + "\n", "config.toml\n"}[m.random.IntN(5)]
	case strings.Contains(base, "Dockerfile"):
		text += "ENV TOKEN=" + m.token() + "\n"
	case strings.HasPrefix(base, ".golangci"):
		text += "# " + m.token() + "\n"
	case strings.HasSuffix(file, ".go"):
		if !printed.MatchString(text) {
			text += fmt.Sprintf("\nfunc init() { println(%q) }\n", m.token())
			break
		}
		text = printed.ReplaceAllString(text, m.token())
	default:
		text += m.token() + "\n"
	}
	must(t, os.WriteFile(full, []byte(text), 0o600))
	return how
}
