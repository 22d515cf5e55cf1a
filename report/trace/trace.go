// Package trace sends a recording as OpenTelemetry spans: the run, in it plans and deploys, in
// these steps and phases. It is set up by the variables of the OpenTelemetry specification,
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/.
package trace

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"slipway/progress/recording"
)

// bound is how long sending may take, however the collector behaves.
var bound = 5 * time.Second

// batch is how many spans are sent at once: collectors take messages of 4 MB at least.
const batch = 512

// Send sends a recording to the collector that the environment names, where it names one. A trace
// that the environment's TRACEPARENT is in goes on, in its way of sampling too.
func Send(ctx context.Context, r recording.Recording) error {
	endpoint := variable("ENDPOINT")
	if endpoint == "" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	// Some of what is wrong the libraries say to these alone.
	var said complaints
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(&said)

	err := send(ctx, r)
	if err = errors.Join(err, said.err()); err != nil {
		text := strings.ReplaceAll(err.Error(), "\n", "; ")
		return fmt.Errorf("the trace could not be sent to %s (OTEL_EXPORTER_OTLP_ENDPOINT): %s; nothing else is the worse for it", endpoint, text)
	}
	return nil
}

func send(ctx context.Context, r recording.Recording) error {
	spans, err := draw(parent(ctx), r)
	if err != nil || len(spans) == 0 { // an unsampled trace has none
		return err
	}
	exporter, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = exporter.Shutdown(context.WithoutCancel(ctx)) }()
	for len(spans) > 0 {
		n := min(batch, len(spans))
		if err := exporter.ExportSpans(ctx, spans[:n]); err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("no answer within %s", bound)
			}
			return err
		}
		spans = spans[n:]
	}
	return nil
}

// open prepares the connection; nothing is connected to yet.
func open(ctx context.Context) (sdk.SpanExporter, error) {
	switch p := cmp.Or(variable("PROTOCOL"), "http/protobuf"); p {
	case "http/protobuf":
		return otlptracehttp.New(ctx, otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: bound}))
	case "grpc":
		return otlptracegrpc.New(ctx, otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: bound}))
	default:
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL=%s is not known here: use http/protobuf or grpc", p)
	}
}

// variable reads a variable of the exporter, its form for traces first.
func variable(name string) string {
	return cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_"+name), os.Getenv("OTEL_EXPORTER_OTLP_"+name))
}

// parent is the span that this run is a part of, by https://www.w3.org/TR/trace-context/ in
// environment variables.
func parent(ctx context.Context) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": os.Getenv("TRACEPARENT"), "tracestate": os.Getenv("TRACESTATE")})
}

// complaints gathers errors.
type complaints struct {
	mu  sync.Mutex
	all []error
}

// Handle implements otel.ErrorHandler.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, err)
}

func (c *complaints) err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return errors.Join(c.all...)
}
