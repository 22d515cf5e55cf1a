package server

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatCannotBeMeantIsSaidBeforeAnybodyIsAsked(t *testing.T) {
	b := newBed(t)
	public, private := "-deployKey="+filepath.Join(b.laptop, "deploy_key.pub"), "-deployKey="+filepath.Join(b.laptop, "deploy_key")
	somewhere := "SERVER_HOST=deploy@127.0.0.1:1"
	for _, c := range []struct{ env, args, says string }{
		{"", public, "no server is named for dev"},
		{"SERVER_HOST=local", public, "local is not reached over SSH: name the host itself"},
		{somewhere, "", "there is no key for the user that deploys: make one (ssh-keygen"},
		{somewhere, "-deployKey=" + b.laptop + "/none.pub", "reading the public key of the user that deploys"},
		{somewhere, public + " -host=root@two.example -join=worker", "write the host alone; the admin is named with -admin="},
		{somewhere, public + " -host=two.example", "say as what, with -join=worker or -join=manager"},
		{somewhere, public + " -host=two.example -join=boss", "say as what, with -join=worker or -join=manager"},
		{somewhere, public + " -join=worker", "name that host with -host="},
		{somewhere, public + " -registry=registry.example", "set REGISTRY_USER and REGISTRY_PASSWORD"},
		{somewhere, public + " -registryCA=none.crt", "reading the certificate of the registry's authority"},
		{somewhere, public + " -dryRun=maybe", "-dryRun=maybe: write true or false"},
		{somewhere, public + " -dry", "server:setup has no flag -dry"},
		{"SERVER_HOST=root@127.0.0.1:1", public, "the user that deploys would be root"},
		{"SERVER_HOST=admin@127.0.0.1:1", public + " -admin=admin", "admin would be both the admin and the user that deploys"},
		{somewhere, private, "is a private one: -deployKey takes the public one"},
		{somewhere + " SERVER_DIR=/srv/dev", public, "the server directory /srv/dev is directly in /srv"},
	} {
		b.env = strings.Fields(c.env)
		b.slipway(t, nil, append([]string{"server:setup", "dev"}, strings.Fields(c.args)...)...).Exits(t, 2).Says(t, c.says)
	}
}
