package diff

// Counts are how many objects a plan creates, updates and deletes, in the words of Terraform's
// plan report.
type Counts struct {
	Create int `json:"create"`
	Update int `json:"update"`
	Delete int `json:"delete"`
}

// Counts counts a plan's operations. What is replaced is deleted and created.
func (p *Plan) Counts() (c Counts) {
	for _, op := range p.Operations {
		switch op.Action {
		case Create:
			c.Create++
		case Update:
			c.Update++
		case Remove:
			c.Delete++
		case Replace:
			c.Create++
			c.Delete++
		}
	}
	return c
}
