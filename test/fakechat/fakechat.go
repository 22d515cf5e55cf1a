// Package fakechat is the part of Telegram's, Slack's and Discord's APIs that slipway uses, as
// they document it, and a plain webhook. It is reached under the services' own names: as a
// proxy, which speaks for them with certificates of its own.
package fakechat

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"slipway/test/faulty"
)

// Message is what somebody was told.
type Message struct {
	Service string // "telegram", "slack", "discord", "webhook"
	To      string // the chat, or the path
	Text    string
	Raw     []byte // as it was sent
}

// Server is the fake.
type Server struct {
	// Proxy is for HTTPS_PROXY, CAFile for SSL_CERT_FILE: so another process reaches the fake.
	Proxy, CAFile string
	// Host is "127.0.0.1:port", where any path is a webhook: "generic://HOST/PATH?disabletls=yes".
	Host   string
	Faults faulty.Plan

	// TelegramToken is the bot's, TelegramChats what it may write to.
	TelegramToken string
	TelegramChats []string
	// SlackPath is a webhook's, "/services/T…/B…/…"; DiscordPath too, "/api/webhooks/ID/TOKEN".
	SlackPath, DiscordPath string

	mu       sync.Mutex
	messages []Message
	refused  []string
	ca       *authority
}

// Start runs a fake until the test ends. Set what it knows before it is asked.
func Start(t testing.TB) *Server {
	s := &Server{ca: newAuthority(t)}
	s.CAFile = s.ca.file
	server := httptest.NewServer(http.HandlerFunc(s.proxy))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	s.Proxy, s.Host = server.URL, server.Listener.Addr().String()
	return s
}

// Transport reaches the fake, and nothing else.
func (s *Server) Transport() *http.Transport {
	proxy, err := url.Parse(s.Proxy)
	if err != nil {
		panic(err) // httptest gives addresses
	}
	pool := x509.NewCertPool()
	pool.AddCert(s.ca.cert)
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool},
		Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme == "http" {
				return nil, nil //nolint:nilnil // that is how no proxy is said
			}
			return proxy, nil
		},
	}
}

// Messages are what was told, in the order of arrival.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.messages...)
}

// Refused are the hosts that somebody tried to reach and that are no chat service.
func (s *Server) Refused() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.refused...)
}

func (s *Server) told(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
}

// proxy takes CONNECT for the services' hosts. What is no CONNECT is for the webhook.
func (s *Server) proxy(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		s.Faults.Wrap(http.HandlerFunc(s.webhook)).ServeHTTP(w, r)
		return
	}
	host, _, _ := net.SplitHostPort(r.Host)
	service := map[string]http.HandlerFunc{"api.telegram.org": s.telegram, "hooks.slack.com": s.slack, "discord.com": s.discord}[host]
	if service == nil {
		s.mu.Lock()
		s.refused = append(s.refused, host)
		s.mu.Unlock()
		http.Error(w, "no such service", http.StatusForbidden)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		_ = conn.Close()
		return
	}
	secure := tls.Server(&early{conn, buffered.Reader}, &tls.Config{Certificates: []tls.Certificate{s.ca.certificate(host)}})
	l := &single{conn: secure, closed: make(chan struct{})}
	server := &http.Server{Handler: s.Faults.Wrap(service), ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			_ = l.Close()
		}
	}}
	_ = server.Serve(l)
}

// early is a connection of which something was read already.
type early struct {
	net.Conn
	r *bufio.Reader
}

func (e *early) Read(p []byte) (int, error) { return e.r.Read(p) }

// single is a listener with one connection.
type single struct {
	conn   net.Conn
	once   sync.Once
	end    sync.Once
	closed chan struct{}
}

func (l *single) Accept() (c net.Conn, err error) {
	l.once.Do(func() { c = l.conn })
	if c == nil {
		<-l.closed
		err = net.ErrClosed
	}
	return c, err
}

func (l *single) Close() error {
	l.end.Do(func() { close(l.closed) })
	return nil
}

func (l *single) Addr() net.Addr { return l.conn.LocalAddr() }
