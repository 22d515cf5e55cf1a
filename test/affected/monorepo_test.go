package affected

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"slipway/test/gitrepo"
)

// monorepo is a repository made at random: Go services that share packages, with embedded
// files, test data, external tests, files for another system, modules that are replaced by
// their path or come from a proxy or a vendor directory; a service with a module of its own,
// one with a build context of its own, one without Go; lint settings, ignore files, links.
type monorepo struct {
	*gitrepo.Repo
	random   *rand.Rand
	module   string // directory of the Go module that most services share
	vendored bool
	env      []string
	out      string // of the oracle
	tokens   int
}

const services = 6

func newMonorepo(t testing.TB, seed uint64, p *proxy, modules string) *monorepo {
	t.Helper()
	m := &monorepo{Repo: gitrepo.New(t), random: rand.New(rand.NewPCG(seed, 1)), out: t.TempDir()}
	m.module = []string{".", "services"}[m.random.IntN(2)]
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GO") || strings.HasPrefix(v, "GOCACHE=") {
			m.env = append(m.env, v)
		}
	}
	m.env = append(m.env, "GOPROXY=file://"+p.dir, "GOSUMDB=off", "GOENV=off", "GOTOOLCHAIN=local", "GOMODCACHE="+modules, "GOFLAGS=-modcacherw -buildvcs=false", "CGO_ENABLED=0", "GOOS=linux")
	m.vendored = m.chance(3)
	m.writeModule(p)
	for i := range 4 {
		m.writeShared(i)
	}
	m.writeServices()
	m.Write(".gitignore", "/build\n")
	m.Write("README.md", "shop\n")
	m.Write("conf/common.toml", "x = 1\n")
	m.Write(".golangci.yml", "version: \"2\"\n")
	if m.chance(2) {
		m.Write("services/s1/.golangci.yml", "version: \"2\"\n")
	}
	m.Write("slipway.yaml", "services: {s1: {args: {MODE: fast}}}\n")
	if m.vendored {
		if out, err := m.command("go", "mod", "vendor").CombinedOutput(); err != nil {
			t.Fatalf("go mod vendor: %v\n%s", err, out)
		}
	}
	m.Commit("Start", gitrepo.Epoch)
	return m
}

// chance is true once in so many times.
func (m *monorepo) chance(in int) bool { return m.random.IntN(in) == 0 }

// token is text that was never there before.
func (m *monorepo) token() string {
	m.tokens++
	return fmt.Sprintf("token%d", m.tokens)
}

func (m *monorepo) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = filepath.Join(m.Dir, m.module), m.env
	return cmd
}

// source is a Go file that leaves a trace in every binary that it is compiled into.
func (m *monorepo) source(pkg string, imports ...string) string {
	s := "package " + pkg + "\n\n"
	for _, i := range imports {
		s += "import _ \"" + i + "\"\n"
	}
	return s + "\nfunc init() { println(\"" + m.token() + "\") }\n"
}

// program is the source of a main package.
func (m *monorepo) program(imports ...string) string {
	return m.source("main", imports...) + "\nfunc main() {}\n"
}

func (m *monorepo) writeModule(p *proxy) {
	m.Write(path.Join(m.module, "go.mod"), `module example.com/shop

go 1.25.0

require (
	example.com/lib v0.0.0
	example.org/ext v1.0.0
	example.org/other v1.0.0
)

require example.org/deep v1.0.0 // indirect

replace example.com/lib => ./lib
`)
	m.Write(path.Join(m.module, "go.sum"), p.sums)
	lib := path.Join(m.module, "lib")
	m.Write(lib+"/go.mod", "module example.com/lib\n\ngo 1.25.0\n")
	m.Write(lib+"/lib.go", m.source("lib"))
	m.Write(lib+"/lib_test.go", m.source("lib", "testing"))
	m.Write(lib+"/lib_windows.go", m.source("lib"))
	m.Write(lib+"/testdata/in.txt", "1\n")
	m.Write(lib+"/unused/unused.go", m.source("unused"))
	m.Write(lib+"/notes.md", "lib\n")
}

// writeShared writes a package that services share, which may use later ones.
func (m *monorepo) writeShared(i int) {
	name := fmt.Sprintf("p%d", i)
	dir := path.Join(m.module, "shared", name)
	var imports []string
	for j := i + 1; j < 4; j++ {
		if m.chance(2) {
			imports = append(imports, fmt.Sprintf("example.com/shop/shared/p%d", j))
		}
	}
	m.Write(dir+"/"+name+".go", m.source(name, imports...))
	m.Write(dir+"/notes.md", name+"\n")
	m.Write(dir+"/unread.txt", name+"\n")
	if m.chance(2) {
		m.Write(dir+"/embed.go", "package "+name+"\n\nimport \"embed\"\n\n//go:embed static *.sql\nvar Files embed.FS\n\nfunc init() { d, _ := Files.ReadFile(\"a.sql\"); println(string(d)) }\n")
		for _, f := range []string{"a.sql", "static/page.md", "static/.hidden", "static/deep/_draft", "static/deep/x.css"} {
			m.Write(dir+"/"+f, m.token()+"\n")
		}
	}
	if m.chance(2) {
		m.Write(dir+"/x_test.go", m.source(name+"_test", "testing", "example.com/shop/shared/"+name, "example.com/shop/internal/fake"+name))
		m.Write(path.Join(m.module, "internal/fake"+name+"/fake.go"), m.source("fake"+name))
		m.Write(dir+"/testdata/in.md", "1\n")
	}
	if m.chance(2) {
		elsewhere := []string{"example.com/shop/nowhere"}
		if m.vendored { // the go command copies what is imported for any system
			elsewhere = nil
		}
		m.Write(dir+"/"+name+"_windows.go", m.source(name, elsewhere...))
		m.Write(dir+"/gen.go", "//go:build ignore\n\n"+m.program())
	}
}

func (m *monorepo) writeServices() {
	m.Write("services/Dockerfile", "FROM scratch\nARG SERVICE\nCOPY build/${SERVICE} /app\n")
	m.Write("services/.dockerignore", "**/*.md\ns3/node_modules\n")
	for i := range services {
		name := fmt.Sprintf("s%d", i)
		dir := "services/" + name
		m.Write(dir+"/README.md", name+"\n")
		if i == 3 { // no Go
			m.Write(dir+"/Dockerfile", "FROM scratch\nCOPY s3/public s3/*.conf s3/linked /srv/\n")
			for _, f := range []string{"public/index.html", "public/about.md", "site.conf", "package.json", "node_modules/x.js"} {
				m.Write(dir+"/"+f, m.token()+"\n")
			}
			m.Write("services/common/linked.txt", "1\n")
			m.link(dir+"/linked", "../common/linked.txt")
			continue
		}
		imports := m.someImports()
		if i == 4 { // its own module
			m.Write(dir+"/go.mod", "module example.com/s4\n\ngo 1.25.0\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => "+strings.Repeat("../", len(strings.Split(dir, "/")))+path.Join(m.module, "lib")+"\n")
			imports = []string{"example.com/lib"}
		}
		m.Write(dir+"/main.go", m.program(imports...))
		m.Write(dir+"/main_test.go", m.source("main", "testing"))
		m.Write(dir+"/config.toml", "x = 1\n")
		m.Write(dir+"/testdata/in.md", "1\n")
		m.Write(dir+"/api"+name+"/api.go", m.source("api"+name))
		switch i {
		case 1: // its own Dockerfile, with files of its own
			m.Write(dir+"/Dockerfile", "FROM scratch\nARG MODE\nCOPY build/s1 s1/assets /app/\n")
			m.Write(dir+"/assets/a.txt", "1\n")
			m.Write(dir+"/assets/about.md", "1\n")
			m.link(dir+"/shared.toml", "../../conf/common.toml")
		case 2: // its own build context
			m.Write(dir+"/Dockerfile", "FROM scratch\nCOPY . /src\n")
			m.Write(dir+"/.dockerignore", "*.md\n!KEEP.md\n")
			m.Write(dir+"/KEEP.md", "1\n")
		}
	}
}

// someImports are packages for a service; half of the services use nothing from outside.
func (m *monorepo) someImports() []string {
	var out []string
	for i := range 4 {
		if m.chance(2) {
			out = append(out, fmt.Sprintf("example.com/shop/shared/p%d", i))
		}
	}
	if m.chance(3) {
		out = append(out, "example.com/lib")
	}
	if m.chance(2) {
		out = append(out, []string{"example.org/ext", "example.org/other"}[m.random.IntN(2)])
	}
	return out
}

func (m *monorepo) link(file, target string) {
	if err := os.Symlink(target, filepath.Join(m.Dir, file)); err != nil {
		panic(err) // a temporary directory has links
	}
}
