package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"time"

	githubapi "github.com/google/go-github/v84/github"
	gitlabapi "gitlab.com/gitlab-org/api/client-go"

	"slipway/deploy/environment"
	"slipway/pipeline/worktree"
)

var (
	// gitlabJob is a job's page, or a file of its artifacts.
	gitlabJob = regexp.MustCompile(`^/(.+)/-/jobs/(\d+)(?:/artifacts(?:/(?:raw|file|browse|download)(?:/(.*))?)?)?/?$`)
	// githubArtifact is what a run's page links to.
	githubArtifact = regexp.MustCompile(`^/([^/]+)/([^/]+)/actions/runs/\d+/artifacts/(\d+)$`)
)

// downloadTimeout bounds the download of a record.
const downloadTimeout = 2 * time.Minute

// download gets a record from where CI keeps it: a GitLab job's page, a GitHub artifact's, or a
// file's address.
func (p *project) download(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, badInput{fmt.Errorf("%s is no address: %w", address, err)}
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())):
		return nil, badInput{fmt.Errorf("%s is not read: a run's record comes by https", u.Redacted())}
	}
	ctx, cancel := context.WithTimeout(ctx, downloadTimeout)
	defer cancel()
	var data []byte
	if m := gitlabJob.FindStringSubmatch(u.Path); m != nil {
		data, err = p.fromGitLab(ctx, u, m[1], m[2], m[3])
	} else if m := githubArtifact.FindStringSubmatch(u.Path); m != nil {
		data, err = p.fromGitHub(ctx, u, m[1], m[2], m[3])
	} else {
		data, err = get(ctx, u.String(), u.Redacted())
	}
	if err != nil {
		return nil, badInput{fmt.Errorf("getting the run's record: %w", err)}
	}
	return data, nil
}

func (p *project) fromGitLab(ctx context.Context, u *url.URL, repository, job, file string) ([]byte, error) {
	token, hint, err := p.tokenFor(ctx, u, "GITLAB_TOKEN", "gitlab.com")
	if err != nil {
		return nil, err
	}
	api, err := gitlabapi.NewClient(token, gitlabapi.WithBaseURL(u.Scheme+"://"+u.Host+"/api/v4"))
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(job, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s is no job's number", job)
	}
	if file == "" {
		file = "build/ci.json"
	}
	r, _, err := api.Jobs.DownloadSingleArtifactsFile(repository, id, file, gitlabapi.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("GitLab does not give %s of job %s in %s: %w%s", file, job, repository, err, hint)
	}
	return bounded(r, file)
}

func (p *project) fromGitHub(ctx context.Context, u *url.URL, owner, name, artifact string) ([]byte, error) {
	token, hint, err := p.tokenFor(ctx, u, "GITHUB_TOKEN", "github.com")
	if err != nil {
		return nil, err
	}
	api := githubapi.NewClient(&http.Client{})
	if token != "" {
		api = api.WithAuthToken(token)
	}
	if u.Host != "github.com" {
		base := u.Scheme + "://" + u.Host
		if api, err = api.WithEnterpriseURLs(base, base); err != nil {
			return nil, err
		}
	}
	id, err := strconv.ParseInt(artifact, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s is no artifact's number", artifact)
	}
	where, _, err := api.Actions.DownloadArtifact(ctx, owner, name, id, 1)
	if err != nil {
		return nil, fmt.Errorf("GitHub does not give artifact %s of %s/%s: %w%s", artifact, owner, name, err, hint)
	}
	data, err := get(ctx, where.String(), "the artifact") // its address is a password
	if err != nil {
		return nil, err
	}
	return recordIn(data)
}

// recordIn finds the record in an artifact's archive.
func recordIn(data []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("the artifact is no archive: %w", err)
	}
	for _, name := range []string{"ci.json", "build/ci.json", "run.json", "build/run.json"} {
		f, err := z.Open(name)
		if err != nil {
			continue
		}
		defer func() { _ = f.Close() }()
		return bounded(f, name)
	}
	return nil, errors.New("the artifact has no record of a run: neither ci.json nor run.json")
}

// tokenFor gives a token to its own service and to where this clone comes from, and to no other
// host that an address may name. hint goes on from an error.
func (p *project) tokenFor(ctx context.Context, u *url.URL, name, home string) (token, hint string, err error) {
	v, err := secretVariable(ctx, environment.Vars{All: environ()}, name)
	switch origin, _ := url.Parse(worktree.SourceURL(p.tree.Origin)); {
	case err != nil:
		return "", "", err
	case v.Empty():
		return "", fmt.Sprintf(". If that needs a token: %s is not set", name), nil
	case u.Hostname() == home, origin != nil && u.Hostname() == origin.Hostname(), u.Hostname() == hostIn(os.Getenv("CI_SERVER_URL")), u.Hostname() == hostIn(os.Getenv("GITHUB_SERVER_URL")):
		return v.Reveal(), "", nil
	}
	return "", fmt.Sprintf(". %s was not shown to %s, which is not where this clone comes from", name, u.Hostname()), nil
}

func hostIn(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return "nowhere.invalid"
	}
	return u.Hostname()
}

func get(ctx context.Context, address, shown string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("%s is no address", shown)
	}
	resp, err := http.DefaultClient.Do(req)
	var fault *url.Error
	if errors.As(err, &fault) {
		return nil, fmt.Errorf("%s: %w", shown, fault.Err)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
		return nil, fmt.Errorf("%s: %s", shown, resp.Status)
	}
	return bounded(resp.Body, shown)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
