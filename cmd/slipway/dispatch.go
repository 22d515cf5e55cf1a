package main

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"slipway/pipeline"
)

// command is one thing that slipway does.
type command struct {
	args  []string // names of its positionals
	flags []string // names of its flags, as -name=value
	run   func(ctx context.Context, in input) error
}

// commands are slipway's commands by name, each the twin of a mage target.
var commands = map[string]command{
	"build:service": {args: []string{"NAME"}, run: buildService},
	"build:all":     {run: buildAll},
	"build:lint":    {args: []string{"NAME"}, run: buildLint},
	"build:test":    {args: []string{"NAME"}, run: buildTest},
	"build:plan":    {args: []string{"NAME"}, flags: []string{"json"}, run: buildPlan},
	"image:push":    {args: []string{"NAME[,NAME…]"}, run: imagePush},
}

// input is what a command was called with.
type input struct {
	args  []string
	flags map[string]string
}

// flag returns a boolean flag.
func (in input) flag(name string) (bool, error) {
	v, ok := in.flags[name]
	if !ok {
		return false, nil
	}
	on, err := strconv.ParseBool(v)
	if err != nil {
		return false, badInput{fmt.Errorf("-%s=%s: write true or false", name, v)}
	}
	return on, nil
}

// dispatch parses the arguments and runs the command that they name.
func dispatch(ctx context.Context, argv []string) error {
	if len(argv) == 0 {
		return badInput{fmt.Errorf("a command is missing: there are %s", strings.Join(commandNames(), ", "))}
	}
	cmd, ok := commands[argv[0]]
	if !ok {
		near := pipeline.Nearest(argv[0], commandNames())
		if len(near) > 0 {
			return badInput{fmt.Errorf("there is no command %q: did you mean %s?", argv[0], near[0])}
		}
		return badInput{fmt.Errorf("there is no command %q: there are %s", argv[0], strings.Join(commandNames(), ", "))}
	}
	in, err := parse(argv[0], cmd, argv[1:])
	if err != nil {
		return badInput{err}
	}
	return cmd.run(ctx, in)
}

func parse(name string, cmd command, rest []string) (input, error) {
	usage := strings.Join(append([]string{name}, cmd.args...), " ")
	in := input{flags: map[string]string{}}
	for _, a := range rest {
		switch {
		case len(in.args) < len(cmd.args):
			if err := validateNames(a, strings.Contains(cmd.args[len(in.args)], ",")); err != nil {
				return in, err
			}
			in.args = append(in.args, a)
		case strings.HasPrefix(a, "-"):
			flag, value, ok := strings.Cut(strings.TrimLeft(a, "-"), "=")
			if !known(cmd.flags, flag) {
				return in, fmt.Errorf("%s has no flag -%s: usage: %s%s", name, flag, usage, flagUsage(cmd))
			}
			if !ok {
				value = "true"
			}
			in.flags[flag] = value
		default:
			return in, fmt.Errorf("%q is one name too many: usage: %s%s", a, usage, flagUsage(cmd))
		}
	}
	if len(in.args) < len(cmd.args) {
		return in, fmt.Errorf("%s is missing: usage: %s%s", cmd.args[len(in.args)], usage, flagUsage(cmd))
	}
	return in, nil
}

// validateNames checks names before anything starts, so that a flag in a name's place is
// not taken for one.
func validateNames(arg string, list bool) error {
	names := []string{arg}
	if list {
		names = strings.Split(arg, ",")
	}
	for _, n := range names {
		if err := pipeline.ValidateName(n); err != nil {
			return err
		}
	}
	return nil
}

func known(flags []string, name string) bool {
	for _, f := range flags {
		if f == name {
			return true
		}
	}
	return false
}

func flagUsage(cmd command) string {
	out := ""
	for _, f := range cmd.flags {
		out += " [-" + f + "=true]"
	}
	return out
}

func commandNames() []string {
	names := make([]string, 0, len(commands))
	for n := range commands {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}
