// Registryd is the image registry of dev:up: CNCF distribution, in a container of the Docker whose
// Swarm it serves. It listens on port 5000 and keeps images in /data. Whoever reaches the port
// may push: dev:up publishes it on 127.0.0.1 alone.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // by its name, below
)

func main() {
	config := &configuration.Configuration{Storage: configuration.Storage{
		"filesystem": configuration.Parameters{"rootdirectory": "/data"},
	}}
	config.HTTP.Secret = "signs the state of uploads; there is one registry, and nobody to hide it from"
	config.Catalog.MaxEntries = 1000
	config.Log.Level = "warn"
	server := &http.Server{Addr: ":5000", Handler: handlers.NewApp(context.Background(), config), ReadHeaderTimeout: time.Minute}
	fmt.Fprintln(os.Stderr, server.ListenAndServe())
	os.Exit(1)
}
