package repro

import "fmt"

// compareDeploys compares a recorded deploy with what of it was repeated: the manifest's check
// always, the plan where a Swarm can be reached, the deploy where that was asked for.
func (c *Comparison) compareDeploys(r, n Deploy) {
	what := "the deploy of " + r.Env
	switch {
	case n.Applied && r.Result != "" && n.Result != "":
		c.compareVerdicts(what, r, n)
	case n.Error != "" && r.Result != "":
		c.differs("%s came to be %s then, and does not begin here: %s", what, r.Result, n.Error)
	case n.Error != "":
		c.compareErrors(what, r.Error, n.Error)
	case r.Error == "":
		c.same("%s", n)
	case n.Applied:
		c.compareErrors(what, r.Error, n.Error)
	default:
		c.left("%s, which ended with exit code %d: %s. Here, %s. To repeat the deploy itself: -deploy=true, with SERVER_HOST set to a Swarm for tests", what, r.Exit, r.Error, n)
	}
}

// String says how far a deploy was repeated.
func (d Deploy) String() string {
	switch {
	case d.Error != "":
		return fmt.Sprintf("the deploy of %s fails: %s", d.Env, d.Error)
	case d.Applied:
		return fmt.Sprintf("%s was deployed: %s", d.Env, d.Result)
	case d.Planned:
		return fmt.Sprintf("the manifest of %s is sound and its plan can be made; nothing was deployed", d.Env)
	}
	return fmt.Sprintf("the manifest of %s is sound; without a server nothing was planned or deployed", d.Env)
}

func (c *Comparison) compareVerdicts(what string, r, n Deploy) {
	before := len(c.Differs)
	for _, rs := range r.Services {
		ns := n.deployed(rs.Name)
		switch {
		case ns == nil:
			c.differs("%s was part of %s, and is not here", rs.Name, what)
		case rs.State != ns.State:
			c.differs("%s is %s, and then was %s", rs.Name, reason(*ns), reason(rs))
		case plain(rs.Why) != plain(ns.Why):
			c.note("%s is %s for another reason here: %s\nthen: %s", rs.Name, ns.State, ns.Why, rs.Why)
		}
	}
	switch {
	case r.Result != n.Result:
		c.differs("%s is %s, and then was %s", what, n.Result, r.Result)
	case len(c.Differs) > before:
	case r.Error == "":
		c.same("%s: %s", what, n.Result)
	default:
		c.reproduced("%s is %s: %s", what, n.Result, n.Error)
	}
}

func reason(s Deployed) string {
	if s.Why == "" {
		return s.State
	}
	return s.State + " (" + s.Why + ")"
}

func (d Deploy) deployed(name string) *Deployed {
	for i := range d.Services {
		if d.Services[i].Name == name {
			return &d.Services[i]
		}
	}
	return nil
}
