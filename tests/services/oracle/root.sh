#!/bin/sh
# Makes a throwaway root with real systemd, if it is not there yet: root.sh SUITE FOLDER
set -eu
suite=$1
root=$2

[ "$(id -u)" = 0 ] || {
    echo "oracle: only root can boot systemd. Type: sudo make oracle" >&2
    exit 1
}
command -v mmdebstrap >/dev/null || {
    echo "oracle: there is no mmdebstrap here. Type: apt-get install mmdebstrap" >&2
    exit 1
}
[ ! -e "$root/.made" ] || exit 0
rm -rf --one-file-system "$root"
mkdir -p "${root%/*}"
# It mounts a /proc there, which must be gone with it.
unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant=minbase \
    --include=systemd,dbus,procps "$suite" "$root"
touch "$root/.made"
