package remote

import (
	"context"
	"errors"
	"time"

	"slipway/deploy/ssh"
)

// Why there is no way to another node.
var (
	// ErrNotOverSSH: this host itself is not reached over SSH, so nothing leads on from it.
	ErrNotOverSSH = errors.New("not reached over SSH")
	// ErrNotPinned: no host key is pinned for any of the node's names.
	ErrNotPinned = errors.New("no host key is pinned")
)

// nodePatience bounds one attempt to get to a node: who asks for one can do without.
const nodePatience = 5 * time.Second

// Node connects to the daemon of a machine that this host can reach, through this host and
// with its user, key and known hosts. Of the names the first that is pinned counts, at this
// host's port or, since that may be a forwarded one, at SSH's own.
func (h *Host) Node(ctx context.Context, names ...string) (*Host, error) {
	if h.login == nil {
		return nil, ErrNotOverSSH
	}
	through := h.login.options
	for _, name := range names {
		for _, port := range []int{through.Port, 0} {
			o := through
			o.Host, o.Port, o.Jump, o.Timeout = name, port, &through, nodePatience
			if name != "" && o.Pinned() {
				return connectNode(ctx, o, h.socket)
			}
		}
	}
	return nil, ErrNotPinned
}

func connectNode(ctx context.Context, o ssh.Options, socket string) (*Host, error) {
	limited, cancel := context.WithTimeout(ctx, 2*nodePatience) // the way through this host included
	defer cancel()
	return connectSSH(limited, o, socket)
}
