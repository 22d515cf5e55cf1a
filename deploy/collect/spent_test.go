package collect

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/deploy/release"
)

// sum is a digest that ends in a letter.
func sum(letter string) string { return "sha256:" + strings.Repeat("0", 63) + letter }

// running is a service with an image.
func running(name, image string) swarm.Service {
	return swarm.Service{Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Name: name}, TaskTemplate: taskOf(image)}}
}

func taskOf(image string) swarm.TaskSpec {
	return swarm.TaskSpec{ContainerSpec: &swarm.ContainerSpec{Image: image}}
}

// recorded is the config that has the record of a release with one image.
func recorded(t *testing.T, stack string, number int, state release.State, image string) swarm.Config {
	t.Helper()
	var data bytes.Buffer
	z := gzip.NewWriter(&data)
	if err := json.NewEncoder(z).Encode(map[string]any{"format": 1, "record": release.Record{
		Number: number, Stack: stack, Want: &convert.Stack{Name: stack, Services: []convert.Service{{Key: "web", Spec: running(stack+"_web", image).Spec}}},
	}}); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return swarm.Config{ID: fmt.Sprint(stack, number), Spec: swarm.ConfigSpec{Data: data.Bytes(), Annotations: swarm.Annotations{
		Name:   release.ObjectName("release", stack, fmt.Sprint(number)),
		Labels: map[string]string{"slipway.stack": stack, "slipway.release": fmt.Sprint(number), "slipway.state": string(state)},
	}}}
}

// Of eight images of one repository, all old, only those go that nothing refers to.
func TestImagesThatSomethingNeedsStay(t *testing.T) {
	const repo = "registry.example.com/shop/app"
	held := Held{Now: time.Unix(1_000_000, 0)}
	for _, letter := range strings.Split("abcdef012", "") {
		held.Images = append(held.Images, image.Summary{ID: "image " + letter, RepoDigests: []string{repo + "@" + sum(letter)}})
	}
	previous := running("", repo+"@"+sum("d")).Spec
	web := running("shop_dev_web", repo+":3@"+sum("c"))
	web.PreviousSpec = &previous
	state := &live.State{
		Configs: []swarm.Config{
			recorded(t, "shop_dev", 1, release.Done, repo+":1@"+sum("a")), // beyond what is kept
			recorded(t, "shop_dev", 2, release.Done, repo+":2@"+sum("b")),
			recorded(t, "shop_dev", 3, release.Done, repo+":3@"+sum("c")),
			recorded(t, "shop_prod", 1, release.Done, repo+":9@"+sum("e")),
		},
		Services: []swarm.Service{web, running("other", repo+"@"+sum("f"))},
		Tasks:    []swarm.Task{{ID: "t", Spec: taskOf(repo + "@" + sum("0"))}},
	}
	held.Containers = []container.Summary{{ID: "by hand", State: container.StateExited, ImageID: "image 1"}}
	got := Needed(state, "shop_dev", 2).Spent(held, time.Hour)
	want := Spent{Images: []Image{{[]string{repo + "@" + sum("a")}}, {[]string{repo + "@" + sum("2")}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestForeignImagesAndYoungOnesStay(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	need := Needed(&live.State{Configs: []swarm.Config{recorded(t, "shop_dev", 1, release.Done, "nginx:1@"+sum("a"))}}, "shop_dev", 1)
	old := now.Add(-time.Hour).Unix()
	for what, i := range map[string]image.Summary{
		"another repository":       {Created: old, RepoDigests: []string{"postgres@" + sum("b")}},
		"one of two repositories":  {Created: old, RepoDigests: []string{"nginx@" + sum("b"), "registry.example.com/nginx@" + sum("b")}},
		"tagged for another":       {Created: old, RepoTags: []string{"mine:1"}, RepoDigests: []string{"nginx@" + sum("b")}},
		"built here, never pushed": {Created: old, RepoTags: []string{"nginx:mine"}},
		"without a name":           {Created: old, RepoTags: []string{"<none>:<none>"}, RepoDigests: []string{"<none>@<none>"}},
		"young":                    {Created: now.Add(-59 * time.Minute).Unix(), RepoDigests: []string{"nginx@" + sum("b")}},
		"from the future":          {Created: now.Add(time.Hour).Unix(), RepoDigests: []string{"nginx@" + sum("b")}},
		"kept":                     {Created: old, RepoTags: []string{"nginx:1"}, RepoDigests: []string{"nginx@" + sum("a")}},
	} {
		if got := need.Spent(Held{Now: now, Images: []image.Summary{i}}, time.Hour); len(got.Images) > 0 {
			t.Errorf("%s: %v would go", what, got.Images)
		}
	}
	goes := image.Summary{Created: old, RepoTags: []string{"nginx:2", "<none>:<none>"}, RepoDigests: []string{"nginx@" + sum("b")}}
	if got := need.Spent(Held{Now: now, Images: []image.Summary{goes}}, time.Hour); !reflect.DeepEqual(got.Images, []Image{{[]string{"nginx:2", "nginx@" + sum("b")}}}) {
		t.Errorf("an old and unused one: %v", got.Images)
	}
}

func TestOnlyTheStacksOldStoppedContainersGo(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	need := Needed(&live.State{Tasks: []swarm.Task{{ID: "wanted"}}}, "shop_dev", 1)
	one := func(change func(*container.Summary)) container.Summary {
		c := container.Summary{ID: "id", Names: []string{"/shop_dev_web.1.x"}, State: container.StateExited, Labels: map[string]string{convert.LabelNamespace: "shop_dev", "com.docker.swarm.task.id": "old"}}
		change(&c)
		return c
	}
	for _, c := range []struct {
		what   string
		change func(*container.Summary)
		ended  time.Duration // ago; 0 for not known
		goes   bool
	}{
		{"stopped for an hour", func(*container.Summary) {}, time.Hour, true},
		{"dead", func(c *container.Summary) { c.State = container.StateDead }, time.Hour, true},
		{"never started", func(c *container.Summary) { c.State = container.StateCreated }, time.Hour, true},
		{"with a named volume", func(c *container.Summary) {
			c.Mounts = []container.MountPoint{{Type: mount.TypeVolume, Name: "shop_dev_data"}}
		}, time.Hour, true},
		{"stopped a moment ago", func(*container.Summary) {}, 59 * time.Minute, false},
		{"nobody knows since when", func(*container.Summary) {}, 0, false},
		{"running", func(c *container.Summary) { c.State = container.StateRunning }, time.Hour, false},
		{"restarting", func(c *container.Summary) { c.State = container.StateRestarting }, time.Hour, false},
		{"about to be started", func(c *container.Summary) {
			c.State, c.Labels["com.docker.swarm.task.id"] = container.StateCreated, "wanted"
		}, time.Hour, false},
		{"of another stack", func(c *container.Summary) { c.Labels[convert.LabelNamespace] = "shop_prod" }, time.Hour, false},
		{"of nobody", func(c *container.Summary) { c.Labels = nil }, time.Hour, false},
		{"with a volume of its own", func(c *container.Summary) {
			c.Mounts = []container.MountPoint{{Type: mount.TypeVolume, Name: strings.Repeat("0f", 32)}}
		}, time.Hour, false},
	} {
		held := Held{Now: now, Containers: []container.Summary{one(c.change)}, Ended: map[string]time.Time{}}
		if c.ended > 0 {
			held.Ended["id"] = now.Add(-c.ended)
		}
		var want []Object
		if c.goes {
			want = []Object{{"id", "shop_dev_web.1.x"}}
		}
		if got := need.Spent(held, time.Hour).Containers; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", c.what, got, want)
		}
	}
}

func TestNoImageGoesWhereARecordCannotBeRead(t *testing.T) {
	newer := recorded(t, "shop_prod", 1, release.Done, "app:2@"+sum("b"))
	newer.Spec.Data = []byte("written by a newer version")
	state := &live.State{Configs: []swarm.Config{recorded(t, "s", 1, release.Done, "app:1@"+sum("a"))}}
	held := Held{Now: time.Unix(1_000_000, 0), Images: []image.Summary{{ID: "i", RepoDigests: []string{"app@" + sum("b")}}}}
	if got := Needed(state, "s", 1).Spent(held, time.Hour); len(got.Images) != 1 {
		t.Errorf("with all records read, %v would go", got)
	}
	state.Configs = append(state.Configs, newer)
	if got := Needed(state, "s", 1).Spent(held, time.Hour); len(got.Images) > 0 {
		t.Errorf("%v would go", got)
	}
}

// What holds an image is no longer there once its container goes, in one and the same run.
func TestAnImageGoesWithItsLastContainer(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	need := Needed(&live.State{Configs: []swarm.Config{recorded(t, "s", 1, release.Done, "app:1@"+sum("a"))}}, "s", 1)
	c := container.Summary{ID: "id", State: container.StateExited, ImageID: "i", Image: "app:0@" + sum("b"), Labels: map[string]string{convert.LabelNamespace: "s"}}
	held := Held{Now: now, Containers: []container.Summary{c}, Images: []image.Summary{{ID: "i", RepoDigests: []string{"app@" + sum("b")}}}}
	if got := need.Spent(held, time.Hour); len(got.Images) > 0 {
		t.Errorf("the image of a container that stays would go: %v", got)
	}
	held.Ended = map[string]time.Time{"id": now.Add(-time.Hour)}
	if got := need.Spent(held, time.Hour); len(got.Images) != 1 || len(got.Containers) != 1 {
		t.Errorf("of an old container and its image only this would go: %v", got)
	}
}
