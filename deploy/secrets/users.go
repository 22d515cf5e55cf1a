package secrets

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/swarm"

	"slipway/deploy/convert"
)

// User is a service that has a secret in its containers.
type User struct {
	Service string `json:"service"` // its name in the Swarm
	Stack   string `json:"stack,omitempty"`
	Version string `json:"secret"` // the secret's name in the Swarm
	Path    string `json:"path"`   // in the container

	image, variable bool
}

// Key is the service's name in its manifest.
func (u User) Key() string { return strings.TrimPrefix(u.Service, u.Stack+"_") }

// Users are the services that use any version of a secret, by name.
func Users(services []swarm.Service, all []swarm.Secret, base string) (out []User) {
	for _, s := range services {
		c := s.Spec.TaskTemplate.ContainerSpec
		if c == nil {
			continue
		}
		for _, r := range c.Secrets {
			if of, _ := family(all, r.SecretName); of != base {
				continue
			}
			u := User{Service: s.Spec.Name, Stack: s.Spec.Labels[convert.LabelNamespace], Version: r.SecretName, Path: target(r)}
			if !path.IsAbs(u.Path) {
				u.Path = "/run/secrets/" + u.Path
			}
			u.image, u.variable = databaseImage(c.Image), databaseVariable(c.Env, u.Path)
			out = append(out, u)
		}
	}
	return out
}

// Databases are those users that read the secret when they initialise their data, and never
// again. Who has a database's image is one; where nobody has, whoever takes the secret as such
// an image would.
func Databases(users []User) []User {
	for _, is := range []func(User) bool{func(u User) bool { return u.image }, func(u User) bool { return u.variable }} {
		if out := slices.DeleteFunc(slices.Clone(users), func(u User) bool { return !is(u) }); len(out) > 0 {
			return out
		}
	}
	return nil
}

// databaseImages are last parts of image names, as published by the databases and their
// better known packagers.
var databaseImages = []string{
	"postgres", "postgresql", "postgis", "pgvector", "timescaledb", "timescaledb-ha",
	"mysql", "mysql-server", "mariadb", "percona", "percona-server", "mongo", "mongodb",
}

func databaseImage(image string) bool {
	named, err := reference.ParseNormalizedNamed(image)
	return err == nil && slices.Contains(databaseImages, path.Base(named.Name()))
}

// databaseFile is how the images of databases are told where their passwords are.
var databaseFile = regexp.MustCompile(`^(POSTGRES|POSTGRESQL|MYSQL|MARIADB|MONGO|MONGODB)_(.+_)?PASSWORD_FILE$`)

func databaseVariable(env []string, file string) bool {
	return slices.ContainsFunc(env, func(e string) bool {
		k, v, _ := strings.Cut(e, "=")
		return v == file && databaseFile.MatchString(k)
	})
}
