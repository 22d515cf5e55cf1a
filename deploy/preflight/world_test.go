package preflight

import (
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/diff"
	"slipway/deploy/live"
)

// world is a Swarm and one service that a plan is about.
type world struct {
	state live.State
	s     convert.Service
	op    diff.Operation
}

// newWorld has one manager, "a", with 4 CPUs and 4 GiB.
func newWorld(action diff.Action, change ...func(*world)) *world {
	spec := swarm.ServiceSpec{Annotations: swarm.Annotations{Name: "shop_dev_web", Labels: map[string]string{convert.LabelNamespace: "shop_dev"}}}
	spec.TaskTemplate.ContainerSpec = &swarm.ContainerSpec{Image: "web:1"}
	w := &world{s: convert.Service{Key: "web", Spec: spec}, op: diff.Operation{Action: action, Kind: diff.ServiceKind, Name: spec.Name, ID: "web", Restarts: action == diff.Update}}
	replicas(1)(w)
	node("a")(w)
	w.state.Nodes[0].Spec.Role, w.state.Nodes[0].ManagerStatus = swarm.NodeRoleManager, &swarm.ManagerStatus{Reachability: swarm.ReachabilityReachable}
	if action == diff.Create {
		w.op.ID = ""
	}
	for _, c := range change {
		c(w)
	}
	return w
}

func (w *world) check() ([]string, error) {
	return Check(&w.state, &convert.Stack{Name: "shop_dev", Services: []convert.Service{w.s}}, &diff.Plan{Operations: []diff.Operation{w.op}})
}

func node(id string) func(*world) {
	return func(w *world) {
		n := swarm.Node{ID: id, Spec: swarm.NodeSpec{Role: swarm.NodeRoleWorker, Availability: swarm.NodeAvailabilityActive}, Status: swarm.NodeStatus{State: swarm.NodeStateReady}}
		n.Description.Hostname, n.Description.Resources = id, swarm.Resources{NanoCPUs: 4e9, MemoryBytes: 4 << 30}
		w.state.Nodes = append(w.state.Nodes, n)
	}
}

// manager adds one, reachable or not.
func manager(id string, reachable bool) func(*world) {
	return func(w *world) {
		node(id)(w)
		n := &w.state.Nodes[len(w.state.Nodes)-1]
		n.ManagerStatus = &swarm.ManagerStatus{Reachability: swarm.ReachabilityUnreachable}
		if reachable {
			n.ManagerStatus.Reachability = swarm.ReachabilityReachable
		}
	}
}

func available(a swarm.NodeAvailability) func(*world) {
	return func(w *world) { w.state.Nodes[len(w.state.Nodes)-1].Spec.Availability = a }
}

func replicas(n uint64) func(*world) {
	return func(w *world) { w.s.Spec.Mode = swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &n}} }
}

func global(w *world) { w.s.Spec.Mode = swarm.ServiceMode{Global: &swarm.GlobalService{}} }

func startFirstly(w *world) {
	w.s.Spec.UpdateConfig = &swarm.UpdateConfig{Order: swarm.UpdateOrderStartFirst}
}

func place(p swarm.Placement) func(*world) {
	return func(w *world) { w.s.Spec.TaskTemplate.Placement = &p }
}

func reserve(cpus float64, mib int64) func(*world) {
	return func(w *world) { w.s.Spec.TaskTemplate.Resources = reservation(cpus, mib) }
}

func reservation(cpus float64, mib int64) *swarm.ResourceRequirements {
	return &swarm.ResourceRequirements{Reservations: &swarm.Resources{NanoCPUs: int64(cpus * 1e9), MemoryBytes: mib << 20}}
}

// tasks run on a node, of a service, each with a reservation.
func runs(service, node string, n int, cpus float64, mib int64) func(*world) {
	return func(w *world) {
		for range n {
			w.state.Tasks = append(w.state.Tasks, swarm.Task{ServiceID: service, NodeID: node, Spec: swarm.TaskSpec{Resources: reservation(cpus, mib)}})
		}
	}
}

func publish(port uint32, mode swarm.PortConfigPublishMode) func(*world) {
	return func(w *world) { w.s.Spec.EndpointSpec = ports1(port, mode) }
}

func ports1(port uint32, mode swarm.PortConfigPublishMode) *swarm.EndpointSpec {
	return &swarm.EndpointSpec{Ports: []swarm.PortConfig{{Protocol: "tcp", TargetPort: 80, PublishedPort: port, PublishMode: mode}}}
}

// other is a service of a stack that publishes a port.
func other(name, stack string, port uint32, mode swarm.PortConfigPublishMode) func(*world) {
	return func(w *world) {
		s := swarm.Service{ID: name, Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Name: name, Labels: map[string]string{convert.LabelNamespace: stack}}, EndpointSpec: ports1(port, mode)}}
		w.state.Services = append(w.state.Services, s)
	}
}
