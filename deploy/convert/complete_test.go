package convert_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
)

// notCompose are fields of a Swarm service that no key of the compose specification sets.
var notCompose = map[string]string{
	"TaskTemplate.PluginSpec":                                                "services that are plugins",
	"TaskTemplate.NetworkAttachmentSpec":                                     "the daemon's own",
	"TaskTemplate.Runtime":                                                   "services that are plugins",
	"TaskTemplate.ForceUpdate":                                               "kept as it is live",
	"TaskTemplate.Resources.SwapBytes":                                       "memswap_limit is refused, it is not below deploy",
	"TaskTemplate.Resources.MemorySwappiness":                                "mem_swappiness is refused, it is not below deploy",
	"TaskTemplate.Resources.Reservations.GenericResources.NamedResourceSpec": "compose has discrete ones only",
	"TaskTemplate.ContainerSpec.Privileges.SELinuxContext":                   "security_opt is refused",
	"TaskTemplate.ContainerSpec.Privileges.Seccomp":                          "security_opt is refused",
	"TaskTemplate.ContainerSpec.Privileges.AppArmor":                         "security_opt is refused",
	"TaskTemplate.ContainerSpec.Privileges.NoNewPrivileges":                  "security_opt is refused",
	"TaskTemplate.ContainerSpec.Mounts.BindOptions.CreateMountpoint":         "see bindOptions",
	"TaskTemplate.ContainerSpec.Mounts.TmpfsOptions.Options":                 "compose has size and mode only",
}

// Every field of a Swarm service is set by something in the corpus, or known not to be
// compose's.
func TestComplete(t *testing.T) {
	var specs []swarm.ServiceSpec
	for _, s := range subjects(t) {
		specs = append(specs, slices.Collect(maps.Values(s.ours(t)))...)
	}
	stack, err := convert.Convert(golden(t), convert.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stack.Services {
		specs = append(specs, s.Spec)
	}
	set := map[string]bool{}
	for _, s := range specs {
		fields(reflect.ValueOf(s), "", set)
	}
	all := map[string]bool{}
	every(reflect.TypeFor[swarm.ServiceSpec](), "", all)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		reason := notCompose[path]
		for up := path; reason == "" && strings.Contains(up, "."); reason = notCompose[up] {
			up = up[:strings.LastIndexByte(up, '.')]
		}
		if !set[path] && reason == "" {
			t.Errorf("%s is never set", path)
		}
		if set[path] && notCompose[path] != "" {
			t.Errorf("%s is set, so it does not belong among the exceptions", path)
		}
	}
}

// leaf types have fields that mean nothing by themselves.
func leaf(t reflect.Type) bool {
	return t.PkgPath() == "net/netip" || t == reflect.TypeFor[time.Duration]()
}

// fields collects the paths of a value's fields that are not zero.
func fields(v reflect.Value, path string, out map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fields(v.Elem(), path, out)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fields(v.Index(i), path, out)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if leaf(v.Type()) || v.Field(i).IsZero() {
				continue
			}
			name := join(path, f)
			out[name] = true
			fields(v.Field(i), name, out)
		}
	}
}

// every collects the paths of all fields that a type has.
func every(t reflect.Type, path string, out map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		every(t.Elem(), path, out)
	case reflect.Struct:
		for i := range t.NumField() {
			if leaf(t) {
				continue
			}
			name := join(path, t.Field(i))
			out[name] = true
			if _, no := notCompose[name]; !no {
				every(t.Field(i).Type, name, out)
			}
		}
	}
}

func join(path string, f reflect.StructField) string {
	if f.Anonymous {
		return path + "~" // embedded: its fields are the parent's
	}
	return strings.TrimPrefix(strings.TrimSuffix(path, "~")+"."+f.Name, ".")
}
