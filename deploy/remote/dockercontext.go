package remote

import (
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"github.com/containerd/errdefs"
	dockercontext "github.com/docker/cli/cli/context"
	"github.com/docker/cli/cli/context/store"
)

// dockerEndpoint is the name of the endpoint in a context that is a Docker daemon.
const dockerEndpoint = "docker"

// context is what the docker command's context of this name leads to. Its own host wins
// over DOCKER_HOST, and an SSH host in it is reached as SERVER_HOST is, with pinned keys.
func (s Settings) context(name string) (endpoint, error) {
	fail := func(err error) (endpoint, error) {
		return endpoint{}, fmt.Errorf("connecting to Docker by the context %q: %w", name, err)
	}
	if name == "default" {
		return s.local()
	}
	if s.DockerConfig == "" {
		return fail(fmt.Errorf("there is no directory of contexts; set DOCKER_CONFIG, or HOME"))
	}
	contexts := store.New(filepath.Join(s.DockerConfig, "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(dockerEndpoint, func() any { return &dockercontext.EndpointMetaBase{} }),
	))
	found, err := contexts.GetMetadata(name)
	if errdefs.IsNotFound(err) || name == "" {
		return fail(fmt.Errorf("there is no such context; %s", known(contexts)))
	}
	if err != nil {
		return fail(err)
	}
	meta, ok := found.Endpoints[dockerEndpoint].(dockercontext.EndpointMetaBase)
	if !ok || meta.Host == "" {
		return fail(fmt.Errorf("it names no Docker host; make it anew with: docker context create"))
	}
	leads, err := s.withoutTLS().host(meta.Host)
	if err != nil {
		return fail(fmt.Errorf("its Docker host is %q; only unix, tcp and ssh addresses work", meta.Host))
	}
	if leads.tcp == nil {
		return leads, nil
	}
	data, err := dockercontext.LoadTLSData(contexts, name, dockerEndpoint)
	if err != nil {
		return fail(err)
	}
	if data != nil || meta.SkipTLSVerify {
		leads.tcp.tls = &tlsFiles{skipVerify: meta.SkipTLSVerify, from: "the context " + name}
		if data != nil {
			leads.tcp.tls.ca, leads.tcp.tls.cert, leads.tcp.tls.key = data.CA, data.Cert, data.Key
		}
	}
	return leads, nil
}

// withoutTLS leaves out the files of DOCKER_CERT_PATH: a context brings its own.
func (s Settings) withoutTLS() Settings {
	s.CertDir = ""
	return s
}

func known(contexts *store.ContextStore) string {
	names, err := store.Names(contexts)
	if err != nil || len(names) == 0 {
		return "there are no contexts but default (docker context ls)"
	}
	sort.Strings(names)
	return "there are: " + strings.Join(names, ", ")
}
