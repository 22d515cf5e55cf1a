package registry_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"slipway/test/registry"
)

func push(t *testing.T, r *registry.Registry, as authn.Authenticator) (v1.Image, error) {
	t.Helper()
	image, err := random.Image(1<<10, 2)
	if err != nil {
		t.Fatal(err)
	}
	return image, remote.Write(reference(t, r), image, options(t.Context(), as)...)
}

func pull(t *testing.T, r *registry.Registry, as authn.Authenticator) (v1.Hash, error) {
	t.Helper()
	image, err := remote.Image(reference(t, r), options(t.Context(), as)...)
	if err != nil {
		return v1.Hash{}, err
	}
	return image.Digest()
}

func reference(t *testing.T, r *registry.Registry) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(r.Host + "/team/ping:20240725_4605cc6e")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// options ask for no retries: what is refused stays refused.
func options(ctx context.Context, as authn.Authenticator) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuth(as), remote.WithRetryBackoff(remote.Backoff{Steps: 1})}
}

func status(err error) int {
	var answer *transport.Error
	if errors.As(err, &answer) {
		return answer.StatusCode
	}
	return 0
}

func mustPullSame(t *testing.T, r *registry.Registry, as authn.Authenticator, pushed v1.Image) {
	t.Helper()
	want, err := pushed.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := pull(t, r, as); err != nil || got != want {
		t.Fatalf("pulled %s (%v), want %s", got, err, want)
	}
}

func TestWhatIsPushedIsPulled(t *testing.T) {
	for kind, o := range map[string]registry.Options{"memory": {}, "disk": {Dir: t.TempDir()}} {
		t.Run(kind, func(t *testing.T) {
			r := registry.Start(t, o)
			image, err := push(t, r, authn.Anonymous)
			if err != nil {
				t.Fatal(err)
			}
			mustPullSame(t, r, authn.Anonymous, image)
		})
	}
}

func TestPasswordsAreChecked(t *testing.T) {
	r := registry.Start(t, registry.Options{Users: map[string]string{"ci": "good"}})
	for who, as := range map[string]authn.Authenticator{
		"nobody":         authn.Anonymous,
		"wrong password": &authn.Basic{Username: "ci", Password: "bad"},
	} {
		if _, err := push(t, r, as); status(err) != http.StatusUnauthorized {
			t.Errorf("%s: push gave %v, want 401", who, err)
		}
	}
	ci := &authn.Basic{Username: "ci", Password: "good"}
	image, err := push(t, r, ci)
	if err != nil {
		t.Fatal(err)
	}
	mustPullSame(t, r, ci, image)
}

func TestAReadOnlyUserPullsAndDoesNotPush(t *testing.T) {
	r := registry.Start(t, registry.Options{
		Users:    map[string]string{"ci": "good", "reader": "also good"},
		ReadOnly: []string{"reader"},
	})
	image, err := push(t, r, &authn.Basic{Username: "ci", Password: "good"})
	if err != nil {
		t.Fatal(err)
	}
	reader := &authn.Basic{Username: "reader", Password: "also good"}
	r.Forget()
	_, err = push(t, r, reader)
	if status(err) != http.StatusForbidden || !strings.Contains(err.Error(), "DENIED") {
		t.Fatalf("push gave %v, want 403 DENIED", err)
	}
	for _, q := range r.Writes() {
		if q.Status != http.StatusForbidden || q.User != "reader" {
			t.Errorf("%s by %q, want only refusals of reader", q, q.User)
		}
	}
	mustPullSame(t, r, reader, image)
	if _, err = push(t, r, &authn.Basic{Username: "reader", Password: "guess"}); status(err) != http.StatusUnauthorized {
		t.Errorf("a wrong password gave %v, want 401", err)
	}
}

func TestNobodyPushesToAReadOnlyMirror(t *testing.T) {
	r := registry.Start(t, registry.Options{ReadOnly: []string{""}})
	if _, err := push(t, r, authn.Anonymous); status(err) != http.StatusForbidden {
		t.Fatalf("push gave %v, want 403", err)
	}
}

func TestDownRefusesConnectionsAndUpKeepsWhatWasPushed(t *testing.T) {
	r := registry.Start(t, registry.Options{})
	image, err := push(t, r, authn.Anonymous)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		r.Down()
		if _, err := pull(t, r, authn.Anonymous); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("while down, pull gave %v, want connection refused", err)
		}
		r.Up()
		mustPullSame(t, r, authn.Anonymous, image)
	}
}

func TestTheLogTellsReadsFromWrites(t *testing.T) {
	r := registry.Start(t, registry.Options{})
	image, err := push(t, r, authn.Anonymous)
	if err != nil {
		t.Fatal(err)
	}
	want := registry.Request{Method: "PUT", Path: "/v2/team/ping/manifests/20240725_4605cc6e", Status: http.StatusCreated}
	writes := r.Writes()
	if len(writes) == 0 || writes[len(writes)-1] != want {
		t.Errorf("after a push the last write is %v, want %s", writes, want)
	}
	r.Forget()
	mustPullSame(t, r, authn.Anonymous, image)
	if len(r.Writes()) != 0 || len(r.Requests()) == 0 {
		t.Errorf("a pull wrote %v in %v", r.Writes(), r.Requests())
	}
}
