ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/ 2>/dev/null || true # some have a link already
mkdir -p /docker-entrypoint-initdb.d
rm -rf /var/lib/postgresql/* /etc/postgresql/*
install -d -o postgres -g postgres -m 1777 /var/lib/postgresql/data
