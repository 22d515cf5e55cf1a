package secrets

import (
	"fmt"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
	"slipway/deploy/live"
	"slipway/deploy/release"
	"slipway/secret"
)

// made is a secret as the Swarm holds it; its id is "id-" and its name.
func made(spec swarm.SecretSpec, more ...string) swarm.Secret {
	for _, l := range more {
		k, v, _ := strings.Cut(l, "=")
		spec.Labels[k] = v
	}
	return swarm.Secret{ID: "id-" + spec.Name, Spec: spec}
}

// foreign is one that was made by other means.
func foreign(name string) swarm.Secret {
	return swarm.Secret{ID: "id-" + name, Spec: swarm.SecretSpec{Annotations: swarm.Annotations{Name: name}}}
}

const told, pending = labelTold + "=true", labelPending + "=true"

func TestVersionsOfASecret(t *testing.T) {
	all := []swarm.Secret{foreign("pw")}
	for want := 2; want <= 11; want++ {
		next := Next(all, "shop_prod", "pw")
		if next.Name != fmt.Sprintf("pw_v%d", want) {
			t.Fatalf("after %d versions comes %s", want-1, next.Name)
		}
		all = append(all, made(next))
		if v, ok := Newest(all, "pw"); !ok || v.Name != next.Name || v.Number != want {
			t.Fatalf("the newest is %+v, want %s", v, next.Name)
		}
	}
	if got := Versions(all, "pw"); len(got) != 11 || got[10].Name != "pw" || got[1].Name != "pw_v10" {
		t.Errorf("the versions are %+v", got)
	}
	all[10] = made(all[10].Spec, pending)
	if v, _ := Newest(all, "pw"); v.Name != "pw_v10" {
		t.Errorf("a pending version is in effect: %s", v.Name)
	}
	if next := Next(all, "shop_prod", "pw"); next.Name != "pw_v12" {
		t.Errorf("after a pending version comes %s", next.Name)
	}
	if next := Next([]swarm.Secret{foreign("pw"), foreign("pw_v2")}, "shop_prod", "pw"); next.Name != "pw_v3" {
		t.Errorf("a name that is taken is made again: %s", next.Name)
	}
	if _, ok := Newest(all, "other"); ok {
		t.Error("a secret that is not there has a version")
	}
	if v, ok := Newest([]swarm.Secret{made(foreign("pw").Spec)}, "pw"); !ok || v.Number != 1 || v.Stack != "" {
		t.Errorf("a secret made by other means is %+v", v)
	}
}

func TestNamesStayWithinTheLimit(t *testing.T) {
	seen := map[string]bool{}
	for _, base := range []string{strings.Repeat("a", 64), strings.Repeat("a", 63) + "b", strings.Repeat("a", 50) + strings.Repeat("-", 13) + "b", strings.Repeat("a", 61)} {
		for _, number := range []int{2, 10, 12345} {
			name := versioned(base, number)
			if len(name) > nameLimit || seen[name] || name != versioned(base, number) {
				t.Errorf("version %d of %s is %s (%d characters)", number, base, name, len(name))
			}
			seen[name] = true
		}
	}
}

// stack is one that uses secrets by these names.
func stack(names ...string) *convert.Stack {
	c := &swarm.ContainerSpec{}
	for i, n := range names {
		c.Secrets = append(c.Secrets, &swarm.SecretReference{SecretName: n, File: &swarm.SecretReferenceFileTarget{Name: fmt.Sprint("file", i)}})
	}
	s := &convert.Stack{Name: "shop_prod", Services: []convert.Service{{Key: "app", Spec: swarm.ServiceSpec{TaskTemplate: swarm.TaskSpec{ContainerSpec: c}}}, {Key: "none"}}}
	s.External.Secrets = append(s.External.Secrets, names...)
	return s
}

func names(s *convert.Stack) (out string) {
	for _, r := range s.Services[0].Spec.TaskTemplate.ContainerSpec.Secrets {
		out += r.SecretName + ":" + r.File.Name + " "
	}
	return out + "| " + strings.Join(s.External.Secrets, " ")
}

func TestResolve(t *testing.T) {
	v2 := made(Next([]swarm.Secret{foreign("pw")}, "shop_prod", "pw"))
	v3 := made(Next([]swarm.Secret{foreign("pw"), v2}, "shop_prod", "pw"))
	for _, c := range []struct {
		what string
		all  []swarm.Secret
		want string
	}{
		{"nothing there", nil, "pw:file0 tls:file1 | pw tls"},
		{"one version", []swarm.Secret{foreign("pw"), foreign("tls")}, "pw:file0 tls:file1 | pw tls"},
		{"a newer one", []swarm.Secret{foreign("pw"), v2, foreign("tls")}, "pw_v2:file0 tls:file1 | pw_v2 tls"},
		{"the first is gone", []swarm.Secret{v3, foreign("tls")}, "pw_v3:file0 tls:file1 | pw_v3 tls"},
		{"the newest is pending", []swarm.Secret{foreign("pw"), v2, made(Next([]swarm.Secret{v2}, "shop_prod", "pw"), pending)}, "pw_v2:file0 tls:file1 | pw_v2 tls"},
		{"one of the manifest's own", []swarm.Secret{made(First("shop_prod", "pw"), convert.LabelNamespace+"=x", labelVersion+"=7")}, "pw:file0 tls:file1 | pw tls"},
	} {
		given := stack("pw", "tls")
		if got := names(Resolve(given, c.all)); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
		if names(given) != "pw:file0 tls:file1 | pw tls" {
			t.Errorf("%s: what was given has changed: %s", c.what, names(given))
		}
	}
	if got := names(Resolve(stack("pw_v2"), []swarm.Secret{v2, v3})); got != "pw_v2:file0 | pw_v2" {
		t.Errorf("a version that the manifest names itself became %s", got)
	}
}

func TestAReleaseThatIsBroughtBackHasItsSecretsUnlessADatabaseHasLaterOnes(t *testing.T) {
	v2 := func() swarm.SecretSpec { return Next([]swarm.Secret{foreign("pw")}, "shop_prod", "pw") }
	v3 := func() swarm.SecretSpec { return Next([]swarm.Secret{made(v2())}, "shop_prod", "pw") }
	for _, c := range []struct {
		what, has string
		all       []swarm.Secret
		want      string
	}{
		{"a certificate", "pw", []swarm.Secret{foreign("pw"), made(v2()), made(v3())}, "pw:file0 | pw"},
		{"a password", "pw", []swarm.Secret{foreign("pw"), made(v2()), made(v3(), told)}, "pw_v3:file0 | pw_v3"},
		{"a password that is gone", "pw", []swarm.Secret{made(v3(), told)}, "pw_v3:file0 | pw_v3"},
		{"a version that is gone", "pw_v2", []swarm.Secret{made(v3(), told)}, "pw_v3:file0 | pw_v3"},
		{"the version that the database has", "pw_v3", []swarm.Secret{made(v3(), told)}, "pw_v3:file0 | pw_v3"},
	} {
		if got := names(Again(stack(c.has), c.all)); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	if got := names(With(stack("pw_v2", "tls"), []swarm.Secret{made(v3()), foreign("tls")}, "pw", "pw_v4")); got != "pw_v4:file0 tls:file1 | pw_v4 tls" {
		t.Errorf("with another version it is %s", got)
	}
}

func uses(name string, secrets ...string) swarm.Service {
	c := &swarm.ContainerSpec{}
	for _, n := range secrets {
		c.Secrets = append(c.Secrets, &swarm.SecretReference{SecretName: n, SecretID: "id-" + n, File: &swarm.SecretReferenceFileTarget{Name: n}})
	}
	return swarm.Service{Spec: swarm.ServiceSpec{Annotations: swarm.Annotations{Name: name}, TaskTemplate: swarm.TaskSpec{ContainerSpec: c}}}
}

func TestUnused(t *testing.T) {
	v2 := func() swarm.SecretSpec { return Next([]swarm.Secret{foreign("pw")}, "shop_prod", "pw") }
	kept := []release.Entry{{Record: release.Record{Number: 1, Want: stack("pw")}}}
	previous := uses("shop_prod_app", "pw_v2")
	before := uses("shop_prod_app", "pw").Spec
	previous.PreviousSpec = &before
	for _, c := range []struct {
		what     string
		secrets  []swarm.Secret
		services []swarm.Service
		kept     []release.Entry
		stack    string
		want     string
	}{
		{"replaced and unused", []swarm.Secret{foreign("pw"), made(v2())}, []swarm.Service{uses("a", "pw_v2")}, nil, "shop_prod", "pw"},
		{"of another stack", []swarm.Secret{foreign("pw"), made(v2())}, nil, nil, "shop_dev", ""},
		{"never replaced", []swarm.Secret{foreign("pw")}, nil, nil, "shop_prod", ""},
		{"used by another stack's service", []swarm.Secret{foreign("pw"), made(v2())}, []swarm.Service{uses("shop_dev_a", "pw")}, nil, "shop_prod", ""},
		{"recorded by a kept release", []swarm.Secret{foreign("pw"), made(v2())}, nil, kept, "shop_prod", ""},
		{"what a service would go back to", []swarm.Secret{foreign("pw"), made(v2())}, []swarm.Service{previous}, nil, "shop_prod", ""},
		{"no database takes it any more", []swarm.Secret{foreign("pw"), made(v2(), told)}, []swarm.Service{previous}, kept, "shop_prod", "pw"},
		{"a database has another, and a service has not", []swarm.Secret{foreign("pw"), made(v2(), told)}, []swarm.Service{uses("a", "pw")}, kept, "shop_prod", ""},
		{"left by a broken-off rotation", []swarm.Secret{foreign("pw"), made(v2(), pending)}, []swarm.Service{uses("a", "pw")}, kept, "shop_prod", "pw_v2"},
		{"pending for another stack", []swarm.Secret{made(First("shop_dev", "pw")), made(v2(), pending)}, nil, nil, "shop_dev", ""},
		{"the manifest's own", []swarm.Secret{made(First("shop_prod", "pw"), convert.LabelNamespace+"=shop_prod"), made(v2())}, nil, nil, "shop_prod", ""},
	} {
		var got []string
		for _, v := range Unused(&live.State{Secrets: c.secrets, Services: c.services}, c.stack, c.kept) {
			got = append(got, v.Name)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %q", c.what, got, c.want)
		}
	}
}

func TestDatabases(t *testing.T) {
	service := func(name, image string, env ...string) swarm.Service {
		s := uses(name, "pw")
		s.Spec.TaskTemplate.ContainerSpec.Image, s.Spec.TaskTemplate.ContainerSpec.Env = image, env
		return s
	}
	all := []swarm.Secret{foreign("pw")}
	for _, c := range []struct {
		what     string
		services []swarm.Service
		want     string
	}{
		{"by image", []swarm.Service{service("app", "registry.example.com/shop/backend:1"), service("db", "postgres:16.3-alpine@sha256:"+strings.Repeat("a", 64))}, "db"},
		{"a mirror's image", []swarm.Service{service("db", "mirror.example.com:5000/library/mariadb:11")}, "db"},
		{"beside a tool of its name", []swarm.Service{service("exporter", "prometheuscommunity/postgres-exporter:v1")}, ""},
		{"an image of one's own, by variable", []swarm.Service{service("db", "shop/database:1", "MYSQL_ROOT_PASSWORD_FILE=/run/secrets/pw"), service("app", "shop/app:1", "DB_PASS_FILE=/run/secrets/pw")}, "db"},
		{"the image counts first", []swarm.Service{service("app", "shop/app:1", "POSTGRES_PASSWORD_FILE=/run/secrets/pw"), service("db", "postgres:16")}, "db"},
		{"another file", []swarm.Service{service("app", "shop/app:1", "POSTGRES_PASSWORD_FILE=/run/secrets/other")}, ""},
	} {
		var got []string
		for _, u := range Databases(Users(c.services, all, "pw")) {
			got = append(got, u.Service)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %q", c.what, got, c.want)
		}
	}
}

func TestFits(t *testing.T) {
	for n, fits := range map[int]bool{0: false, 1: true, Limit - 1: true, Limit: false} {
		if err := Fits(secret.New(strings.Repeat("x", n))); (err == nil) != fits {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// What a command writes may have the value in it, whole or a line of it.
func TestClean(t *testing.T) {
	for _, c := range []struct{ text, value, want string }{
		{"ERROR near $pw$c4n4ry$pw$\x1b[31m", "c4n4ry", "ERROR near $pw$***$pw$·[31m"},
		{"line 2: second c4n4ry", "first\nsecond c4n4ry\n", "line 2: ***"},
		{strings.Repeat("x", 16<<10-9) + "\nend c4n4r", "c4n4ry", strings.Repeat("x", 16<<10-9)},
	} {
		if got := clean(c.text, secret.New(c.value)); got != c.want {
			t.Errorf("%.40q became %.60q, want %.60q", c.text, got, c.want)
		}
	}
}
