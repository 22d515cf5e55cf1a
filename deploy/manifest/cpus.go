package manifest

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
)

// nanoCPUs are a service's limit and reservation, in billionths of a CPU.
type nanoCPUs struct{ limits, reservations int64 }

// CPUs gives a service's limit and reservation in billionths of a CPU, 0 where there is
// none: exactly what the manifest says, where the model has a rounded float32.
func (m *Manifest) CPUs(service string) (limit, reservation int64) {
	c := m.cpus[service]
	return c.limits, c.reservations
}

// cpuLimits reads them from the model, and makes 0 of those that it refuses.
func (l *loader) cpuLimits(model map[string]any) map[string]nanoCPUs {
	out := map[string]nanoCPUs{}
	services, _ := model["services"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		var c nanoCPUs
		for kind, to := range map[string]*int64{"limits": &c.limits, "reservations": &c.reservations} {
			at := []string{"deploy", "resources", kind, "cpus"}
			v := lookIn(services[name], at...)
			if v == nil {
				continue
			}
			n, err := parseCPUs(v)
			if err != nil {
				l.add(Error, append([]string{"services", name}, at...), `write a number of CPUs such as "0.5"`, "%v", err)
				lookIn(services[name], at[:3]...).(map[string]any)["cpus"] = "0"
			}
			*to = n
		}
		out[name] = c
	}
	return out
}

// parseCPUs reads a decimal number of CPUs. Going through a float would make 0.1 into
// 0.100000001.
func parseCPUs(v any) (int64, error) {
	text := fmt.Sprint(v)
	if f, ok := v.(float64); ok {
		text = strconv.FormatFloat(f, 'f', -1, 64)
	}
	r, ok := (*big.Rat)(nil), false
	if len(text) <= 32 && decimal(text) { // a Rat of "1e999999999" would fill the memory
		r, ok = new(big.Rat).SetString(text)
	}
	if !ok {
		return 0, fmt.Errorf("%q is no number of CPUs", short(text))
	}
	r.Mul(r, big.NewRat(1e9, 1))
	if !r.IsInt() {
		return 0, fmt.Errorf("%s is more precise than a billionth of a CPU", text)
	}
	if !r.Num().IsInt64() {
		return 0, fmt.Errorf("%s CPUs are too many", text)
	}
	return r.Num().Int64(), nil
}

// decimal tells digits with at most one point among or around them.
func decimal(s string) bool {
	points := 0
	for _, c := range s {
		if c == '.' {
			points++
		} else if c < '0' || c > '9' {
			return false
		}
	}
	return points <= 1 && len(s) > points
}

// lookIn descends into nested mappings, nil where there is nothing.
func lookIn(v any, path ...string) any {
	for _, k := range path {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	return v
}
