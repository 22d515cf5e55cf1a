package pipeline

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	version "golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// findVendor notes the vendor directories that may be used.
func (c *closure) findVendor(t *Tree) {
	roots := []string{c.Main.Dir}
	if c.Work != nil && c.Work.Dir != c.Main.Dir {
		roots = append(roots, c.Work.Dir)
	}
	for _, root := range roots {
		list := vendorList(root)
		if t.Has(list) {
			c.Vendor = append(c.Vendor, path.Dir(list))
			continue
		}
		c.deciding = append(c.deciding, kinded{exact(list), kindVendor})
	}
	if c.vendorAlone() {
		c.Local = []*module{c.Main} // what it replaces by a path has been copied as well
	}
}

func vendorList(root string) string { return path.Join(root, "vendor", "modules.txt") }

// vendorAlone reports whether the go command looks for every import that is not the module's
// own in its vendor directory, as it does since Go 1.14 (`go help modules`, "Vendoring").
func (c *closure) vendorAlone() bool {
	return c.Work == nil && len(c.Vendor) == 1 && c.Main.File.Go != nil && compareGo(c.Main.File.Go.Version, "1.14") >= 0
}

func (c *closure) inVendor(dir string) bool { return c.vendorAlone() && within(c.Vendor[0], dir) }

// vendorLines are what go.mod and vendor/modules.txt say of the vendored packages that the
// service uses. The go command compares the two whole before it builds anything: where they
// do not fit, that is everybody's affair.
func (c *closure) vendorLines(release string, r reading) ([]string, error) {
	mod, list := path.Join(c.Main.Dir, "go.mod"), vendorList(c.Main.Dir)
	f, err := moduleFile(mod, r)
	if err != nil {
		return nil, err
	}
	data, there, err := r(list)
	if err != nil || !there {
		return []string{whole(list, r)}, err
	}
	v := readVendorList(string(data))
	if !v.fits(f, release) {
		return []string{whole(mod, r), whole(list, r)}, nil
	}
	lines := headLines(mod, f)
	for _, p := range c.Vendored {
		imp := rel(path.Dir(list), p.Dir)
		m, listed := v.packages[imp]
		if !listed {
			lines = append(lines, list+" does not list "+imp)
			continue
		}
		line := imp + " of " + moduleText(m)
		if to := v.meta[m].replacement; to != (version.Version{}) {
			line += " => " + moduleText(to)
		}
		lines = append(lines, line+" "+v.meta[m].goVersion)
	}
	return lines, nil
}

func moduleText(m version.Version) string { return strings.TrimSpace(m.Path + " " + m.Version) }

// vendorFile is vendor/modules.txt as the go command reads it (cmd/go, modload/vendor.go).
type vendorFile struct {
	packages map[string]version.Version
	used     []version.Version // those that have packages
	replaced []version.Version
	meta     map[version.Version]vendorMeta
}

type vendorMeta struct {
	explicit    bool
	goVersion   string
	replacement version.Version
}

func readVendorList(text string) *vendorFile {
	v := &vendorFile{packages: map[string]version.Version{}, meta: map[version.Version]vendorMeta{}}
	var mod version.Version
	for _, line := range strings.Split(text, "\n") {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "# "):
			mod = v.moduleLine(f)
		case mod.Path == "":
		case strings.HasPrefix(line, "## "):
			meta := v.meta[mod]
			for _, entry := range strings.Split(line[3:], ";") {
				entry = strings.TrimSpace(entry)
				meta.explicit = meta.explicit || entry == "explicit"
				if g, ok := strings.CutPrefix(entry, "go "); ok {
					meta.goVersion = g
				}
			}
			v.meta[mod] = meta
		case len(f) == 1:
			v.packages[f[0]] = mod
			if !slices.Contains(v.used, mod) {
				v.used = append(v.used, mod)
			}
		}
	}
	return v
}

// moduleLine reads "# path version", "# path version => path [version]" and "# path => path".
func (v *vendorFile) moduleLine(f []string) version.Version {
	if len(f) < 3 {
		return version.Version{}
	}
	mod, rest := version.Version{Path: f[1]}, f[2:]
	if semver.IsValid(f[2]) {
		mod.Version, rest = f[2], f[3:]
	} else if f[2] != "=>" {
		return version.Version{}
	}
	if len(rest) >= 2 && rest[0] == "=>" {
		meta := v.meta[mod]
		meta.replacement = version.Version{Path: rest[1]}
		if len(rest) == 3 {
			meta.replacement.Version = rest[2]
		}
		v.meta[mod] = meta
		v.replaced = append(v.replaced, mod)
	}
	return mod
}

// fits does the go command's own comparison (cmd/go, checkVendorConsistency).
func (v *vendorFile) fits(f *modfile.File, release string) bool {
	required := map[version.Version]bool{}
	for _, r := range f.Require {
		required[r.Mod] = true
		if !v.meta[r.Mod].explicit {
			return false
		}
	}
	replaced := map[version.Version]version.Version{}
	for _, r := range f.Replace {
		replaced[r.Old] = r.New
		if v.meta[r.Old].replacement != r.New {
			return false
		}
	}
	for _, m := range v.used {
		if v.meta[m].explicit && !required[m] {
			return false
		}
	}
	for _, m := range v.replaced {
		if _, exactly := replaced[m]; exactly {
			continue
		}
		if _, any := replaced[version.Version{Path: m.Path}]; !any {
			return false
		}
	}
	for _, meta := range v.meta {
		if meta.goVersion != "" && release != "" && compareGo(meta.goVersion, release) > 0 {
			return false // the go command refuses the whole file
		}
	}
	return true
}

// moduleFile parses a go.mod as it was at some time.
func moduleFile(file string, r reading) (*modfile.File, error) {
	data, there, err := r(file)
	if err == nil && !there {
		err = fmt.Errorf("%s is not there", file)
	}
	if err != nil {
		return nil, err
	}
	return modfile.Parse(file, data, nil)
}
