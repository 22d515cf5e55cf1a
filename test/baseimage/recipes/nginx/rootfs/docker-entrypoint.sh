#!/bin/sh
# As the official image: what is in /docker-entrypoint.d runs first.
set -e
for script in /docker-entrypoint.d/*.sh; do
    [ ! -x "$script" ] || "$script"
done
exec "$@"
