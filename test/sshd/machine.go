package sshd

import (
	"context"
	"io"
	"net"
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
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go s.join(conn.(*net.TCPConn))
		}
	}()
	return nil
}

func (s *Server) join(outside *net.TCPConn) {
	defer outside.Close()
	conn, err := s.options.Machine.Dial(context.Background(), "tcp4", s.listens())
	if err != nil {
		_ = outside.SetLinger(0) // the nearest thing to a refusal
		return
	}
	inside := conn.(*net.TCPConn)
	defer inside.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.Copy(inside, outside)
		_ = inside.CloseWrite()
	}()
	_, _ = io.Copy(outside, inside)
	_ = outside.CloseWrite()
	<-sent
}
