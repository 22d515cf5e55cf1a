package main

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"slipway/pipeline"
)

// command is one thing that slipway does.
type command struct {
	args  []string // names of its positionals
	flags []string // its flags as -name=example; one without an example is true or false
	run   func(ctx context.Context, in input) error
}

// commands are slipway's commands by name, each the twin of a mage target.
var commands = map[string]command{
	"build:service":  {args: []string{"NAME"}, flags: []string{"noReuse"}, run: buildService},
	"build:all":      {flags: []string{"noReuse"}, run: buildAll},
	"build:affected": {flags: []string{"base=main", "noReuse"}, run: buildAffected},
	"build:why":      {args: []string{"NAME"}, flags: []string{"base=main", "json"}, run: buildWhy},
	"build:lint":     {args: []string{"NAME"}, run: buildLint},
	"build:test":     {args: []string{"NAME"}, run: buildTest},
	"build:plan":     {args: []string{"NAME"}, flags: []string{"json"}, run: buildPlan},
	"image:push":     {args: []string{"NAME[,NAME…]"}, flags: []string{"noReuse"}, run: imagePush},

	"ci:run":    {flags: []string{"labels=A,B", "branch=NAME", "env=ENV", "only=check", "event=merge", "base=COMMIT", "noReuse"}, run: ciRun},
	"ci:repro":  {args: []string{"RUN"}, flags: []string{"labels=A,B", "branch=NAME", "env=ENV", "only=check", "event=merge", "base=COMMIT", "shell", "deploy", "keep"}, run: ciRepro},
	"ci:keys":   {flags: []string{"out=FILE"}, run: ciKeys},
	"ci:notify": {flags: []string{"text=TEXT", "env=ENV", "failed"}, run: ciNotify},

	"deploy:env":      {args: []string{"ENV"}, flags: []string{"from=ENV", "ttl=24h", "image=NAME=TAG", "timeout=10m", "wait=5m", "plan=FILE", "noAtomic", "allowReplace", "json"}, run: deployEnv},
	"deploy:plan":     {args: []string{"ENV"}, flags: []string{"from=ENV", "image=NAME=TAG", "out=FILE", "allowReplace", "detailedExitcode", "json"}, run: deployPlan},
	"deploy:lint":     {args: []string{"ENV"}, flags: []string{"from=ENV", "image=NAME=TAG", "json"}, run: deployLint},
	"deploy:status":   {args: []string{"ENV"}, flags: []string{"from=ENV", "detailedExitcode", "json"}, run: deployStatus},
	"deploy:history":  {args: []string{"ENV"}, flags: []string{"from=ENV", "json"}, run: deployHistory},
	"deploy:rollback": {args: []string{"ENV"}, flags: []string{"from=ENV", "to=RELEASE", "timeout=10m", "wait=5m", "allowReplace", "json"}, run: deployRollback},
	"deploy:unlock":   {args: []string{"ENV"}, flags: []string{"from=ENV"}, run: deployUnlock},
	"deploy:remove":   {args: []string{"ENV"}, flags: []string{"from=ENV", "yes", "wait=5m"}, run: deployRemove},
	"deploy:logs":     {args: []string{"ENV", "SERVICE|all"}, flags: []string{"from=ENV", "follow", "tail=100", "since=10m", "timestamps"}, run: deployLogs},
	"deploy:webhook":  {args: []string{"ENV", "SERVICE"}, flags: []string{"tag=TAG", "timeout=10m", "wait=5m", "json"}, run: deployWebhook},
	"deploy:expire":   {args: []string{"ENV"}, flags: []string{"env=mr-*", "dryRun"}, run: deployExpire},

	"dev:up":   {flags: []string{"port=5055", "timeout=10m", "wait=5m"}, run: devUp},
	"dev:down": {run: devDown},

	"server:setup":  {args: []string{"ENV"}, flags: []string{"admin=USER", "adminKey=PATH", "deployKey=FILE.pub", "host=HOST", "join=worker", "advertise=ADDRESS", "mirror=URL", "registry=NAME", "registryCert=FILE", "registryKey=FILE", "registryCA=FILE", "noSshd", "dryRun"}, run: serverSetup},
	"server:doctor": {args: []string{"ENV"}, flags: []string{"json"}, run: serverDoctor},

	"secret:set":      {args: []string{"ENV", "SECRET"}, flags: []string{"file=PATH", "env=VARIABLE", "from=vault://MOUNT/PATH#FIELD", "exact"}, run: secretSet},
	"secret:generate": {args: []string{"ENV", "SECRET"}, flags: []string{"length=32", "alphabet=A-Za-z0-9", "show"}, run: secretGenerate},
	"secret:list":     {args: []string{"ENV"}, flags: []string{"json"}, run: secretList},
	"secret:rotate":   {args: []string{"ENV", "SECRET"}, flags: []string{"file=PATH", "env=VARIABLE", "from=vault://MOUNT/PATH#FIELD", "exact", "generate", "length=32", "alphabet=A-Za-z0-9", "show", "command=COMMAND", "service=SERVICE", "timeout=10m", "wait=5m", "json"}, run: secretRotate},
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

// duration returns a flag with a time ("10m"), or what holds without it.
func (in input) duration(name string, otherwise time.Duration) (time.Duration, error) {
	v, ok := in.flags[name]
	if !ok {
		return otherwise, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < 0 {
		return 0, badInput{fmt.Errorf("-%s=%s is no time: write it as 90s, 10m or 1h30m", name, v)}
	}
	return d, nil
}

// number returns a flag with a number above zero, 0 without it.
func (in input) number(name string) (int, error) {
	v, ok := in.flags[name]
	if !ok {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n <= 0 {
		return 0, badInput{fmt.Errorf("-%s=%s: write a number above zero", name, v)}
	}
	return n, nil
}

// dispatch parses the arguments and runs the command that they name.
// unaliased is a command line with the command's own name. The alias is the mage targets'.
func unaliased(argv []string) []string {
	if len(argv) > 0 && argv[0] == "deploy" {
		return append([]string{"deploy:env"}, argv[1:]...)
	}
	return argv
}

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
	usage := strings.Join(append([]string{name}, cmd.args...), " ") + flagUsage(cmd)
	in := input{flags: map[string]string{}}
	for _, a := range rest {
		switch {
		case len(in.args) < len(cmd.args):
			if err := validate(cmd.args[len(in.args)], a); err != nil {
				return in, err
			}
			in.args = append(in.args, a)
		case strings.HasPrefix(a, "-"):
			flag, value, ok := strings.Cut(strings.TrimLeft(a, "-"), "=")
			example, is := cmd.flag(flag)
			switch {
			case !is:
				return in, fmt.Errorf("%s has no flag -%s: usage: %s", name, flag, usage)
			case !ok && example != "":
				return in, fmt.Errorf("-%s needs a value: -%s=%s", flag, flag, example)
			case !ok:
				value = "true"
			}
			in.flags[flag] = value
		default:
			return in, fmt.Errorf("%q is one name too many: usage: %s", a, usage)
		}
	}
	if len(in.args) < len(cmd.args) {
		return in, fmt.Errorf("%s is missing: usage: %s", cmd.args[len(in.args)], usage)
	}
	return in, nil
}

// validate checks names before anything starts, so that a flag in a name's place is not
// taken for one.
func validate(kind, arg string) error {
	names := []string{arg}
	if strings.Contains(kind, ",") {
		names = strings.Split(arg, ",")
	}
	for _, n := range names {
		var err error
		switch kind {
		case "RUN":
			if n == "" || strings.HasPrefix(n, "-") {
				err = fmt.Errorf("%q stands where a run belongs: its record (build/ci.json), the record's address, or a commit; flags come after it", n)
			}
		case "ENV":
			err = pipeline.ValidateEnvironment(n)
		case "SERVICE|all": // of a manifest, where names may be more than slipway's own
			if n == "" || strings.HasPrefix(n, "-") {
				err = fmt.Errorf("%q stands where a service's name belongs, or all: flags come after it", n)
			}
		case "SECRET":
			err = pipeline.ValidateSecret(n)
		default:
			err = pipeline.ValidateName(n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flag finds a flag's example, "" for one that is true or false.
func (c command) flag(name string) (example string, ok bool) {
	for _, f := range c.flags {
		if n, ex, _ := strings.Cut(f, "="); n == name {
			return ex, true
		}
	}
	return "", false
}

func flagUsage(cmd command) string {
	out := ""
	for _, f := range cmd.flags {
		name, example, ok := strings.Cut(f, "=")
		if !ok {
			example = "true"
		}
		out += " [-" + name + "=" + example + "]"
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
