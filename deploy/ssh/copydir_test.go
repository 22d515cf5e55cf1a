package ssh_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"slipway/deploy/ssh"
	"slipway/test/sshd"
)

// tree lists what is below dir: path → mode and content.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		found[name] = info.Mode().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			found[name] += " " + string(data)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

var first = fstest.MapFS{
	"docker-compose.dev.yaml": {Data: []byte("services: {}\n"), Mode: 0o644},
	"dev/nginx.conf":          {Data: []byte("server {}\n"), Mode: 0o640},
	"dev/init.sh":             {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
	"dev/key":                 {Data: []byte("not for all"), Mode: 0o400},
	"dev":                     {Mode: fs.ModeDir | 0o555},
	"empty":                   {Mode: 0o644},
}

var firstTree = map[string]string{
	"docker-compose.dev.yaml": "-rw-r--r-- services: {}\n", "dev": "drwxr-xr-x", "dev/nginx.conf": "-rw-r----- server {}\n",
	"dev/init.sh": "-rwxr-xr-x #!/bin/sh\n", "dev/key": "-r-------- not for all", "empty": "-rw-r--r-- ",
}

func TestACopyHoldsExactlyTheFilesAndASecondOneWritesNothing(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	client := dial(t, to(s))
	dir := filepath.Join(s.Home("deploy"), "app", "dev")
	copied, err := client.CopyDir(t.Context(), first, "~/app/dev")
	if err != nil || copied != (ssh.Copied{Files: 5, Bytes: 44, Changed: true}) {
		t.Fatalf("got %+v (%v)", copied, err)
	}
	if got := tree(t, dir); !reflect.DeepEqual(got, firstTree) {
		t.Errorf("there are\n%v, want\n%v", got, firstTree)
	}
	link, err := os.Readlink(dir)
	if err != nil {
		t.Fatal(err)
	}

	copied, err = client.CopyDir(t.Context(), first, dir) // the same directory, by its absolute path
	again, _ := os.Readlink(dir)
	if err != nil || copied != (ssh.Copied{Files: 5, Bytes: 44}) || again != link {
		t.Errorf("the second copy gave %+v (%v), and the link went from %s to %s", copied, err, link, again)
	}

	neighbour := filepath.Join(s.Home("deploy"), "app", "prod.yaml")
	if err := os.WriteFile(neighbour, []byte("not ours"), 0o644); err != nil {
		t.Fatal(err)
	}
	copied, err = client.CopyDir(t.Context(), fstest.MapFS{"empty": {Data: []byte("no more"), Mode: 0o600}}, dir)
	if err != nil || !copied.Changed {
		t.Fatalf("got %+v (%v)", copied, err)
	}
	if got := tree(t, dir); !reflect.DeepEqual(got, map[string]string{"empty": "-rw------- no more"}) {
		t.Errorf("after a copy of other files there are %v", got)
	}
	if got := strings.Join(names(t, filepath.Dir(dir)), " "); got != ".dev.slipway-b dev prod.yaml" {
		t.Errorf("beside it there are %s", got)
	}
}

// failing is a file system whose last file breaks off half-way.
type failing struct {
	fs.FS
	when func()
}

func (f failing) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if name != "zz" || err != nil {
		return file, err
	}
	return brokenFile{file, f.when}, nil
}

type brokenFile struct {
	fs.File
	when func()
}

var errDisk = errors.New("the disk gave up")

func (b brokenFile) Read(p []byte) (int, error) {
	b.when()
	return copy(p, "half"), errDisk
}

func TestACopyThatIsCutShortLeavesTheOldFilesAndTheNextOneRecovers(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	next := fstest.MapFS{"aa": {Data: []byte("new"), Mode: 0o644}, "zz": {Data: []byte("newer"), Mode: 0o644}}
	dir := filepath.Join(s.Home("deploy"), "dev")
	copyTo := func(client *ssh.Client, ctx context.Context, files fs.FS) error {
		_, err := client.CopyDir(ctx, files, dir)
		return err
	}
	client, p := through(t, s, nil)
	if err := copyTo(client, t.Context(), first); err != nil {
		t.Fatal(err)
	}
	old := tree(t, dir)

	if err := copyTo(client, t.Context(), failing{next, func() {}}); !errors.Is(err, errDisk) ||
		err.Error() != "copying files to "+dir+" on deploy@"+p.Address()+": writing zz: the disk gave up" {
		t.Errorf("a file that cannot be read gave %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := copyTo(client, ctx, failing{next, cancel}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled copy gave %v", err)
	}
	if got := tree(t, dir); !reflect.DeepEqual(got, old) {
		t.Errorf("after copies cut short there are %v", got)
	}
	if err := copyTo(client, t.Context(), failing{next, p.Cut}); !errors.Is(err, ssh.ErrLost) {
		t.Errorf("a cut connection gave %v", err)
	}
	if got := tree(t, dir); !reflect.DeepEqual(got, old) {
		t.Errorf("after a cut connection there are %v", got)
	}
	if err := copyTo(dial(t, to(s)), t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if got := tree(t, dir); !reflect.DeepEqual(got, map[string]string{"aa": "-rw-r--r-- new", "zz": "-rw-r--r-- newer"}) {
		t.Errorf("in the end there are %v", got)
	}
}

func TestADirectoryThatIsNotOursIsRefused(t *testing.T) {
	s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}})
	client := dial(t, to(s))
	run(t, client, "mkdir full empty && touch full/precious && ln -s /etc link && touch file")
	home := s.Home("deploy")
	for dir, want := range map[string]string{
		home + "/full":       "it is there already, with files that slipway did not put there; move it away, or name another directory",
		home + "/link":       "it is a link to /etc that slipway did not make; move it away, or name another directory",
		home + "/file":       "it is there already, and is not a directory; move it away, or name another directory",
		"":                   "it must name a directory of its own, such as /srv/app/dev",
		"/":                  "it must name a directory of its own, such as /srv/app/dev",
		"~/":                 "it must name a directory of its own, such as /srv/app/dev",
		"/nonexistent/a/dev": `making /nonexistent/a: permission denied`,
	} {
		_, err := client.CopyDir(t.Context(), first, dir)
		if want := "copying files to " + dir + " on " + client.String() + ": " + want; err == nil || err.Error() != want {
			t.Errorf("%s: got %v\nwant %s", dir, err, want)
		}
	}
	if got := run(t, client, "ls full"); got != "precious\n" {
		t.Errorf("full holds %q", got)
	}
	if _, err := client.CopyDir(t.Context(), first, "empty"); err != nil {
		t.Errorf("an empty directory: %v", err)
	}
	if _, err := client.CopyDir(t.Context(), os.DirFS(home), "dev"); err == nil || !strings.Contains(err.Error(), "is neither a file nor a directory, and is not copied; leave it out") {
		t.Errorf("a symbolic link among the files gave %v", err)
	}
}

func TestAServerWithoutSFTPSaysWhatItNeeds(t *testing.T) {
	for name, line := range map[string]string{"not configured": "# no Subsystem", "not installed": "Subsystem sftp /nonexistent"} {
		t.Run(name, func(t *testing.T) {
			s := sshd.Start(t, sshd.Options{Users: deploy, HostKeys: []string{"ed25519"}, Config: line})
			_, err := dial(t, to(s)).CopyDir(t.Context(), first, "dev")
			want := "copying files to dev on deploy@" + s.Address() + ": the server offers no SFTP; its sshd_config needs: Subsystem sftp internal-sftp"
			if err == nil || err.Error() != want {
				t.Errorf("got %v\nwant %s", err, want)
			}
		})
	}
}
