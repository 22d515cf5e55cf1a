package monitoring

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"slipway/progress"
	"slipway/test/baseimage"
)

// official are images of the manifest with Debian's programs in them: where the official ones have
// theirs, as the user that they have, with a busybox as theirs.
var official = map[string]struct{ program, at, data string }{
	"prom/prometheus":        {"prometheus", "/bin/prometheus", "/prometheus"},
	"prom/alertmanager":      {"prometheus-alertmanager", "/bin/alertmanager", "/alertmanager"},
	"prom/node-exporter":     {"prometheus-node-exporter", "/bin/node_exporter", ""},
	"prom/blackbox-exporter": {"prometheus-blackbox-exporter", "/bin/blackbox_exporter", ""},
}

const nobody = 65534

// pushOfficial puts them into a registry, under the tags that the manifest has.
func pushOfficial(t *testing.T, host, manifest string) {
	t.Helper()
	base, err := baseimage.Build(t.Context(), "alpine", progress.Discard())
	must(t, err)
	for image, o := range official {
		tag := regexp.MustCompile(`image: ` + image + `:(\S+)`).FindStringSubmatch(manifest)
		if tag == nil {
			t.Fatalf("the manifest has no image %s", image)
		}
		program, err := exec.LookPath(o.program)
		must(t, err)
		files := map[string]string{o.at: program}
		// Debian links them to libc.
		libraries, err := exec.Command("ldd", program).Output()
		must(t, err)
		for _, lib := range regexp.MustCompile(`/\S+\.so\S*`).FindAllString(string(libraries), -1) {
			files[lib] = lib
		}
		if o.program == "prometheus-alertmanager" { // Debian's has its templates beside it
			for _, f := range []string{"default.tmpl", "email.tmpl"} {
				files["/usr/share/prometheus/alertmanager/"+f] = "/usr/share/prometheus/alertmanager/" + f
			}
		}
		push(t, host+"/"+image+":"+tag[1], base, files, o.data, v1.Config{
			Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, User: "nobody", Entrypoint: []string{o.at},
		})
	}
}

// pushServices puts the sample services into a registry, as services/Dockerfile makes them.
func pushServices(t *testing.T, host, tag string) {
	t.Helper()
	for _, s := range []string{"ping", "backend", "alerts"} {
		push(t, host+"/"+s+":"+tag, empty.Image, map[string]string{"/app/service": filepath.Join(services, s)}, "", v1.Config{
			User: "65532:65532", Entrypoint: []string{"/app/service"}, Env: []string{"VERSION=" + tag},
		})
	}
}

func push(t *testing.T, image string, base v1.Image, files map[string]string, data string, config v1.Config) {
	t.Helper()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for at, from := range files {
		content, err := os.ReadFile(from)
		must(t, err)
		must(t, w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(at, "/"), Mode: 0o755, Size: int64(len(content))}))
		_, err = w.Write(content)
		must(t, err)
	}
	if data != "" {
		must(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: strings.TrimPrefix(data, "/") + "/", Mode: 0o755, Uid: nobody, Gid: nobody}))
	}
	must(t, w.Close())
	// Compressing takes longer than sending.
	made, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil }, tarball.WithCompressionLevel(0))
	must(t, err)
	built, err := mutate.AppendLayers(base, made)
	must(t, err)
	file, err := built.ConfigFile()
	must(t, err)
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Config = "linux", "amd64", config
	if like, err := base.ConfigFile(); err == nil && like.Architecture != "" {
		file.Architecture = like.Architecture
	}
	built, err = mutate.ConfigFile(built, file)
	must(t, err)
	ref, err := name.ParseReference(image)
	must(t, err)
	must(t, remote.Write(ref, built, remote.WithContext(t.Context())))
}
