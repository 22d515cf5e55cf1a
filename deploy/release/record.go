// Package release keeps what was deployed in the Swarm itself: each release is a config with
// labels, which any manager gives out, and which no container mounts.
package release

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"slipway/deploy/convert"
)

// State is how a release ended.
type State string

// States. A record is written before a deploy's first other write, as applying: one that a
// killed deploy left shows itself so.
const (
	Applying   State = "applying"
	Done       State = "done"
	Failed     State = "failed"
	RolledBack State = "rolled back"
)

// Record is one manifest as applied.
type Record struct {
	Number   int    `json:"number"`
	Stack    string `json:"stack"`
	Project  string `json:"project,omitempty"`
	Env      string `json:"env,omitempty"`
	Commit   string `json:"commit,omitempty"`
	Branch   string `json:"branch,omitempty"`
	Who      string `json:"who,omitempty"`
	Pipeline string `json:"pipeline,omitempty"` // the CI pipeline's address
	// Started is the client's clock, which may be wrong: for people only.
	Started time.Time `json:"started"`
	// Previous is the last release that went well before, RollbackTo the one that this one
	// brings back; 0 for none.
	Previous   int `json:"previous,omitempty"`
	RollbackTo int `json:"rollbackTo,omitempty"`
	// Want has the specs with digests. It has neither values of secrets nor contents of
	// configs: these stay in the Swarm as long as a kept record names them.
	Want    *convert.Stack `json:"want"`
	Changes []string       `json:"changes,omitempty"` // a line for each operation
	// Review is set for a release of a review app.
	Review *Review `json:"review,omitempty"`
}

const (
	format = 1
	// maxData is below a config's own bound of 1000 KiB (swarmkit, controlapi:
	// validateConfigSpec), maxJSON bounds what a reader unpacks.
	maxData = 900 << 10
	maxJSON = 16 << 20
)

type envelope struct {
	Format int     `json:"format"`
	Record *Record `json:"record"`
}

// encode packs a record. The same record gives the same bytes.
func encode(r Record) ([]byte, error) {
	want := *r.Want
	want.Configs = slices.Clone(want.Configs)
	for i := range want.Configs {
		want.Configs[i].Data = nil
	}
	r.Want = &want
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if err := json.NewEncoder(z).Encode(envelope{format, &r}); err != nil {
		return nil, fmt.Errorf("packing the record of release %d: %w", r.Number, err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("packing the record of release %d: %w", r.Number, err)
	}
	if out.Len() > maxData {
		return nil, fmt.Errorf("the record of this release would be %d KiB, and at most %d fit in a Swarm config: make the stack smaller, or move long texts from environment: and labels: to configs", out.Len()>>10, maxData>>10)
	}
	return out.Bytes(), nil
}

func decode(data []byte) (*Record, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxJSON+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is damaged: %w", err)
	case len(text) > maxJSON:
		return nil, fmt.Errorf("it is larger than any real one")
	}
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		if json.Unmarshal(text, &struct{ Format *int }{&e.Format}) != nil || e.Format <= format {
			return nil, fmt.Errorf("it is damaged: %w", err)
		}
	}
	switch {
	case e.Format > format:
		return nil, fmt.Errorf("a newer slipway wrote it (format %d, this one reads up to %d)", e.Format, format)
	case e.Record == nil || e.Record.Want == nil || e.Record.Number <= 0:
		return nil, fmt.Errorf("it lacks what a record has")
	}
	if err := e.Record.Want.Whole(); err != nil {
		return nil, err
	}
	return e.Record, nil
}
