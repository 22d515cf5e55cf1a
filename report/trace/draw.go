package trace

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"

	"slipway/progress/recording"
)

// named are facts that have a name in OpenTelemetry's semantic conventions; others are slipway's.
var named = map[string]attribute.Key{"commit": semconv.VCSRefHeadRevisionKey, "branch": semconv.VCSRefHeadNameKey}

// messageLimit bounds a text in an attribute or a status, in bytes.
const messageLimit = 2 << 10

// draw makes spans of a recording, below the span that the context is of.
func draw(ctx context.Context, r recording.Recording) ([]sdk.ReadOnlySpan, error) {
	// The environment's names win, as the specification has it.
	res, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(semconv.ServiceName("slipway")), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("reading OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	kept := &keeper{}
	provider := sdk.NewTracerProvider(sdk.WithResource(res), sdk.WithSpanProcessor(kept))
	d := drawing{tracer: provider.Tracer("slipway")}
	root := d.begin(ctx, command(r.Title), r.Began, append(facts(r.Facts), attribute.String("slipway.command", short(r.Title)), semconv.ProcessExitCode(r.Exit)))
	for i := range r.Groups {
		g := &r.Groups[i]
		began, ended := g.Began(), g.Ended()
		if len(g.Spans) == 0 { // it did not come to that
			began, ended = r.Ended, r.Ended
		}
		d.group(root, g, began, ended)
	}
	d.end(root, r.State, r.Verdict, r.Ended)
	return kept.spans, nil
}

// command leaves out a command's flags and names: a span's name says what kind of thing it is.
func command(title string) string {
	name, _, _ := strings.Cut(title, " ")
	return name
}

type drawing struct{ tracer trace.Tracer }

func (d drawing) begin(in context.Context, name string, at time.Time, attributes []attribute.KeyValue) context.Context {
	ctx, _ := d.tracer.Start(in, name, trace.WithTimestamp(at), trace.WithAttributes(attributes...))
	return ctx
}

func (d drawing) end(ctx context.Context, state recording.State, message string, at time.Time) {
	span := trace.SpanFromContext(ctx)
	span.SetAttributes(attribute.String("slipway.state", string(state)))
	if state == recording.Failed || state == recording.Interrupted {
		if message == "" {
			message = string(state)
		}
		span.SetStatus(codes.Error, short(message))
	}
	span.End(trace.WithTimestamp(at))
}

func (d drawing) group(in context.Context, g *recording.Group, began, ended time.Time) {
	ctx := d.begin(in, g.Name, began, facts(g.Facts))
	for _, s := range g.Services {
		trace.SpanFromContext(ctx).AddEvent("service", trace.WithTimestamp(ended), trace.WithAttributes(
			attribute.String("slipway.service", s.Name), attribute.String("slipway.change", s.Change), attribute.String("slipway.state", s.State),
			attribute.String("slipway.tasks", s.Tasks), attribute.String("slipway.image", s.Image), attribute.String("slipway.why", short(s.Why)),
		))
	}
	under := map[int]context.Context{0: ctx}
	for _, s := range g.Spans { // first those that others are a part of
		if s.Parent == 0 {
			under[s.ID] = d.span(ctx, s)
		}
	}
	for _, s := range g.Spans {
		if s.Parent > 0 {
			under[s.ID] = d.span(under[s.Parent], s)
		}
	}
	for _, s := range g.Spans {
		d.end(under[s.ID], s.State, s.Message, s.Ended)
	}
	d.end(ctx, g.State, g.Message, ended)
}

func (d drawing) span(in context.Context, s recording.Span) context.Context {
	attributes := []attribute.KeyValue{attribute.Bool("slipway.cached", s.State == recording.Cached || s.State == recording.Reused)}
	if len(s.Notes) > 0 {
		attributes = append(attributes, attribute.String("slipway.notes", short(strings.Join(s.Notes, "\n"))))
	}
	return d.begin(in, short(s.Name), s.Began, attributes)
}

func facts(all []recording.Fact) []attribute.KeyValue {
	var out []attribute.KeyValue
	for _, f := range all {
		key, ok := named[f.Name]
		if !ok {
			key = attribute.Key("slipway." + f.Name)
		}
		out = append(out, key.String(f.Value))
	}
	return out
}

func short(text string) string {
	if len(text) <= messageLimit {
		return text
	}
	return strings.ToValidUTF8(text[:messageLimit], "") + "…"
}

// keeper keeps the spans that have ended.
type keeper struct{ spans []sdk.ReadOnlySpan }

func (k *keeper) OnStart(context.Context, sdk.ReadWriteSpan) {}
func (k *keeper) OnEnd(s sdk.ReadOnlySpan)                   { k.spans = append(k.spans, s) }
func (k *keeper) Shutdown(context.Context) error             { return nil }
func (k *keeper) ForceFlush(context.Context) error           { return nil }
