package sshd

import (
	"context"
	"net"

	"slipway/test/relay"
)

// listens is where sshd itself listens.
func (s *Server) listens() string {
	if s.options.Machine != nil {
		return net.JoinHostPort(s.options.ListenOn, "22")
	}
	return s.Address()
}

// lead takes a port of 127.0.0.1 from which connections go to the server on its machine.
func (s *Server) lead() error {
	listener, err := net.Listen("tcp4", net.JoinHostPort(s.Host, "0"))
	if err != nil {
		return err
	}
	s.Port = listener.Addr().(*net.TCPAddr).Port
	s.t.Cleanup(func() { _ = listener.Close() })
	go relay.Serve(listener, func() (net.Conn, error) {
		return s.options.Machine.Dial(context.Background(), "tcp4", s.listens())
	})
	return nil
}
