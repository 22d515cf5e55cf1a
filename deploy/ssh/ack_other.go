//go:build !linux

package ssh

import "net"

// promptly has nothing to do where the kernel has no such option.
func promptly(c net.Conn) net.Conn { return c }
