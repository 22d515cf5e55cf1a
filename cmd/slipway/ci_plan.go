package main

import (
	"encoding/json"
	"fmt"

	"slipway/deploy/diff"
)

// writePlanReport writes build/reports/ENV.plan.json, which GitLab shows beside a merge request
// (https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsterraform). It has counts
// and no contents.
func (p *place) writePlanReport(plan *diff.Plan) error {
	data, err := json.Marshal(plan.Counts())
	if err != nil {
		return fmt.Errorf("writing the plan's report: %w", err)
	}
	return writeWhole(p.buildDir(), "reports/"+p.env.Name+".plan.json", append(data, '\n'))
}
