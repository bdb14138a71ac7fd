#!/bin/sh
# Installs the system's tools that some tests need and skip without: CI shall never lose those tests by the way.
# Does nothing where all are here; without apt-get, the right or the network it says what is skipped, and goes on.
set -u
PATH="$PATH:/usr/sbin:/sbin"

# tool:package, as Debian and Ubuntu name them
tools="ffmpeg:ffmpeg openssl:openssl nginx:nginx-light dbus-daemon:dbus-daemon setpriv:util-linux mount:mount"

missing() {
    for pair in $tools; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || echo "$pair"
    done
}

[ -z "$(missing)" ] && exit 0
as_root=""
[ "$(id -u)" -eq 0 ] || as_root="sudo -n "
if command -v apt-get >/dev/null 2>&1 && ${as_root}true 2>/dev/null; then
    echo "==> ${as_root}apt-get update"
    timeout 120 ${as_root}apt-get update -qq || echo "The package lists could not be refreshed; going on with those here."
    for pair in $(missing); do
        echo "==> ${as_root}apt-get install ${pair#*:}"
        # Run level 1: an installed server (nginx) shall not start and take a port.
        timeout 300 ${as_root}env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
            apt-get install -qq -y --no-install-recommends "${pair#*:}" >/dev/null || echo "That did not work."
    done
fi
for pair in $(missing); do
    echo "WARNING: no ${pair%%:*} (package ${pair#*:}): the tests that need it are skipped." >&2
done
exit 0
