package baseimage

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"slipway/test/aptget"
)

// nodeArch is what Node's packages call a GOARCH.
var nodeArch = map[string]string{"amd64": "x64", "arm64": "arm64"}

// nodeLayer gives node and npm where the official image has them, from npm's own registry:
// Debian's node is too old for today's build tools.
func nodeLayer(ctx context.Context, version, npm, work string) (v1.Layer, error) {
	arch, known := nodeArch[runtime.GOARCH]
	if !known {
		return nil, fmt.Errorf("making the base image node: there is no package of Node for %s", runtime.GOARCH)
	}
	if _, err := aptget.Ensure(ctx, "npm", "npm"); err != nil {
		return nil, err
	}
	from, root := filepath.Join(work, "npm"), filepath.Join(work, "node")
	bin, modules := filepath.Join(root, "usr/local/bin"), filepath.Join(root, "usr/local/lib/node_modules")
	for _, dir := range []string{from, bin, modules} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	node := "node-linux-" + arch // a package that has the binary and runs nothing
	cmd := exec.CommandContext(ctx, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", "--prefix="+from, node+"@"+version, "npm@"+npm)
	cmd.Dir = from
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("fetching node %s and npm %s from npm's registry: %w\n%s", version, npm, err, out)
	}
	for to, what := range map[string]string{
		filepath.Join(bin, "node"):    node + "/bin/node",
		filepath.Join(modules, "npm"): "npm",
	} {
		if err := os.Rename(filepath.Join(from, "node_modules", what), to); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"npm", "npx"} {
		if err := os.Symlink("../lib/node_modules/npm/bin/"+name+"-cli.js", filepath.Join(bin, name)); err != nil {
			return nil, err
		}
	}
	out := filepath.Join(work, "node.tar")
	if err := pack(ctx, root, out); err != nil {
		return nil, err
	}
	return layerFromTar(out)
}
