// Package relay carries TCP connections from one network into another.
package relay

import (
	"io"
	"net"
)

// Serve joins each connection to one that dial makes, until way is closed.
func Serve(way net.Listener, dial func() (net.Conn, error)) {
	for {
		conn, err := way.Accept()
		if err != nil {
			return
		}
		go join(conn.(*net.TCPConn), dial)
	}
}

func join(outside *net.TCPConn, dial func() (net.Conn, error)) {
	defer outside.Close()
	conn, err := dial()
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
