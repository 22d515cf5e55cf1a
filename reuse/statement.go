package reuse

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Types of what a statement is made of: in-toto's Statement v1 around SLSA's provenance v1
// (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md,
// https://slsa.dev/spec/v1.0/provenance).
const (
	statementType = "https://in-toto.io/Statement/v1"
	predicateType = "https://slsa.dev/provenance/v1"
	buildType     = "urn:slipway:service:v1"
	builderID     = "urn:slipway"
)

type statement struct {
	Type          string     `json:"_type"`
	Subject       []resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     provenance `json:"predicate"`
}

type resource struct {
	Name      string            `json:"name,omitempty"`
	URI       string            `json:"uri,omitempty"`
	Digest    map[string]string `json:"digest,omitempty"`
	MediaType string            `json:"mediaType,omitempty"`
	Content   []byte            `json:"content,omitempty"`
}

type provenance struct {
	Definition struct {
		BuildType    string     `json:"buildType"`
		External     external   `json:"externalParameters"`
		Internal     internal   `json:"internalParameters"`
		Dependencies []resource `json:"resolvedDependencies,omitempty"`
	} `json:"buildDefinition"`
	Details struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
		Metadata struct {
			Run      string    `json:"invocationId,omitempty"`
			Finished time.Time `json:"finishedOn"`
		} `json:"metadata"`
		Byproducts []resource `json:"byproducts,omitempty"`
	} `json:"runDetails"`
}

type external struct {
	Service  string `json:"service"`
	Inputs   string `json:"inputs"`
	Tag      string `json:"tag"`
	Platform string `json:"platform"`
}

type internal struct {
	Plan   int      `json:"planVersion"`
	Go     string   `json:"go,omitempty"`
	Tools  []string `json:"tools,omitempty"`
	Checks []string `json:"checks"` // that passed
}

// Names of resources.
const (
	sourceName = "source"
	configName = "config"
	baseScheme = "docker-image://" // as BuildKit names images
)

// Statement writes an entry down.
func (e *Entry) Statement() ([]byte, error) {
	hex, ok := strings.CutPrefix(e.Digest, "sha256:")
	if !ok {
		return nil, fmt.Errorf("the image of %s has no digest to name (%q)", e.Service, e.Digest)
	}
	s := statement{Type: statementType, PredicateType: predicateType, Subject: []resource{{Name: e.Image, Digest: map[string]string{"sha256": hex}}}}
	d := &s.Predicate.Definition
	d.BuildType = buildType
	d.External = external{e.Service, e.Inputs, e.Tag, e.Platform}
	d.Internal = internal{e.Plan, e.Go, e.Tools, e.Checks}
	d.Dependencies = []resource{{Name: sourceName, URI: e.Source, Digest: map[string]string{"gitCommit": e.Commit}}}
	for _, name := range slices.Sorted(maps.Keys(e.Bases)) {
		d.Dependencies = append(d.Dependencies, resource{URI: baseScheme + name, Digest: map[string]string{"sha256": strings.TrimPrefix(e.Bases[name], "sha256:")}})
	}
	r := &s.Predicate.Details
	r.Builder.ID = builderID
	r.Metadata.Run, r.Metadata.Finished = e.Run, e.Finished.UTC().Truncate(time.Second)
	r.Byproducts = []resource{{Name: configName, MediaType: "application/vnd.oci.image.config.v1+json", Content: e.Config}}
	return json.Marshal(s)
}

// read takes a statement apart. What it does not know is left aside; what it needs and does not
// find is for Fits to miss.
func read(data []byte) (*Entry, error) {
	var s statement
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("its statement cannot be read: %w", err)
	}
	d, r := &s.Predicate.Definition, &s.Predicate.Details
	switch {
	case s.Type != statementType || s.PredicateType != predicateType || d.BuildType != buildType:
		return nil, errors.New("its statement is about something else")
	case len(s.Subject) != 1:
		return nil, fmt.Errorf("its statement is about %d images", len(s.Subject))
	}
	e := &Entry{
		Service: d.External.Service, Image: s.Subject[0].Name, Digest: "sha256:" + s.Subject[0].Digest["sha256"], Inputs: d.External.Inputs,
		Tag: d.External.Tag, Platform: d.External.Platform, Plan: d.Internal.Plan, Go: d.Internal.Go, Tools: d.Internal.Tools,
		Checks: d.Internal.Checks, Bases: map[string]string{}, Finished: r.Metadata.Finished, Run: r.Metadata.Run,
	}
	for _, dep := range d.Dependencies {
		if base, is := strings.CutPrefix(dep.URI, baseScheme); is {
			e.Bases[base] = "sha256:" + dep.Digest["sha256"]
		} else if dep.Name == sourceName {
			e.Source, e.Commit = dep.URI, dep.Digest["gitCommit"]
		}
	}
	for _, b := range r.Byproducts {
		if b.Name == configName {
			e.Config = b.Content
		}
	}
	return e, nil
}
