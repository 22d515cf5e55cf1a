#!/bin/sh
# The version is the variable VERSION of the image, which nginx itself cannot read.
printf '{"name":"frontend","version":"%s"}\n' "${VERSION:-dev}" >/tmp/version.json
