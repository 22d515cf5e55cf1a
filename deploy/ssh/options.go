// Package ssh is how this system reaches a server: one connection with pinned host keys,
// and many channels over it to the Docker daemon's socket, to commands and to files.
package ssh

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"time"

	"slipway/secret"
)

// Options say where to connect and as whom. Zero values of the numbers mean the defaults
// named with them.
type Options struct {
	// Host is a name or an IP address; required. Port is 22 unless given.
	Host string
	Port int
	// User is whom to log in as; required.
	User string
	// Key is a private key: the text of its PEM file, or the path of that file. A passphrase
	// cannot be asked for: such a key works through the agent that holds it.
	Key secret.Value
	// Agent is the path of an SSH agent's socket (SSH_AUTH_SOCK). It is asked where there is
	// no key, or where the key has a passphrase.
	Agent string
	// KnownHosts is known_hosts text (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT), or the path of
	// such a file. Only a host key
	// pinned here is accepted; nothing is ever fetched or added.
	KnownHosts string
	// Jump is a server to go through, which may have a Jump of its own. Where it has no Key
	// and no Agent, or no KnownHosts, those of the target hold.
	Jump *Options

	// Timeout bounds one attempt to connect and log in: 20 seconds.
	Timeout time.Duration
	// KeepAlive is how often the server is asked whether it is there: 15 seconds. One that
	// has not answered after two more is taken for dead.
	KeepAlive time.Duration
	// MaxSessions bounds what runs at once on the connection: 8, below sshd's own MaxSessions
	// of 10. Sockets that the server forwards do not count there, and have a bound of their own.
	MaxSessions int

	// Wait and Random are the clock and the dice of retries; tests set them.
	Wait   func(context.Context, time.Duration) error
	Random func() float64
}

// maxSockets bounds forwarded sockets, for which sshd itself has no limit worth the name.
const maxSockets = 64

// Address is "host:port", as known_hosts means it.
func (o Options) Address() string {
	return net.JoinHostPort(o.Host, strconv.Itoa(o.port()))
}

func (o Options) port() int {
	if o.Port == 0 {
		return 22
	}
	return o.Port
}

// String names the server in messages: "deploy@host", with the port unless it is 22.
func (o Options) String() string {
	if o.port() == 22 {
		return o.User + "@" + o.Host
	}
	return o.User + "@" + o.Address()
}

func (o Options) withDefaults() Options {
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	if o.KeepAlive <= 0 {
		o.KeepAlive = 15 * time.Second
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = 8
	}
	if o.Wait == nil {
		o.Wait = wait
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Jump != nil {
		jump := *o.Jump
		if jump.Key.Empty() && jump.Agent == "" {
			jump.Key, jump.Agent = o.Key, o.Agent
		}
		if jump.KnownHosts == "" {
			jump.KnownHosts = o.KnownHosts
		}
		if jump.Wait == nil {
			jump.Wait = o.Wait
		}
		o.Jump = &jump
	}
	return o
}

func (o Options) check() error {
	switch {
	case o.Host == "":
		return errors.New("connecting over SSH: there is no host to connect to; set SERVER_HOST")
	case o.Port < 0 || o.Port > 65535:
		return errors.New("connecting over SSH to " + o.Host + ": port " + strconv.Itoa(o.Port) + " is not between 1 and 65535")
	case o.User == "":
		return errors.New("connecting over SSH to " + o.Host + ": there is no user to log in as; set USER_NAME")
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
