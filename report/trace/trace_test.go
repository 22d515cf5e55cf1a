package trace

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"slipway/progress/recording"
	"slipway/test/otlp"
)

var began = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

func at(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }

// run is a build with a failed test, and a deploy.
func run() recording.Recording {
	return recording.Recording{
		Title: "ci:run -event=merge", Began: at(0), Ended: at(60), State: recording.Failed, Exit: 3, Verdict: "failed: ping",
		Facts: []recording.Fact{{Name: "commit", Value: "22f8005a"}, {Name: "engine", Value: "embedded BuildKit"}},
		Groups: []recording.Group{
			{Name: "ping", State: recording.Failed, Facts: []recording.Fact{{Name: "tag", Value: "20261123_22f8005a"}}, Spans: []recording.Span{
				{ID: 1, Name: "build ping", Began: at(1), Ended: at(2), State: recording.Cached},
				{ID: 2, Name: "test ping", Began: at(2), Ended: at(9), State: recording.Failed, Message: "test ping failed with exit status 1", Notes: []string{"ping_test.go:7: no"}},
				{ID: 3, Parent: 4, Detail: true, Name: "[1/2] FROM alpine", Began: at(9), Ended: at(10), State: recording.Done},
				{ID: 4, Name: "image ping", Began: at(9), Ended: at(12), State: recording.Interrupted},
			}},
			{Name: "deploy dev", State: recording.Done, Services: []recording.Service{{Name: "ping", Change: "update", State: "done", Tasks: "2/2", Image: "ping:1"}}, Spans: []recording.Span{
				{ID: 5, Name: "waiting for ping", Began: at(20), Ended: at(60), State: recording.Done},
			}},
			{Name: "backend", State: recording.Failed, Message: "the engine is gone"},
		},
	}
}

// environment sets what the collector is reached by, and nothing else of OpenTelemetry's.
func environment(t *testing.T, vars ...string) {
	t.Helper()
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_HEADERS",
		"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_TRACES_SAMPLER", "TRACEPARENT", "TRACESTATE"} {
		t.Setenv(name, "") // comes back when the test is over
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
}

func TestARunIsATrace(t *testing.T) {
	c := otlp.Start(t)
	environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_HEADERS=x-key=abc", "OTEL_RESOURCE_ATTRIBUTES=team=shop",
		"TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if err := Send(t.Context(), run()); err != nil {
		t.Fatal(err)
	}
	spans := c.Spans()
	names := map[string]string{"b7ad6b7169203331": "CI"}
	for _, s := range spans {
		names[s.ID] = s.Name
	}
	got := map[string]bool{}
	for _, s := range spans {
		got[fmt.Sprintf("%s > %s %d-%d failed:%v %q", names[s.Parent], s.Name, s.Began.Unix()-began.Unix(), s.Ended.Unix()-began.Unix(), s.Failed, s.Message)] = true
		if s.Trace != "0af7651916cd43dd8448eb211c80319c" || s.Resource["service.name"] != "slipway" || s.Resource["team"] != "shop" {
			t.Errorf("%s is of trace %s and of %v", s.Name, s.Trace, s.Resource)
		}
	}
	for _, want := range []string{
		`CI > ci:run 0-60 failed:true "failed: ping"`,
		`ci:run > ping 1-12 failed:true "failed"`,
		`ping > build ping 1-2 failed:false ""`,
		`ping > test ping 2-9 failed:true "test ping failed with exit status 1"`,
		`ping > image ping 9-12 failed:true "interrupted"`,
		`image ping > [1/2] FROM alpine 9-10 failed:false ""`,
		`ci:run > deploy dev 20-60 failed:false ""`,
		`deploy dev > waiting for ping 20-60 failed:false ""`,
		`ci:run > backend 60-60 failed:true "the engine is gone"`,
	} {
		if !got[want] {
			t.Errorf("missing: %s", want)
		}
		delete(got, want)
	}
	if len(got) > 0 {
		t.Errorf("too many: %v", got)
	}
	for _, want := range []struct{ span, key, value string }{
		{"ci:run", "vcs.ref.head.revision", "22f8005a"}, {"ci:run", "slipway.engine", "embedded BuildKit"}, {"ci:run", "slipway.command", "ci:run -event=merge"},
		{"ci:run", "process.exit.code", "3"}, {"ping", "slipway.tag", "20261123_22f8005a"}, {"build ping", "slipway.cached", "true"},
		{"test ping", "slipway.cached", "false"}, {"test ping", "slipway.state", "failed"}, {"test ping", "slipway.notes", "ping_test.go:7: no"},
	} {
		for _, s := range spans {
			if s.Name == want.span && s.Attributes[want.key] != want.value {
				t.Errorf("%s of %s is %q, want %q", want.key, want.span, s.Attributes[want.key], want.value)
			}
			if s.Name == "deploy dev" && (len(s.Events) != 1 || s.Events[0]["slipway.service"] != "ping" || s.Events[0]["slipway.tasks"] != "2/2") {
				t.Errorf("the deploy's services are %v", s.Events)
			}
		}
	}
	if h := c.Requests(); len(h) != 1 || h[0].Get("X-Key") != "abc" {
		t.Errorf("%d requests, the first with %v", len(h), h)
	}
}

func TestATraceThatNobodyWantsIsNotSent(t *testing.T) {
	for _, vars := range [][]string{
		{"OTEL_SDK_DISABLED=true"}, {"OTEL_TRACES_EXPORTER=none"}, {"OTEL_TRACES_SAMPLER=always_off"},
		{"TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}, {"OTEL_EXPORTER_OTLP_ENDPOINT="},
	} {
		c := otlp.Start(t)
		environment(t, append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL}, vars...)...)
		if err := Send(t.Context(), run()); err != nil || len(c.Requests()) > 0 {
			t.Errorf("%v: %d requests, %v", vars, len(c.Requests()), err)
		}
	}
}

func TestALongRunIsSentInParts(t *testing.T) {
	c := otlp.Start(t)
	c.Answer(http.StatusServiceUnavailable) // for a moment
	environment(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_SERVICE_NAME=ours", "TRACEPARENT=nonsense")
	r := run()
	for i := range 700 {
		r.Groups[1].Spans = append(r.Groups[1].Spans, recording.Span{ID: 10 + i, Name: "waiting", Began: at(20), Ended: at(21), State: recording.Done})
	}
	if err := Send(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got := c.Spans(); len(got) != 709 || len(c.Requests()) != 3 || got[0].Resource["service.name"] != "ours" {
		t.Errorf("%d spans in %d requests, of %v", len(got), len(c.Requests()), got[0].Resource)
	}
	for _, s := range c.Spans() {
		if s.Name == "ci:run" && s.Parent != "" {
			t.Errorf("the parent of a run without one is %s", s.Parent)
		}
	}
}

func TestACollectorThatDoesNotTakeItIsOneWarning(t *testing.T) {
	usual := bound
	bound = time.Second
	defer func() { bound = usual }()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + nobody.Addr().String()
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer silent.Close()
	defer close(release)
	refuses := otlp.Start(t)
	refuses.Answer(http.StatusForbidden)
	for name, test := range map[string]struct {
		vars []string
		want []string
	}{
		"not there":        {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + closed}, []string{closed, "connection refused"}},
		"silent":           {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + silent.URL}, []string{silent.URL, "no answer within 1s"}},
		"refusing":         {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + refuses.URL}, []string{refuses.URL, "403"}},
		"no such protocol": {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + closed, "OTEL_EXPORTER_OTLP_PROTOCOL=http/json"}, []string{"OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "http/protobuf or grpc"}},
		"grpc, not there":  {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + closed, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, []string{closed}},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, test.vars...)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := Send(ctx, run())
			if err == nil || ctx.Err() != nil {
				t.Fatalf("%v, and the test's own limit: %v", err, ctx.Err())
			}
			for _, want := range append(test.want, "the trace could not be sent") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it does not say %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("it is more than one line: %v", err)
			}
		})
	}
}
