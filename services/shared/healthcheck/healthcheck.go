// Package healthcheck asks a service on this machine whether it is healthy. It is what a
// service's -healthcheck flag does: a scratch image has no curl for its HEALTHCHECK.
package healthcheck

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Timeout bounds the question. It is below the 3 seconds that the Dockerfiles' HEALTHCHECK
// gives, so that the reason is printed before Docker ends the process.
const Timeout = 2 * time.Second

// Ask requests /healthz of the service that listens on addr, which is in the form that it
// was told to listen on: "host:port", where no host or a wildcard is every interface. The
// error says why the service is not healthy.
func Ask(ctx context.Context, addr string) error {
	url, err := healthURL(addr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("asking %s: %w", url, err)
	}
	// A transport of our own has no proxy: HTTP_PROXY must not send this question away.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the service does not answer: %w", err)
	}
	if err := response.Body.Close(); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

func healthURL(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("the address %q is not host:port: %w", addr, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/healthz", nil
}
