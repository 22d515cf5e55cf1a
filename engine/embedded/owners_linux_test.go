package embedded

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/moby/buildkit/client"
	"github.com/tonistiigi/fsutil"

	"slipway/engine/debian"
	"slipway/progress"
)

// What a package manager does in an image: gives files away, becomes its own user and
// unpacks as it, and leaves programs that are setuid.
const owning = `FROM scratch
COPY --chmod=755 busybox /bin/busybox
SHELL ["/bin/busybox", "sh", "-c"]
RUN /bin/busybox --install -s /bin && mkdir -p /etc /data && echo root:x:0:0::/:/bin/sh >/etc/passwd && \
    echo _apt:x:42:65534::/:/bin/sh >>/etc/passwd && echo nobody:x:65534:65534::/:/bin/sh >>/etc/passwd
RUN touch /data/given && chown 1000:1001 /data/given && chmod 777 /data
RUN su _apt -c 'id -u >/data/by-apt' && [ "$(stat -c %u:%g /data/by-apt)" = 42:65534 ]
RUN cp /bin/busybox /bin/id-as-root && chown 0:0 /bin/id-as-root && chmod 4755 /bin/id-as-root && mkdir /data/own && chown 65534 /data/own
USER 65534:65534
RUN touch /data/own/file && [ "$(id -u)" = 65534 ]
`

// The owners in an image are those of its own users, whoever runs the engine.
func TestFilesKeepTheirOwners(t *testing.T) { t.Logf("image %s", buildOwning(t)) }

// buildOwning builds it, checks the owners, and returns the image's digest.
func buildOwning(t *testing.T) string {
	t.Helper()
	c := connect(t, started(t, options(t)))
	root, err := debian.Unpack(t.Context(), sharedCache, progress.Discard(), "busybox-static")
	must(t, err)
	box, err := os.ReadFile(filepath.Join(root, "bin", "busybox"))
	must(t, err)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "busybox"), box, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(owning), 0o644))
	local, err := fsutil.NewFS(dir)
	must(t, err)
	var exported bytes.Buffer
	built, err := c.Solve(t.Context(), nil, client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: map[string]string{"build-arg:SOURCE_DATE_EPOCH": "0"},
		LocalMounts:   map[string]fsutil.FS{"context": local, "dockerfile": local},
		Exports: []client.ExportEntry{
			{Type: client.ExporterTar, Output: to(&exported)},
			{Type: client.ExporterOCI, Output: to(io.Discard), Attrs: map[string]string{"rewrite-timestamp": "true"}},
		},
	}, nil)
	must(t, err)

	got := map[string]string{}
	for archive := tar.NewReader(&exported); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		got[h.Name] = fmt.Sprintf("%d:%d %o", h.Uid, h.Gid, h.Mode)
	}
	for name, want := range map[string]string{
		"bin/busybox": "0:0 755", "bin/id-as-root": "0:0 4755", "data/given": "1000:1001 644",
		"data/by-apt": "42:65534 644", "data/own/file": "65534:65534 644",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	return built.ExporterResponse["containerimage.digest"]
}

func to(w io.Writer) func(map[string]string) (io.WriteCloser, error) {
	return func(map[string]string) (io.WriteCloser, error) { return nopCloser{w}, nil }
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// Whichever of its processes is killed (without root there are three), all of the server
// goes, and the next command gets a new one.
func TestAnyKilledProcessEndsTheServer(t *testing.T) {
	o := options(t)
	state := filepath.Join(o.CacheDir, "buildkit")
	want := 1
	if os.Geteuid() != 0 {
		want = 3
	}
	for i := 0; ; i++ {
		s := started(t, o)
		pids := processes("-root\x00" + state + "\x00")
		if len(pids) != want || !slices.Contains(pids, s.PID) {
			t.Fatalf("the server %d has the processes %v, want %d", s.PID, pids, want)
		}
		if i == len(pids) {
			return
		}
		must(t, syscall.Kill(pids[i], syscall.SIGKILL))
		eventually(t, "the server's processes end", func() bool { return len(processes("-root\x00"+state+"\x00")) == 0 })
		must(t, s.Close())
	}
}
