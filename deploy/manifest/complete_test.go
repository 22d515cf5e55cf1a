package manifest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
)

// converted are the keys of a service that package convert carries over, or that loading uses up.
var converted = strings.Fields(`
	build cap_add cap_drop command configs credential_spec depends_on dns dns_opt dns_search entrypoint env_file
	environment extends extra_hosts group_add healthcheck hostname image init isolation labels logging oom_score_adj
	platform read_only restart secrets stdin_open stop_grace_period stop_signal sysctls tmpfs tty ulimits user working_dir
	deploy.mode deploy.replicas deploy.labels deploy.update_config deploy.rollback_config deploy.restart_policy
	deploy.placement deploy.endpoint_mode deploy.resources.limits.cpus deploy.resources.limits.memory
	deploy.resources.limits.pids deploy.resources.reservations.cpus deploy.resources.reservations.memory
	deploy.resources.reservations.generic_resources
	networks.*.aliases networks.*.driver_opts networks.*.use_service_name_alias
	ports.*.name ports.*.mode ports.*.target ports.*.published ports.*.protocol
	volumes.*.type volumes.*.source volumes.*.target volumes.*.read_only volumes.*.consistency volumes.*.volume
	volumes.*.tmpfs volumes.*.image volumes.*.bind.propagation volumes.*.bind.recursive volumes.*.bind.create_host_path`)

// notYAML are fields of compose-go's model that its schema lets nobody write.
var notYAML = strings.Fields("name dockerfile net log_driver log_opt pull_refresh_after")

// Every key that a service may have is converted, refused by name, or said to have no effect:
// none is dropped silently.
func TestEveryKeyIsKnown(t *testing.T) {
	known := map[string]string{}
	for _, k := range converted {
		known[k] = "converted"
	}
	for _, r := range refusals {
		if known[r.path] != "" {
			t.Errorf("%s is both %s and refused", r.path, known[r.path])
		}
		known[r.path] = "refused"
	}
	for k := range idle {
		known[k] = "idle"
	}
	for _, k := range notYAML {
		known[k] = "not to be written"
	}
	seen := map[string]bool{}
	keys(reflect.TypeFor[types.ServiceConfig](), "", func(path string) bool {
		seen[path] = true
		return known[path] != ""
	}, func(path string) { t.Errorf("%s is neither converted nor refused", path) })
	for path, what := range known {
		if !seen[path] {
			t.Errorf("%s is %s, but there is no such key", path, what)
		}
	}
}

// keys descends into a type's keys until known says yes; what has none below is unknown.
func keys(t reflect.Type, path string, known func(string) bool, unknown func(string)) {
	switch t.Kind() {
	case reflect.Pointer:
		keys(t.Elem(), path, known, unknown)
		return
	case reflect.Slice, reflect.Map:
		if e := t.Elem(); e.Kind() == reflect.Struct || e.Kind() == reflect.Pointer {
			keys(e, path+".*", known, unknown)
			return
		}
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			switch {
			case strings.Contains(options, "inline") && f.Anonymous:
				keys(f.Type, path, known, unknown)
			case name == "-" || strings.HasPrefix(name, "#"):
			default:
				at := strings.TrimPrefix(path+"."+name, ".")
				if !known(at) {
					keys(f.Type, at, known, unknown)
				}
			}
		}
		return
	}
	unknown(path)
}
