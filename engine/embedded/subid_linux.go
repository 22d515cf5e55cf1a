package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"time"
)

// enoughIDs is what images expect: nobody is 65534 in most of them.
const enoughIDs = 65536

// subordinates are the ids that a user may give to the processes of its namespaces: subuid(5).
type subordinates struct {
	file, what, option string
	flags              []string // of getsubids
}

// check wants enough ids for the user: in the file, or where else the machine keeps them
// (LDAP, say), which getsubids knows.
func (s subordinates) check(ctx context.Context, u *user.User) error {
	data, err := os.ReadFile(s.file)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("the embedded engine reads %s to run without root: %w", s.file, err)
	}
	n, free := ranges(string(data), u)
	if n < enoughIDs {
		n = max(n, s.elsewhere(ctx, u))
	}
	if n >= enoughIDs {
		return nil
	}
	return s.tooFew(n, free, u)
}

func (s subordinates) tooFew(n, free int, u *user.User) error {
	has := "gives none"
	if n > 0 {
		has = fmt.Sprintf("gives %d", n)
	}
	return fmt.Errorf("the embedded engine needs %d subordinate %s ids to run without root, and %s %s to %s; as root: usermod %s %d-%d %s, %s",
		enoughIDs, s.what, s.file, has, u.Username, s.option, free, free+enoughIDs-1, u.Username, otherwise)
}

// ranges reads lines of NAME:FIRST:COUNT or UID:FIRST:COUNT: how many ids the user has, and
// from where on nobody has any.
func ranges(text string, u *user.User) (has, free int) {
	free = 100000 // where useradd begins
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 3 {
			continue
		}
		first, err1 := strconv.Atoi(fields[1])
		count, err2 := strconv.Atoi(fields[2])
		if err1 != nil || err2 != nil || first < 0 || count < 0 {
			continue
		}
		if fields[0] == u.Username || fields[0] == u.Uid {
			has += count
		}
		free = max(free, first+count)
	}
	return has, free
}

// elsewhere asks getsubids, whose lines are "0: NAME FIRST COUNT".
func (s subordinates) elsewhere(ctx context.Context, u *user.User) (has int) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "getsubids", append(s.flags, u.Username)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		return 0 // not there, or nothing found
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) != 4 {
			continue
		}
		if n, err := strconv.Atoi(fields[3]); err == nil {
			has += n
		}
	}
	return has
}
