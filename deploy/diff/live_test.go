package diff

import (
	"net/netip"
	"testing"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/swarm"
	"github.com/moby/moby/client"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/test/dockerd"
)

// A real daemon decides what it fills in, and what runs a job again.
func TestOnALiveSwarm(t *testing.T) {
	d := dockerd.Start(t, dockerd.Options{})
	d.Init(t)
	ipam := &network.IPAM{Config: []network.IPAMConfig{{Subnet: netip.MustParsePrefix("10.77.0.0/24")}}}
	w := &convert.Stack{Name: stackName, Networks: []network.CreateRequest{{Name: "shop_dev_default", Driver: "overlay", IPAM: ipam, Labels: labels(stackName)}}}
	if _, err := d.Client.NetworkCreate(t.Context(), "shop_dev_default", client.NetworkCreateOptions{Driver: "overlay", IPAM: ipam, Labels: labels(stackName)}); err != nil {
		t.Fatal(err)
	}
	job := service("job", mode(jobs), image("example.invalid/job:1"))
	made, err := d.Client.ServiceCreate(t.Context(), client.ServiceCreateOptions{Spec: job.Spec})
	if err != nil {
		t.Fatal(err)
	}
	w.Services = []convert.Service{job}
	compute := func() *Plan {
		t.Helper()
		state, err := live.Read(t.Context(), d.Client)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compute(w, state, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := compute(); p.Changes() || p.Warnings != nil {
		t.Errorf("right after all was made: %q, warnings %q", outcome(p), p.Warnings)
	}
	inspect := func() swarm.Service {
		t.Helper()
		got, err := d.Client.ServiceInspect(t.Context(), made.ID, client.ServiceInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return got.Service
	}
	before := inspect()
	w.Services = []convert.Service{service("job", mode(jobs), image("example.invalid/job:1"), func(s *swarm.ServiceSpec) { s.Labels["a"] = "b" })}
	if got := outcome(compute()); got != "update! service shop_dev_job" {
		t.Errorf("a job's label: %q", got)
	}
	if _, err := d.Client.ServiceUpdate(t.Context(), made.ID, client.ServiceUpdateOptions{Version: before.Version, Spec: w.Services[0].Spec}); err != nil {
		t.Fatal(err)
	}
	if was, is := before.JobStatus.JobIteration.Index, inspect().JobStatus.JobIteration.Index; is != was+1 {
		t.Errorf("the job's iteration was %d, and after a change of a label it is %d: it does not run again", was, is)
	}
	ipam.Config[0].Subnet = netip.MustParsePrefix("10.78.0.0/24")
	if p := compute(); len(p.Warnings) != 1 {
		t.Errorf("another subnet: %q", p.Warnings)
	}
}
