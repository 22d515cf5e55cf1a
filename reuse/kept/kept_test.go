package kept

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const image = "127.0.0.1:5000/ping"

var tag = "inputs-" + strings.Repeat("ab", 32)

func TestWhatIsKeptIsFound(t *testing.T) {
	s := Open(t.TempDir())
	if got, err := s.Read(image, tag); got != nil || err != nil {
		t.Fatalf("before anything is kept: %q, %v", got, err)
	}
	for _, content := range []string{"one", "two"} {
		if err := s.Write(image, tag, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read(image, tag); string(got) != content || err != nil {
			t.Errorf("%q, %v; want %q", got, err, content)
		}
	}
	if got, err := s.Read("127.0.0.1:5000/pong", tag); got != nil || err != nil {
		t.Errorf("of another image: %q, %v", got, err)
	}
	s.Drop(image, tag)
	if got, err := s.Read(image, tag); got != nil || err != nil {
		t.Errorf("after it was dropped: %q, %v", got, err)
	}
	for _, bad := range []string{"", "latest", "inputs-../../x", tag + "/x"} {
		if err := s.Write(image, bad, nil); err == nil {
			t.Errorf("%q was written", bad)
		}
	}
}

func TestWhatNobodyAsksForIsForgotten(t *testing.T) {
	s := Open(t.TempDir())
	old, asked := "inputs-"+strings.Repeat("01", 32), "inputs-"+strings.Repeat("02", 32)
	for _, name := range []string{old, asked} {
		if err := s.Write(image, name, []byte("x")); err != nil {
			t.Fatal(err)
		}
		file, _ := s.file(image, name)
		if err := os.Chtimes(file, time.Now(), time.Now().Add(-keepFor-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Read(image, asked); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(image, tag, []byte("x")); err != nil {
		t.Fatal(err)
	}
	for name, there := range map[string]bool{old: false, asked: true, tag: true} {
		if got, err := s.Read(image, name); err != nil || (got != nil) != there {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestOneKeyForTheMachine(t *testing.T) {
	dir := t.TempDir()
	if key, err := Open(dir).Key(false); key != nil || err != nil {
		t.Fatalf("nobody asked for one to be made: %v, %v", key, err)
	}
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			if key, err := Open(dir).Key(true); err != nil {
				t.Error(err)
			} else {
				ids[i] = key.Public.ID
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatalf("not one key for all: %q", ids)
		}
	}
	name := filepath.Join(dir, "reuse", "machine.key")
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir).Key(true); err == nil || !strings.Contains(err.Error(), "may be read by others") {
		t.Errorf("with a key that others may read: %v", err)
	}
	if err := os.WriteFile(name, []byte("c4n4ry"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir).Key(true); err == nil || !strings.Contains(err.Error(), "is damaged") || strings.Contains(err.Error(), "c4n4ry") {
		t.Errorf("with a damaged key: %v", err)
	}
}
