#!/bin/bash
# Boots systemd as PID 1 of namespaces, in a throwaway root, without touching the machine.
#
#   boot.sh ROOT LAB [ARGUMENT...]    ROOT stays as it is; the folder LAB is /lab inside
#
# Only root can do this. Whoever changes a line here may change the machine: systemd believes that it owns what it finds.
#   - A cgroup (v2) of its own comes first, then `unshare --cgroup`: so the root of what it sees is ours, and goes with it.
#   - /proc/sys is read-only. systemd-sysctl, and PID 1 itself, write fs.* and kernel.* there, which have no namespace.
#   - No capability for the clock, modules, reboot(2), the kernel's log, MAC rules or raw I/O.
#   - Units that would load modules, set sysctls, mount or listen to devices are masked.
# SIGTERM ends this script and everybody in there (--kill-child), and removes the cgroup.
set -u
root=$1
lab=$2
shift 2

cgroups=/sys/fs/cgroup/unified # where v1 and v2 are both mounted
[ -d $cgroups ] || cgroups=/sys/fs/cgroup
grep -qs " $cgroups cgroup2 " /proc/mounts || {
    echo "boot: no cgroup v2 at $cgroups; in v1 systemd would write into the machine's own cgroup" >&2
    exit 90
}
mine=$cgroups/forklab-oracle-$$
mkdir "$mine" && echo $$ >"$mine/cgroup.procs" || exit 90
# shellcheck disable=SC2154 # try
trap '[ -z "${inside:-}" ] || { disown "$inside" && kill -KILL "$inside"; } # bash is not to tell of it
    echo 0 >$cgroups/cgroup.procs
    for try in $(seq 100); do # whoever was in there may be long about dying, on a busy machine
        find "$mine" -depth -type d -exec rmdir {} + 2>/dev/null
        [ -d "$mine" ] || break
        sleep 0.2
    done' EXIT
trap 'exit 143' TERM

# shellcheck disable=SC2016 # its arguments are for the shell within
unshare --pid --mount --uts --ipc --cgroup --net --fork --kill-child --propagation private bash -c '
    lower=$1 lab=$2
    shift 2
    mount -t tmpfs -o mode=755 tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root &&
        mount -t overlay overlay -o "lowerdir=$lower,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root || exit 91
    root=/mnt/root
    mount -t proc proc $root/proc &&
        mount --bind $root/proc/sys $root/proc/sys && mount -o remount,bind,ro $root/proc/sys || exit 92
    [ ! -e $root/proc/sysrq-trigger ] || mount --bind /dev/null $root/proc/sysrq-trigger || exit 92
    mount -t sysfs -o ro sysfs $root/sys && mount -t cgroup2 cgroup2 $root/sys/fs/cgroup || exit 93
    mount -t tmpfs -o mode=755 tmpfs $root/run && mount -t tmpfs tmpfs $root/tmp && mkdir -p $root/run/lock $root/lab &&
        mount --bind "$lab" $root/lab || exit 94
    mount -t tmpfs -o mode=755 tmpfs $root/dev && mkdir $root/dev/pts $root/dev/shm || exit 95
    # Devices of its own, not those of the machine: systemd takes its console for a terminal, and gives it to root alone.
    for device in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0" "console 1 3"; do
        mknod -m 666 $root/dev/${device%% *} c ${device#* } || exit 95
    done
    ln -s /proc/self/fd $root/dev/fd
    for unit in systemd-sysctl.service systemd-modules-load.service systemd-remount-fs.service systemd-binfmt.service \
        systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
        systemd-timesyncd.service systemd-random-seed.service systemd-pstore.service systemd-oomd.service \
        proc-sys-fs-binfmt_misc.automount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
        sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount kmod-static-nodes.service modprobe@.service; do
        ln -sf /dev/null $root/etc/systemd/system/$unit
    done
    cd $root && mkdir -p mnt/outside && pivot_root . mnt/outside && umount -l /mnt/outside && cd / || exit 96
    [ ! -w /proc/sys/kernel/hostname ] || exit 97 # access(2) knows of read-only mounts
    exec setpriv --bounding-set=-sys_time,-sys_module,-sys_boot,-syslog,-mac_admin,-sys_rawio \
        env -i container=forklab PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd "$@"
' boot "$root" "$lab" "$@" </dev/null &
inside=$!
wait "$inside"
inside=
