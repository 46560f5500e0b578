#!/bin/sh
# Makes a throwaway root with the inits and supervisors that Debian has, if it is not there yet: root.sh SUITE FOLDER
# Nothing of it is ever installed on this machine, and no script of a package runs.
set -eu
here=$(dirname "$0")
suite=$1
root=$2

[ "$(id -u)" = 0 ] && command -v mmdebstrap >/dev/null || {
    echo "conformance: only root can make the root, with mmdebstrap. Type: apt-get install mmdebstrap" >&2
    exit 1
}
if [ ! -e "$root/.made" ]; then
    rm -rf --one-file-system "$root"
    mkdir -p "${root%/*}"
    mmdebstrap --quiet --mode=root --variant=extract --include="$(tr '\n' , <"$here/packages.txt")" \
        "$suite" "$root"
    touch "$root/.made"
fi
chmod 755 "$root"
mkdir -p "$root/etc/conformance"
cp -p "$here"/etc/* "$root/etc/conformance/"
echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
echo 'root:x:0:' >"$root/etc/group"
ln -sf /tmp/inittab "$root/etc/inittab"
ln -sf /tmp/finit.conf "$root/etc/finit.conf"
cp -p "$here/etc/openrc" "$root/sbin/openrc"
mkdir -p "$root/etc/runit"
for stage in 1 3; do printf '#!/bin/sh\n' >"$root/etc/runit/$stage"; done
printf '#!/bin/sh\nexec runsvdir -P /tmp/services\n' >"$root/etc/runit/2"
chmod 755 "$root/etc/runit/"[123]
