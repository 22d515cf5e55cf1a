package httpserver

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// server is one that runs, with a handler that holds each request until it is released.
type server struct {
	url             string
	entered, resume chan struct{}
	stop            context.CancelFunc
	ended           chan error
}

func start(t *testing.T, drain time.Duration) *server {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		url:     "http://" + listener.Addr().String(),
		entered: make(chan struct{}), resume: make(chan struct{}),
		ended: make(chan error, 1),
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.entered <- struct{}{}
		select {
		case <-s.resume:
			_, _ = io.WriteString(w, "done")
		case <-r.Context().Done():
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() { s.ended <- Serve(ctx, listener, handler, drain, slog.New(slog.DiscardHandler)) }()
	return s
}

// ask sends one request and gives its body, or the error's text.
func (s *server) ask(t *testing.T) <-chan string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	result := make(chan string, 1)
	go func() {
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			result <- err.Error()
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			result <- err.Error()
			return
		}
		result <- string(body)
	}()
	return result
}

func TestStopDrainsRequestUnderWay(t *testing.T) {
	s := start(t, time.Minute)
	answer := s.ask(t)
	<-s.entered
	s.stop()

	// Nothing new is accepted, once the server has seen that it is to stop.
	dialer := net.Dialer{}
	for {
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			break
		}
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case err := <-s.ended:
		t.Fatalf("the server did not wait for the request: %v", err)
	case got := <-answer:
		t.Fatalf("the request was not held: %s", got)
	default:
	}
	close(s.resume)
	if got := <-answer; got != "done" {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-s.ended; err != nil {
		t.Errorf("stopping: %v", err)
	}
}

func TestStopIsBounded(t *testing.T) {
	s := start(t, time.Millisecond)
	answer := s.ask(t)
	<-s.entered
	s.stop()
	err := <-s.ended
	if err == nil || !strings.Contains(err.Error(), "still running after 1ms") {
		t.Errorf("stopping with a request that does not end: %v", err)
	}
	if got := <-answer; !strings.Contains(got, "EOF") {
		t.Errorf("the request that did not end got %q", got)
	}
}

func TestAddressInUse(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var logged bytes.Buffer
	err = Run(t.Context(), listener.Addr().String(), http.NotFoundHandler(), slog.New(slog.NewTextHandler(&logged, nil)))
	if err == nil || !strings.Contains(err.Error(), "HTTP_ADDR") || !strings.Contains(err.Error(), listener.Addr().String()) {
		t.Errorf("got %v", err)
	}
	if logged.Len() > 0 {
		t.Errorf("it says that it listens: %s", &logged)
	}
}
