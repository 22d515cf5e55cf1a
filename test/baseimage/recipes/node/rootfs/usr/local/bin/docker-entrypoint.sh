#!/bin/sh
# As the official image: an option, or what is no command, is for node.
set -e
if [ "${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ]; then
    set -- node "$@"
fi
exec "$@"
