package apply

import (
	"encoding/json"
	"slices"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
)

// sameStack compares what two releases want: all but the values of secrets and the contents of
// configs, whose names say their version.
func sameStack(a, b *convert.Stack) bool {
	if a == nil || b == nil {
		return a == b
	}
	return string(bare(a)) == string(bare(b))
}

// bare is a stack as bytes, without contents and without the ids that belong to a Swarm.
func bare(s *convert.Stack) []byte {
	c := *s
	c.Notes = nil
	c.Configs = slices.Clone(s.Configs)
	for i := range c.Configs {
		c.Configs[i].Data = nil
	}
	data, err := json.Marshal(c)
	var out convert.Stack
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil {
		panic(err) // it has only fields that JSON can carry: it comes and goes as JSON
	}
	for _, svc := range out.Services {
		if c := svc.Spec.TaskTemplate.ContainerSpec; c != nil {
			for _, r := range c.Configs {
				r.ConfigID = ""
			}
			for _, r := range c.Secrets {
				r.SecretID = ""
			}
		}
	}
	data, _ = json.Marshal(out)
	return data
}

// changes has a line for each thing that a deploy is about to write, for its record.
func changes(plan *diff.Plan) []string {
	var out []string
	for _, op := range plan.Operations {
		if op.Action != diff.Leave && op.Action != diff.Keep {
			out = append(out, string(op.Action)+" "+string(op.Kind)+" "+op.Name)
		}
	}
	return out
}
