package convert

import (
	"errors"
	"slices"
)

// Whole says what a stack that was read from somewhere lacks of what Convert gives each.
func (s *Stack) Whole() error {
	for _, one := range s.Services {
		c := one.Spec.TaskTemplate.ContainerSpec
		switch {
		case one.Key == "" || one.Spec.Name == "" || c == nil:
			return errors.New("one of its services lacks a name or a container")
		case slices.Contains(c.Configs, nil) || slices.Contains(c.Secrets, nil):
			return errors.New("one of its services has a reference to nothing")
		}
	}
	return nil
}
