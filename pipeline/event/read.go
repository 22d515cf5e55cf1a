package event

import (
	"fmt"
	"slices"
	"strings"
)

// Given is what the command line says of an event; it wins over what a CI system says.
type Given struct {
	Kind        Kind
	Labels      []string
	HasLabels   bool // an empty list means none
	Branch      string
	Base        string
	Environment string
	// Part is the only one that is to be done, "" for all.
	Part Part
}

// Git is what the clone knows. A CI system knows better: its checkouts are detached.
type Git struct{ Branch, Default, Commit string }

// InCI tells whether a CI system describes the event.
func InCI(vars map[string]string) bool {
	return vars["GITLAB_CI"] == "true" || vars["GITHUB_ACTIONS"] == "true"
}

// Read finds out what has happened. payload is the content of $GITHUB_EVENT_PATH.
func Read(vars map[string]string, payload []byte, git Git, given Given) (Event, error) {
	e := Event{Kind: Manual, Branch: git.Branch, Default: git.Default, Commit: git.Commit}
	var err error
	switch {
	case vars["GITLAB_CI"] == "true":
		e = fromGitLab(vars)
	case vars["GITHUB_ACTIONS"] == "true":
		e, err = fromGitHub(vars, payload)
	}
	if err != nil {
		return e, err
	}
	if e.System == "" && given.Kind == "" && given.Part != "" {
		e.ByHand = true // a person asks for just this part
	}
	if given.Kind != "" {
		if !slices.Contains(Kinds, given.Kind) {
			return e, fmt.Errorf("-event=%s: there are %s", given.Kind, kindNames())
		}
		e.Kind = given.Kind
		if e.Kind == Tag && e.System == "" {
			e.Branch = ""
		}
	}
	if given.HasLabels {
		e.Labels = given.Labels
	}
	if given.Branch != "" {
		e.Branch = given.Branch
	}
	if given.Base != "" {
		e.Base = given.Base
	}
	// In CI a job that names an environment is a job of that environment, which something else
	// must have asked for; a person who names one asks for it.
	if given.Environment != "" && (e.ByHand || e.System == "" && (e.Kind == Manual || e.Kind == Schedule)) {
		e.Environment = given.Environment
	}
	return e, nil
}

func kindNames() string {
	names := make([]string, len(Kinds))
	for i, k := range Kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}
