package repro

import "strings"

// Compare holds a repetition against the recorded run.
func Compare(recorded, now Run) Comparison {
	var c Comparison
	if recorded.Pushing && recorded.Error != "" && now.Error == "" {
		c.left("what comes before a push, which failed with: %s. A repetition never pushes", recorded.Error)
	} else {
		c.compareErrors("the run", recorded.Error, now.Error)
	}
	for _, r := range recorded.Services {
		if n := now.service(r.Name); n != nil {
			c.compareServices(r, *n, recorded.With, now.With)
		} else if recorded.Error == "" && now.Error == "" {
			c.differs("%s was part of the run, and was not repeated", r.Name)
		}
	}
	for _, r := range recorded.Deploys {
		if n := now.deploy(r.Env); n != nil {
			c.compareDeploys(r, *n)
		} else {
			c.differs("the run came to the deploy of %s, and the repetition did not", r.Env)
		}
	}
	c.Why = circumstances(recorded, now)
	return c
}

// compareErrors compares what kept something from running at all.
func (c *Comparison) compareErrors(what, recorded, now string) {
	switch {
	case recorded == "" && now == "":
	case now == "":
		c.differs("%s failed then, and does not here; then: %s", what, recorded)
	case recorded == "":
		c.differs("%s did not fail then, and does here: %s", what, now)
	case plain(recorded) != plain(now):
		c.differs("%s fails otherwise here: %s\nthen: %s", what, now, recorded)
	default:
		c.reproduced("%s", now)
	}
}

func (c *Comparison) compareServices(r, n Service, then, here Circumstances) {
	if r.Error != "" || n.Error != "" {
		c.compareErrors(r.Name, r.Error, n.Error)
		return
	}
	before := len(c.Differs)
	if r.Tag != n.Tag {
		c.differs("the tag of %s is %s, and was %s", r.Name, n.Tag, r.Tag)
	}
	failed := 0
	for _, rs := range r.Steps {
		if rs.State == Failed {
			failed++
		}
		ns := n.step(rs.ID)
		switch {
		case rs.Push && rs.State == Failed:
			c.left("%s, which failed with: %s. A repetition never pushes", rs.Name, rs.Failure.Message)
		case rs.Push:
		case ns == nil:
			if rs.State == Failed {
				c.differs("%s failed then, and is no step of the plan here", rs.Name)
			}
		default:
			c.compareSteps(rs, *ns)
		}
	}
	for _, ns := range n.Steps {
		if ns.State == Failed && r.step(ns.ID) == nil {
			c.differs("%s fails here, and was no step of the plan then: %s", ns.Name, ns.Failure.text())
		}
	}
	c.compareDigests(r, n, then, here)
	if len(c.Differs) == before && failed == 0 {
		c.same("%s", strings.TrimSpace(n.Name+" "+n.Tag+" "+n.Digest))
	}
}

func (c *Comparison) compareSteps(r, n Step) {
	switch {
	case r.State == Failed && n.State == Failed:
		c.compareFailures(r, n)
	case r.State == Failed && n.State == Passed:
		c.differs("%s failed then, and passes here; then: %s", n.Name, r.Failure.text())
	case n.State == Failed:
		c.differs("%s %s then, and fails here: %s", n.Name, was(r.State), n.Failure.text())
	}
	// What is skipped is so because of a failure, which is told above.
}

func was(s State) string {
	if s == Skipped {
		return "was skipped"
	}
	return string(s)
}

func (c *Comparison) compareDigests(r, n Service, then, here Circumstances) {
	pushed := false
	for _, s := range r.Steps {
		pushed = pushed || s.Push && s.State == Passed
	}
	switch {
	case r.Digest == "" || n.Digest == "" || r.Digest == n.Digest:
	case pushed && (inDockersStore(then.Engine) || inDockersStore(here.Engine)):
		c.note("the digests of %s cannot be compared: Docker's store gives the one that a registry has only by pushing", r.Name)
	default:
		c.differs("the digest of %s is %s, and was %s", r.Name, n.Digest, r.Digest)
	}
}

// inDockersStore tells of an engine's name whether it is Docker's own BuildKit.
func inDockersStore(engine string) bool { return strings.HasPrefix(engine, "Docker ") }
