#!/bin/sh
# As the official image: a first start makes a cluster for POSTGRES_USER, POSTGRES_PASSWORD
# and POSTGRES_DB (each may be given as …_FILE), runs /docker-entrypoint-initdb.d, and the
# server is run by the user postgres.
set -eu

from_file() { # from_file NAME: takes the value of NAME from the file that NAME_FILE names
    eval "value=\${$1:-} file=\${$1_FILE:-}"
    if [ -n "$value" ] && [ -n "$file" ]; then
        echo "error: both $1 and $1_FILE are set (but are exclusive)" >&2
        exit 1
    fi
    [ -z "$file" ] || value=$(cat "$file")
    export "$1=$value"
    unset "$1_FILE"
}

[ "${1#-}" = "$1" ] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"

# Still as root, since a secret may be readable to root alone.
from_file POSTGRES_PASSWORD
from_file POSTGRES_USER
from_file POSTGRES_DB

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chown -R postgres: "$PGDATA" /var/run/postgresql
    chmod 0700 "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
    if [ -z "$POSTGRES_PASSWORD" ] && [ "$method" != trust ]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        echo "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser." >&2
        exit 1
    fi
    printf '%s\n' "$POSTGRES_PASSWORD" >"$PGDATA.password"
    # shellcheck disable=SC2086 # several arguments
    initdb --username="$user" --pwfile="$PGDATA.password" --auth-local=trust --auth-host=trust --no-sync ${POSTGRES_INITDB_ARGS:-}
    rm "$PGDATA.password"
    echo "host all all all $method" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    pg_ctl --wait --options="-c listen_addresses=''" start
    if [ "$database" != postgres ]; then
        createdb --username="$user" --maintenance-db=postgres "$database"
    fi
    for script in /docker-entrypoint-initdb.d/*; do
        case $script in
        *.sh) . "$script" ;;
        *.sql) psql --set=ON_ERROR_STOP=1 --username="$user" --dbname="$database" --file="$script" ;;
        esac
    done
    pg_ctl --mode=fast --wait stop
    echo "PostgreSQL init process complete; ready for start up."
fi
exec "$@"
