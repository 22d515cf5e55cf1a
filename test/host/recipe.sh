# Runs in the root filesystem of a bare host, once its packages are installed.
rm -f /etc/ssh/ssh_host_*
useradd --create-home --shell /bin/bash --password '*' admin
useradd --create-home --shell /bin/bash clerk
echo 'clerk:s3cret of the clerk' | chpasswd
printf 'admin ALL=(ALL) NOPASSWD: ALL\nclerk ALL=(ALL) ALL\n' > /etc/sudoers.d/admins
chmod 440 /etc/sudoers.d/admins
# What no test looks at, and what takes time at boot.
systemctl mask -q apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer systemd-tmpfiles-clean.timer \
	getty.target console-getty.service systemd-networkd.service systemd-resolved.service systemd-journal-flush.service \
	systemd-firstboot.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-logind.service e2scrub_reap.service
systemctl enable -q ssh.service
# A container's control groups are there to be read alone, where the kernel has version 1; a host's are its own.
cat > /etc/systemd/system/own-cgroups.service <<'END'
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'for tree in /sys/fs/cgroup/*; do if mountpoint -q "$tree"; then mount -o remount,rw,bind "$tree"; fi; done'
[Install]
WantedBy=sysinit.target
END
systemctl enable -q own-cgroups.service
: > /etc/machine-id
# The disk is thrown away with the test.
echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/test
# The host's only source of packages: those that mmdebstrap's apt has fetched, with an index.
mkdir -p /srv/apt
mv /var/cache/apt/archives/*.deb /srv/apt/
cd /srv/apt
for deb in *.deb; do
	dpkg-deb -f "$deb"
	printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done > Packages
rm -rf /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/99mmdebstrap /var/lib/apt/lists/* /var/log/*.log /var/log/apt
echo 'deb [trusted=yes] file:/srv/apt ./' > /etc/apt/sources.list
