package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"slipway/server/doctor"
)

// diagnosis is what server:doctor tells.
type diagnosis struct {
	Server   string           `json:"server"`
	Findings []doctor.Finding `json:"findings"`
	Notes    []string         `json:"notes"` // what was not looked at, and what is good to know
}

// serverDoctor says what is wrong with an environment's Swarm.
func serverDoctor(ctx context.Context, in input) error {
	asJSON, err := in.flag("json")
	if err != nil {
		return err
	}
	p, err := openPlace(ctx, in.args[0])
	if err != nil {
		return err
	}
	defer p.close()
	if err := p.connect(ctx); err != nil {
		return err
	}
	task := p.show.Start("looking at the Swarm and its nodes")
	facts, notes, err := doctor.Gather(ctx, p.host, p.keys.EncodedAuth)
	task.Done(err)
	if err != nil {
		return interrupted(ctx, err)
	}
	d := diagnosis{Server: p.host.Name, Findings: doctor.Diagnose(facts), Notes: append([]string{}, notes...)}
	p.close()
	if asJSON {
		err = writeJSON(os.Stdout, d)
	} else {
		d.print()
	}
	if err == nil && len(d.Findings) > 0 {
		return &shownError{errors.New("the Swarm is not as it should be")}
	}
	return err
}

func (d diagnosis) print() {
	for _, n := range d.Notes {
		fmt.Fprintln(os.Stderr, "slipway: note:", n)
	}
	for _, f := range d.Findings {
		fmt.Printf("%s: %s\n  why  %s\n  do   %s\n", f.Rule, f.What, f.Why, f.Do)
	}
	switch n := len(d.Findings); n {
	case 0:
		fmt.Printf("%s: nothing is wrong\n", d.Server)
	case 1:
		fmt.Printf("%s: 1 problem\n", d.Server)
	default:
		fmt.Printf("%s: %d problems\n", d.Server, n)
	}
}
