package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// What went wrong, for callers that decide by it (errors.Is). The sentences are in the
// errors themselves.
var (
	// ErrHostKey: the server's key is not pinned, is another one, or is revoked.
	ErrHostKey = errors.New("host key not accepted")
	// ErrDenied: the server does not let this user in with this key, or there is no usable key.
	ErrDenied = errors.New("login refused")
	// ErrUnreachable: no server answers. Trying again later may help.
	ErrUnreachable = errors.New("server not reachable")
	// ErrLost: a connection that had been made is gone. Dialling again may help.
	ErrLost = errors.New("connection lost")
)

// problem is a sentence with its kind and, where there is one, its cause.
type problem struct {
	kind     error
	sentence string
	cause    error
}

func (p *problem) Error() string { return p.sentence }

func (p *problem) Unwrap() []error {
	if p.cause == nil {
		return []error{p.kind}
	}
	return []error{p.kind, p.cause}
}

// explainDial says why no TCP connection came about.
func explainDial(o Options, err error) error {
	say := func(format string, a ...any) error {
		return &problem{ErrUnreachable, "connecting to " + o.String() + " over SSH: " + fmt.Sprintf(format, a...), err}
	}
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return say("there is no host named %q; check SERVER_HOST", o.Host)
	case errors.As(err, &dns):
		return say("the name %q could not be looked up: %s", o.Host, dns.Err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return say("nothing listens on port %d there; check the port and that sshd runs", o.port())
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return say("no answer within %s; check the address and the firewalls on the way", o.Timeout)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return say("there is no route to %s from here; check the address and the network or VPN", o.Host)
	}
	return say("%v", err)
}
