package main

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	ctdsnapshot "github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay/overlayutils"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/executor/oci"
	"github.com/moby/buildkit/util/disk"
	"github.com/moby/buildkit/util/network/netproviders"
	"github.com/moby/buildkit/version"
	"github.com/moby/buildkit/worker"
	"github.com/moby/buildkit/worker/base"
	"github.com/moby/buildkit/worker/runc"
	"github.com/moby/sys/userns"
)

// labelVersion is the worker label that tells a client which build of the server it speaks to.
const labelVersion = "slipway.version"

// newWorker makes the one worker: runc on overlayfs, in the machine's own network. In a
// user namespace (of this program's making or a container's) it leaves cgroups alone.
func newWorker(c options, runcPath string, hosts docker.RegistryHosts) (*worker.Controller, *base.Worker, error) {
	rootless := userns.RunningInUserNS()
	if err := overlayutils.Supported(c.root); err != nil {
		if rootless {
			return nil, nil, fmt.Errorf("the state directory %s is on a file system that overlayfs cannot use without root (%w); "+
				"that needs Linux 5.11 or later, and ext4, xfs, btrfs or tmpfs; else run as root", c.root, err)
		}
		return nil, nil, fmt.Errorf("the state directory %s is on a file system that overlayfs cannot use (%w); "+
			"put the cache on ext4, xfs, btrfs or tmpfs, or, in a container, on a volume", c.root, err)
	}
	snapshots := runc.SnapshotterFactory{
		Name: "overlayfs",
		New: func(root string) (ctdsnapshot.Snapshotter, error) {
			return overlay.NewSnapshotter(root, overlay.AsynchronousRemove)
		},
	}
	network := netproviders.Opt{Mode: "host"}
	network.CNI.Root = c.root
	labels := map[string]string{labelVersion: c.version}
	opt, err := runc.NewWorkerOpt(c.root, snapshots, rootless, oci.ProcessSandbox, labels, nil, network, nil,
		runcPath, "", false, nil, "", "", nil)
	if err != nil {
		return nil, nil, fmt.Errorf("setting up the worker: %w", err)
	}
	opt.GCPolicy = gcPolicy(c.root)
	opt.BuildkitVersion = client.BuildkitVersion{Package: version.Package, Version: version.Version}
	opt.RegistryHosts = hosts
	w, err := base.NewWorker(context.Background(), opt)
	if err != nil {
		return nil, nil, fmt.Errorf("setting up the worker: %w", err)
	}
	wc := &worker.Controller{}
	return wc, w, wc.Add(w)
}

const (
	maxUsed  = 20e9 // bytes of cache
	reserved = 2e9  // bytes that a full disk does not take away
	minFree  = 10e9 // bytes left to the rest of the machine, at most a tenth of the disk
)

// gcPolicy bounds the cache. BuildKit's own default holds compiler caches (cache mounts) to
// 512 MB; here only sources, which are quickly sent again, go early.
func gcPolicy(root string) []client.PruneInfo {
	free := int64(minFree)
	if d, err := disk.GetDiskStat(root); err == nil {
		free = min(free, d.Total/10)
	}
	return []client.PruneInfo{
		{
			Filter:       []string{"type==source.local", "type==source.git.checkout"},
			KeepDuration: 48 * 3600e9,
			MaxUsedSpace: 512e6,
		},
		{ReservedSpace: reserved, MaxUsedSpace: maxUsed, MinFreeSpace: free},
		{All: true, ReservedSpace: reserved, MaxUsedSpace: maxUsed, MinFreeSpace: free},
	}
}
