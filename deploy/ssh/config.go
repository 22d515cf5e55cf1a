package ssh

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/kevinburke/ssh_config"

	"slipway/secret"
)

// maxJumps bounds chains of jump hosts, which a configuration can make endless.
const maxJumps = 8

// WithConfig fills in what o does not set from the OpenSSH client configuration file
// (ssh_config(5)): HostName, Port, User, IdentityFile, UserKnownHostsFile and ProxyJump,
// o.Host being what it calls Host. home is the directory that "~" stands for; the known
// hosts are home's .ssh/known_hosts where the file does not name others. A file that is not
// there is as an empty one. StrictHostKeyChecking is not obeyed: keys are always pinned.
func (o Options) WithConfig(file, home string) (Options, error) {
	data, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return o, fmt.Errorf("reading the SSH configuration: %w", err)
	}
	config, err := ssh_config.DecodeBytes(data)
	if err != nil {
		return o, fmt.Errorf("reading the SSH configuration %s: %w", file, err)
	}
	return configFile{config, file, home}.fill(o, 0)
}

type configFile struct {
	config *ssh_config.Config
	name   string
	home   string
}

func (c configFile) fill(o Options, depth int) (Options, error) {
	if depth > maxJumps {
		return o, fmt.Errorf("reading the SSH configuration %s: more than %d jump hosts; does ProxyJump lead back to itself?", c.name, maxJumps)
	}
	alias := o.Host
	values := map[string]string{}
	for _, key := range []string{"HostName", "Port", "User", "ProxyJump", "ProxyCommand", "UserKnownHostsFile"} {
		value, err := c.config.Get(alias, key)
		if err != nil {
			return o, fmt.Errorf("reading the SSH configuration %s: %s for %s: %w", c.name, key, alias, err)
		}
		values[key] = value
	}
	identities, err := c.config.GetAll(alias, "IdentityFile")
	if err != nil {
		return o, fmt.Errorf("reading the SSH configuration %s: IdentityFile for %s: %w", c.name, alias, err)
	}
	if command := values["ProxyCommand"]; command != "" && !strings.EqualFold(command, "none") && values["ProxyJump"] == "" && o.Jump == nil {
		return o, fmt.Errorf("reading the SSH configuration %s: host %s uses ProxyCommand, which is not run here; use ProxyJump", c.name, alias)
	}
	if name := values["HostName"]; name != "" {
		o.Host = strings.NewReplacer("%%", "%", "%h", alias).Replace(name)
	}
	if o.User == "" {
		o.User = values["User"]
	}
	if port := values["Port"]; port != "" && o.Port == 0 {
		if o.Port, err = strconv.Atoi(port); err != nil {
			return o, fmt.Errorf("reading the SSH configuration %s: Port of %s is %q, not a number", c.name, alias, port)
		}
	}
	if o.Key.Empty() {
		o.Key = c.identity(o, identities)
	}
	if o.KnownHosts == "" {
		if o.KnownHosts, err = c.knownHosts(o, values["UserKnownHostsFile"]); err != nil {
			return o, err
		}
	}
	if o.Jump == nil {
		o.Jump, err = c.jumps(o, values["ProxyJump"], depth)
	}
	return o, err
}

// identity is the first of the files that is there. ssh's own default files count only
// where there is no agent, which is as likely to hold the right key.
func (c configFile) identity(o Options, files []string) secret.Value {
	if len(files) == 0 && o.Agent == "" {
		files = []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}
	}
	for _, file := range files {
		file = c.expand(o, file)
		if _, err := os.Stat(file); err == nil {
			return secret.New(file)
		}
	}
	return secret.Value{}
}

func (c configFile) knownHosts(o Options, names string) (string, error) {
	files := strings.Fields(names)
	if len(files) == 0 {
		files = []string{"~/.ssh/known_hosts"}
	}
	var all strings.Builder
	for _, name := range files {
		if name == "none" {
			continue
		}
		data, err := os.ReadFile(c.expand(o, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("reading the known hosts: %w", err)
		}
		all.Write(data)
		all.WriteByte('\n')
	}
	return all.String(), nil
}

func (c configFile) expand(o Options, file string) string {
	file = strings.Trim(file, `"`)
	if rest, ok := strings.CutPrefix(file, "~/"); ok {
		file = filepath.Join(c.home, rest)
	}
	return strings.NewReplacer("%%", "%", "%d", c.home, "%h", o.Host, "%r", o.User).Replace(file)
}

// jumps reads "user@first:port,second": the connection goes through the first, then the
// second, each with its own section of the file.
func (c configFile) jumps(o Options, list string, depth int) (*Options, error) {
	if list == "" || strings.EqualFold(list, "none") {
		return nil, nil
	}
	var last *Options
	for i, text := range strings.Split(list, ",") {
		jump, err := ParseAddress(strings.TrimSpace(text))
		if err != nil {
			return nil, fmt.Errorf("reading the SSH configuration %s: ProxyJump %s: %w", c.name, list, err)
		}
		jump.Agent, jump.Jump = o.Agent, last
		filled, err := c.fill(jump, depth+i+1)
		if err != nil {
			return nil, err
		}
		if filled.User == "" {
			filled.User = o.User
		}
		last = &filled
	}
	return last, nil
}

// ParseAddress reads "[ssh://][user@]host[:port]" into the Options that it sets. IPv6
// addresses with a port are in brackets.
func ParseAddress(text string) (Options, error) {
	rest := strings.TrimSuffix(strings.TrimPrefix(text, "ssh://"), "/")
	var o Options
	if user, host, ok := cutLast(rest, "@"); ok {
		o.User, rest = user, host
		if strings.Contains(user, ":") {
			return Options{}, errors.New("an SSH address holds no password; set SSH_KEY")
		}
	}
	port := ""
	switch {
	case strings.HasPrefix(rest, "["):
		host, after, ok := strings.Cut(rest[1:], "]")
		if !ok || after != "" && !strings.HasPrefix(after, ":") {
			return Options{}, fmt.Errorf("%q is not [user@]host[:port]", rest)
		}
		o.Host, port = host, strings.TrimPrefix(after, ":")
	case strings.Count(rest, ":") == 1:
		o.Host, port, _ = strings.Cut(rest, ":")
	default:
		o.Host = rest
	}
	if o.Host == "" || strings.ContainsAny(o.Host, "/ \t") || strings.HasPrefix(o.Host, "-") {
		return Options{}, fmt.Errorf("%q is not [user@]host[:port]", rest)
	}
	if port != "" {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return Options{}, fmt.Errorf("port %q of %s is not a number between 1 and 65535", port, o.Host)
		}
		o.Port = n
	}
	return o, nil
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return "", text, false
	}
	return text[:i], text[i+len(separator):], true
}
