#!/bin/sh
# Runs both commands of the README in throwaway roots of Debian's releases, and prints a table of what came of it.
#
#   scripts/roots.sh [SUITE...]    default: bookworm trixie testing docker
#
# FLAGS go to pytest there, as in `make test FLAGS=...`; with GRADE=no it does without `make grade`. MIRROR is where the
# packages come from, if not from where mmdebstrap has them; with STALE=yes its lists may have expired, as a snapshot's.
#
# `docker` is trixie once more, with no more rights than Docker's containers have by default (scripts/as_in_docker.py).
# A root is as bare as the README promises, python3, make and git, and it is for what is committed. It stands in
# build/roots while it is needed. What is mounted in it, and who runs in it, lives in namespaces of its own: whatever
# ends this script, nothing is left but files. What this machine says of package registries and certificates goes along
# in the environment.
set -u
cd "$(dirname "$0")/.."

folder=$(pwd -P)/build/roots
certificates=/etc/ssl/certs/ca-certificates.crt
limit=7200 # seconds, for one command
filter=/usr/share/gocode/src/github.com/docker/docker/profiles/seccomp/default.json # in golang-github-docker-docker-dev

main() {
    [ "$(id -u)" = 0 ] || stop "only root can make a root. Type: sudo make roots"
    command -v mmdebstrap >/dev/null || stop "there is no mmdebstrap here. Type: apt-get install mmdebstrap"
    [ $# -gt 0 ] || set -- bookworm trixie testing docker
    mkdir -p "$folder"
    trap 'remove "$@"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    table=$(row release glibc Python 'make grade' 'make test')
    failed=0
    for suite in "$@"; do
        report "$suite" || failed=1
        remove "$suite"
    done
    printf '%s\n' "$table"
    exit "$failed"
}

say() {
    printf 'roots: %s\n' "$*" >&2
}

stop() {
    say "$@"
    exit 1
}

row() {
    printf '%-10s %-6s %-8s %-24s %s' "$@"
}

# Adds a line to the table; its status is whether all went well.
report() {
    suite=$1 root=$folder/$1 release=$1 more='' hook=''
    if [ "$suite" = docker ]; then
        # The package alone: what it depends on is Go's.
        release=trixie more=,python3-seccomp hook="chroot \"\$1\" sh -ec 'cd /tmp; apt-get download golang-github-docker-docker-dev
            dpkg-deb --fsys-tarfile golang-*.deb | tar -xO .$filter >/root/filter.json; rm golang-*.deb'"
    fi
    say "making a root of $suite"
    # It mounts a /proc there, which must be gone with it.
    unshare --mount --propagation private mmdebstrap --quiet --mode=root --variant=apt --include="ca-certificates,git,make,python3$more" \
        ${STALE:+--aptopt='Acquire::Check-Valid-Until "false"'} ${hook:+--customize-hook="$hook"} "$release" "$root" ${MIRROR:+"$MIRROR"} >"$folder/$suite-root.log" 2>&1 || {
        table="$table
$(row "$suite" - - "no root: see $folder/$suite-root.log" "")"
        return 1
    }
    git clone --quiet --no-hardlinks . "$root/root/forklab"
    grade=- test=- status=0
    [ "${GRADE:-}" = no ] || grade=$(timed "$suite" grade) || status=1
    test=$(timed "$suite" test) || status=1
    table="$table
$(row "$suite" "$(within "$root" 'ldd --version | sed -n "1s/.* //p"')" \
        "$(within "$root" 'python3 -c "import platform; print(platform.python_version())"')" "$grade" "$test")"
    return $status
}

# Says how it went, and how long it took.
timed() {
    log=$folder/$1-$2.log
    say "make $2 in $1: see $log"
    began=$(date +%s)
    # shellcheck disable=SC2016 # $FLAGS is for the shell within
    as=
    [ "$1" != docker ] || as="/usr/bin/python3 scripts/as_in_docker.py /root/filter.json "
    within "$folder/$1" "cd /root/forklab && ${as}make $2"' FLAGS="$FLAGS"' "$([ "$2" = grade ] || echo "${FLAGS:-}")" >"$log" 2>&1
    ended=$?
    result=$([ $ended = 0 ] && echo ok || echo "failed ($ended)")
    counts=$(grep -aE '^=*.*(passed|failed|error).* in [0-9.]+' "$log" | tail -1 | sed 's/=//g; s/ in .*//; s/^ *//')
    printf '%s, %s s%s' "$result" "$(($(date +%s) - began))" "${counts:+: $counts}"
    return $ended
}

# within ROOT COMMAND [FLAGS]: PID 1 of its namespace; when that ends, everybody has.
within() {
    # shellcheck disable=SC2016 # $1 is for the shell within
    timeout --signal=KILL $limit unshare --mount --pid --fork --kill-child --propagation private sh -c '
        mount --bind "$1" "$1" && mount --rbind /dev "$1/dev" && mount --rbind /sys "$1/sys" &&
            mount -t proc proc "$1/proc" && mount -t tmpfs tmpfs "$1/tmp" && cd "$1" && mkdir -p .outside || exit
        [ ! -e "$2" ] || mount --bind "$2" "$1/$2"
        command=$3 flags=$4
        shift 4
        # Not chroot(2): whoever is in one gets no user namespace. A bare root has no umount(8); 2 is MNT_DETACH.
        leave="import ctypes; ctypes.CDLL(None).umount2(b\"/.outside\", 2)"
        pivot_root . .outside && python3 -c "$leave" && exec env -i "$@" FLAGS="$flags" sh -c "$command"' \
        within "$1" "$certificates" "$2" "${3:-}" HOME=/root LANG=C.UTF-8 TERM=dumb \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin $(registries) <"/dev/null"
}

# What pip and uv are told here, one NAME=VALUE a word; but for what lies in files of this machine.
registries() {
    {
        env | grep -E '^(UV_[A-Z_]*|PIP_[A-Z_]*|SSL_CERT_FILE|(https?|all|no)_proxy|(HTTPS?|ALL|NO)_PROXY)='
        python3 -m pip config list 2>/dev/null | sed -n "s/^global\.\([a-z-]*\)='\(.*\)'$/\1 \2/p" |
            while read -r key value; do
                [ "$key" != index-url ] || echo "UV_DEFAULT_INDEX=$value"
                echo "PIP_$(echo "$key" | tr a-z- A-Z_)=$value"
            done
    } | grep -vE '^PIP_(FIND_LINKS|CONSTRAINT|[A-Z_]*INDEX_URL=file:)' | grep -v '[[:space:]]'
}

remove() {
    for suite in "$@"; do
        rm -rf --one-file-system "${folder:?}/$suite"
    done
}

main "$@"
