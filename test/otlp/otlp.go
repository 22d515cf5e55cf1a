// Package otlp receives traces inside a test, as a collector does: OTLP over HTTP with protobuf,
// https://opentelemetry.io/docs/specs/otlp/#otlphttp.
package otlp

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// Span is what was received of a span.
type Span struct {
	Trace, ID, Parent string // in hexadecimal, Parent "" of a root
	Name              string
	Began, Ended      time.Time
	Failed            bool
	Message           string
	Attributes        map[string]string
	Events            []map[string]string // the attributes of each
	Resource          map[string]string
}

// Receiver is a running receiver. Its methods are safe for concurrent use.
type Receiver struct {
	URL string // for OTEL_EXPORTER_OTLP_ENDPOINT

	t       testing.TB
	mu      sync.Mutex
	answers []int
	headers []http.Header
	spans   []Span
}

// Start runs one until the test ends.
func Start(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{t: t}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// Answer says with which status the next requests are answered that are not taken.
func (r *Receiver) Answer(status ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = status
}

// Spans are all that were received.
func (r *Receiver) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Span(nil), r.spans...)
}

// Requests are the headers of all requests.
func (r *Receiver) Requests() []http.Header {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]http.Header(nil), r.headers...)
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.headers = append(r.headers, req.Header)
	if len(r.answers) > 0 {
		w.WriteHeader(r.answers[0])
		r.answers = r.answers[1:]
		return
	}
	if err := r.take(req); err != nil {
		r.t.Errorf("a request that a collector refuses: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	answer, err := proto.Marshal(&collector.ExportTraceServiceResponse{})
	if err != nil {
		r.t.Errorf("answering: %v", err)
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func (r *Receiver) take(req *http.Request) error {
	if req.Method != http.MethodPost || req.URL.Path != "/v1/traces" || req.Header.Get("Content-Type") != "application/x-protobuf" {
		return fmt.Errorf("%s %s of %s", req.Method, req.URL.Path, req.Header.Get("Content-Type"))
	}
	body := io.Reader(req.Body)
	if req.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(body); err != nil {
			return err
		}
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var in collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(data, &in); err != nil {
		return err
	}
	for _, rs := range in.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				got := Span{
					Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()), Name: s.GetName(),
					Began: time.Unix(0, int64(s.GetStartTimeUnixNano())), Ended: time.Unix(0, int64(s.GetEndTimeUnixNano())),
					Failed: s.GetStatus().GetCode() == 2, Message: s.GetStatus().GetMessage(), // STATUS_CODE_ERROR
					Attributes: texts(s.GetAttributes()), Resource: texts(rs.GetResource().GetAttributes()),
				}
				for _, e := range s.GetEvents() {
					got.Events = append(got.Events, texts(e.GetAttributes()))
				}
				if len(s.GetTraceId()) != 16 || len(s.GetSpanId()) != 8 || got.Name == "" || got.Ended.Before(got.Began) {
					return fmt.Errorf("no valid span: %v", s)
				}
				r.spans = append(r.spans, got)
			}
		}
	}
	return nil
}

func texts(all []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, kv := range all {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[kv.GetKey()] = v.StringValue
		case *common.AnyValue_BoolValue:
			out[kv.GetKey()] = fmt.Sprint(v.BoolValue)
		case *common.AnyValue_IntValue:
			out[kv.GetKey()] = fmt.Sprint(v.IntValue)
		default:
			out[kv.GetKey()] = strings.TrimSpace(kv.GetValue().String())
		}
	}
	return out
}
