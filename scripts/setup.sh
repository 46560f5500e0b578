#!/bin/sh
# Makes the Python environment that every target of the Makefile uses.
#
#   scripts/setup.sh ENVIRONMENT base    what grading needs, and what the system lacks
#   scripts/setup.sh ENVIRONMENT all     the same, and what notebooks and tests need
#   scripts/setup.sh ENVIRONMENT transparency    CPython's own tests, as the system has them, and no more
#
# ENVIRONMENT is `.venv`, or the folder of the active conda environment. PYTHON3 names another Python than
# `python3`; WITHOUT_BUBBLEWRAP=1 goes on where bubblewrap can't be installed.
#
# It may be interrupted at any moment and called again: a .venv that was left unfinished is made anew, and the Makefile
# writes its stamp after the last part only.
set -eu
umask 022 # a submission's sandbox may run as another user, and reads what is here
cd "$(dirname "$0")/.."

environment=$1
wanted=$2
base_python=${PYTHON3:-python3}
stray=$(mktemp -d)
trap 'rm -rf "$stray"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

main() {
    refuse_other_systems
    if [ "$wanted" = transparency ]; then
        install_system_packages "$(missing_tests_of_python)"
        return
    fi
    if is_conda; then
        require_python "$environment/bin/python"
        install_system_packages ""
    else
        require_python "$base_python"
        install_system_packages "$(missing_venv_package)"
        make_environment
    fi
    install_uv
    case $wanted in
        base) install_python_packages --compile-bytecode ;;
        all) install_python_packages --extra notebook --extra cluster --extra fuzz --extra test ;;
        *) stop "the second argument is 'base' or 'all', not '$wanted'" ;;
    esac
    compile_our_own
    rm -f "$environment/.unfinished"
}

say() {
    printf 'forklab set-up: %s\n' "$*" >&2
}

stop() {
    say "$@"
    exit 1
}

is_conda() {
    [ "$environment" != .venv ]
}

refuse_other_systems() {
    system=$(uname -s)
    [ "$system" = Linux ] || stop "this is $system, and forklab judges processes through the Linux kernel.
  Run it in Linux: WSL2 on Windows (wsl --install), or a container or a virtual machine.
  The folder .devcontainer holds a container that editors with Dev Containers open by themselves."
}

require_python() {
    command -v "$1" >"$stray/which" || stop "there is no $1 here. forklab needs Python 3.11 or newer.
  On Debian or Ubuntu type: apt-get install python3"
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || stop "$1 is $("$1" --version 2>&1).
  forklab needs Python 3.11 or newer. If another one is installed, name it, for example:
    make setup PYTHON3=/usr/bin/python3.12"
}

# --- what the system lacks ---------------------------------------------------------------------------------------

install_system_packages() {
    lacking=$1
    has_c_compiler || lacking="$lacking gcc libc6-dev"
    [ -n "${WITHOUT_BUBBLEWRAP:-}" ] || command -v bwrap >"$stray/which" || lacking="$lacking bubblewrap"
    # shellcheck disable=SC2086 # a list of words, on purpose
    set -- $lacking
    [ $# -gt 0 ] || return 0

    if ! command -v apt-get >"$stray/which"; then
        stop "this machine lacks: $*
  These are Debian's names. Install their like with your system's own package manager, then make again."
    elif [ "$(id -u)" = 0 ]; then
        install_with_apt "" "$@"
    elif sudo -n true 2>"$stray/why"; then
        install_with_apt "sudo -n" "$@"
    else
        stop "this machine lacks: $*
  Type this, then make again:
    sudo sh -c 'apt-get update && apt-get install -y $*'$(way_around_bubblewrap "$@")"
    fi
}

install_with_apt() {
    as_root=$1
    shift
    say "installing with apt: $*"
    # The index may be stale or absent on a fresh machine; one broken third-party source should not stop us here.
    # shellcheck disable=SC2086 # empty, or two words
    $as_root apt-get -qq update || say "apt-get update had trouble; going on"
    # A new machine often updates itself just then, and holds the lock.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" >"$stray/apt.log" 2>&1 || {
        cat "$stray/apt.log" >&2
        stop "apt could not install: $*"
    }
}

# A program from stdio.h to the linker: a compiler without the C library's headers is of no use.
has_c_compiler() {
    printf '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n' >"$stray/probe.c"
    ${CC:-cc} "$stray/probe.c" -o "$stray/probe" 2>"$stray/why"
}

# Debian and Ubuntu keep the half of `venv` that brings pip in a package of its own, one for each Python.
missing_venv_package() {
    "$base_python" -c 'import ensurepip, venv' 2>"$stray/why" ||
        "$base_python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])'
}

# Debian keeps CPython's tests out of the way, for the system's own Python.
missing_tests_of_python() {
    /usr/bin/python3 -c 'import test.test_subprocess' 2>"$stray/why" ||
        /usr/bin/python3 -c 'import sys; print("libpython3.%d-testsuite" % sys.version_info[1])'
}

way_around_bubblewrap() {
    [ "$*" != bubblewrap ] || printf '\n%s\n    %s' \
        "  Without root's help, go on without it; a submission is then judged as a subreaper, never as PID 1:" \
        "make setup WITHOUT_BUBBLEWRAP=1"
}

# --- what Python needs -------------------------------------------------------------------------------------------

make_environment() {
    is_whole || {
        say "making $environment with $("$base_python" --version)"
        rm -rf "$environment"
        mkdir "$environment"
        touch "$environment/.unfinished"
        "$base_python" -m venv "$environment" || stop "'$base_python -m venv $environment' failed, see above"
    }
    touch "$environment/.unfinished"
}

# No earlier call was cut off in the middle, its Python runs (the system's may have been replaced since), and it was
# made here: scripts in an environment hold its full path, so that a moved folder needs a new one.
is_whole() {
    [ -e "$environment/bin/activate" ] && [ ! -e "$environment/.unfinished" ] &&
        "$environment/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>"$stray/why" &&
        grep -qF "$(pwd -P)/$environment" "$environment/bin/activate"
}

install_uv() {
    has_uv && return
    say "fetching uv"
    "$environment/bin/python" -m pip --version >"$stray/pip" 2>&1 ||
        "$environment/bin/python" -m ensurepip >"$stray/pip"
    locked_uv >"$stray/uv.txt"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
        --only-binary :all: -r "$stray/uv.txt"
}

has_uv() {
    [ -x "$environment/bin/uv" ] || return 1
    is_conda || locked_uv | grep -q "^uv==$("$environment/bin/uv" --version | cut -d ' ' -f 2) "
}

locked_uv() {
    sed -n '/^uv==/,/^    # via/p' requirements.lock
}

# The lock gives each version with its hashes; pyproject.toml says which of them this environment wants. In a conda
# environment the packages that conda has installed stay: pyproject's ranges are the measure there.
install_python_packages() {
    trust_the_certificates_of_this_machine
    export UV_PYTHON_DOWNLOADS=never
    if is_conda; then
        install_with_uv -r pyproject.toml "$@"
    else
        install_with_uv --require-hashes -c requirements.lock -r pyproject.toml "$@"
    fi
    install_with_uv --no-deps --editable . # built by uv itself: nothing is fetched
}

# As an installed package is. Where nobody may write beside the sources (PYTHONDONTWRITEBYTECODE, another user), each start
# of a command would compile all that it loads, and take twice as long. A source that has changed since is compiled anew.
compile_our_own() {
    "$environment/bin/python" -m compileall -q forklab autograder
}

install_with_uv() {
    "$environment/bin/uv" pip install --quiet --python "$environment/bin/python" "$@"
}

# Where a school or a company inspects what goes over the net, the machine knows certificates that uv does not bring.
trust_the_certificates_of_this_machine() {
    if [ -e /etc/ssl/certs/ca-certificates.crt ] || [ -e /etc/pki/tls/certs/ca-bundle.crt ]; then
        export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
    fi
}

main
