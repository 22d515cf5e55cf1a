// Package faulty makes a fake service fail as a test tells it to.
package faulty

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
)

// Fault is what goes wrong with requests. The first fault that matches is taken.
type Fault struct {
	Method, Path string // Path: a part of it; "" for any
	Skip         int    // so many matching requests go well before
	Times        int    // how often it strikes; 0 is once, -1 is always

	Status int // the answer instead of the service's own
	Header map[string]string
	Body   string
	Drop   bool // no answer: the connection is closed
	Cut    bool // the answer ends in its middle
	Hang   bool // no answer until the client goes away
	// Late: the service carries the request out before it fails. Otherwise it does not.
	Late bool
	// Before is called first, for what happens at this very moment.
	Before func()
}

// Plan is the faults to come. Its zero value has none.
type Plan struct {
	mu     sync.Mutex
	faults []*Fault
}

// Add tells of a fault.
func (p *Plan) Add(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	p.faults = append(p.faults, &f)
}

// Left counts the faults that have yet to strike: a test whose fault never came proves nothing.
func (p *Plan) Left() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, f := range p.faults {
		n += max(f.Times, 0)
	}
	return n
}

func (p *Plan) next(r *http.Request) *Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if f.Times == 0 || f.Method != "" && f.Method != r.Method || !strings.Contains(r.URL.EscapedPath(), f.Path) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			return nil
		}
		if f.Times > 0 {
			f.Times--
		}
		return f
	}
	return nil
}

// Wrap puts the faults before a service.
func (p *Plan) Wrap(service http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		f := p.next(r)
		if f == nil {
			service.ServeHTTP(w, r)
			return
		}
		if f.Before != nil {
			f.Before()
		}
		answer := httptest.NewRecorder()
		if f.Late || f.Cut && r.Method == http.MethodGet {
			service.ServeHTTP(answer, r)
		} else if f.Cut {
			_, _ = answer.WriteString(`{"id":12345,"body":"begun"}`)
		}
		switch {
		case f.Hang:
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case f.Cut:
			cut(w, answer)
		case f.Drop:
			panic(http.ErrAbortHandler)
		case f.Status == 0: // only a moment
			service.ServeHTTP(w, r)
		default:
			for k, v := range f.Header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(f.Status)
			_, _ = io.WriteString(w, f.Body)
		}
	})
}

// cut promises the whole answer, and closes the connection after half of it.
func cut(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for k, v := range answer.Header() {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
