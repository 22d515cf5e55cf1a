package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	"github.com/tonistiigi/fsutil"

	"slipway/engine/debian"
	"slipway/progress"
)

// The tests start the real server. It is compiled once, into a cache that outlives them
// ($SLIPWAY_TEST_CACHE); each test has a state directory of its own, with that bin/ in it.
var sharedCache string

func TestMain(m *testing.M) {
	sharedCache = os.Getenv("SLIPWAY_TEST_CACHE")
	if sharedCache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		sharedCache = filepath.Join(user, "slipway-test")
	}
	os.Exit(m.Run())
}

const serverSource = "../../tools/buildkitd"

// options returns options with a fresh state directory, whose server is stopped after the test.
func options(t *testing.T) Options {
	t.Helper()
	dir, err := os.MkdirTemp("", "slipway-embedded-")
	must(t, err)
	o := optionsIn(t, dir)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := Stop(ctx, dir); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "buildkit", logName))
			t.Logf("the server's log:\n%s", log)
		}
		if err := removeState(dir); err != nil {
			t.Errorf("the server left something behind: %v", err)
		}
	})
	return o
}

// removeState removes a state directory. Without root, what images' users own in it is not
// the user's to remove, but root's of a user namespace with the same ids.
func removeState(dir string) error {
	if os.Geteuid() == 0 {
		return os.RemoveAll(dir)
	}
	out, err := exec.Command("unshare", "--map-root-user", "--map-auto", "rm", "-r", dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func optionsIn(t *testing.T, dir string) Options {
	t.Helper()
	for _, name := range []string{"bin", "debian"} {
		shared := filepath.Join(sharedCache, name)
		must(t, os.MkdirAll(shared, 0o755))
		must(t, os.Symlink(shared, filepath.Join(dir, name)))
	}
	return Options{CacheDir: dir, ServerSource: serverSource, Report: progress.Plain(os.Stderr, 5*time.Second)}
}

// started starts, with a limit that is generous enough for a cold compile.
func started(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), o)
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func connect(t *testing.T, s *Server) *client.Client {
	t.Helper()
	c, err := client.New(t.Context(), s.Addr)
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// solve runs a state, exports it to a directory, and returns that.
func solve(ctx context.Context, t *testing.T, c *client.Client, state llb.State, mounts map[string]fsutil.FS) (string, error) {
	t.Helper()
	def, err := state.Marshal(ctx, llb.LocalUniqueID("test"))
	must(t, err)
	out := t.TempDir()
	_, err = c.Solve(ctx, def, client.SolveOpt{
		LocalMounts: mounts,
		Exports:     []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: out}},
	}, nil)
	return out, err
}

// shell is a root file system with a shell, from a local directory.
func shell(t *testing.T) (llb.State, map[string]fsutil.FS) {
	t.Helper()
	root, err := debian.Unpack(t.Context(), sharedCache, progress.Discard(), "busybox-static")
	must(t, err)
	box, err := os.ReadFile(filepath.Join(root, "bin", "busybox"))
	must(t, err)
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "bin"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "bin", "busybox"), box, 0o755))
	must(t, os.Symlink("busybox", filepath.Join(dir, "bin", "sh")))
	local, err := fsutil.NewFS(dir)
	must(t, err)
	state := llb.Scratch().File(llb.Copy(llb.Local("root"), "/", "/"))
	return state, map[string]fsutil.FS{"root": local}
}

// eventually waits for a condition of the outside world.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(poll) {
		if condition() {
			return
		}
	}
	t.Fatalf("waited in vain: %s", what)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
