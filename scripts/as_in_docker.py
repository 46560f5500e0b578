"""Runs a command with no more rights than Docker's containers have by default: `as_in_docker.py PROFILE COMMAND...`

PROFILE is the filter of system calls as Docker has it (default.json of moby/profiles/seccomp). Root keeps Docker's
fourteen capabilities, and no more. It needs libseccomp's Python (Debian: python3-seccomp) and setpriv(1).

A rule of the profile counts where all that its `includes` ask for is here, and nothing that its `excludes` name.
"""

import json
import os
import platform
import sys

import seccomp  # type: ignore[import-not-found]

GRANTED = """
    CAP_AUDIT_WRITE CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_MKNOD
    CAP_NET_BIND_SERVICE CAP_NET_RAW CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYS_CHROOT
"""
CAPABILITIES = frozenset(GRANTED.split())
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
UNKNOWN = -1  # what libseccomp says to the name of a call that it does not know


def counts(rule: dict) -> bool:
    needed, refused = rule.get("includes", {}), rule.get("excludes", {})
    return (
        CAPABILITIES.issuperset(needed.get("caps", ()))
        and ARCHITECTURE in needed.get("arches", [ARCHITECTURE])
        and kernel(needed.get("minKernel", "0.0")) <= kernel(platform.release())
        and CAPABILITIES.isdisjoint(refused.get("caps", ()))
        and ARCHITECTURE not in refused.get("arches", ())
    )


def kernel(release: str) -> tuple[int, int]:
    major, minor = release.split(".")[:2]
    return int(major), int(minor)


def action(name: str, errno: int) -> int:
    return seccomp.ALLOW if name == "SCMP_ACT_ALLOW" else seccomp.ERRNO(errno)


def comparison(arg: dict) -> seccomp.Arg:
    how = getattr(seccomp, arg["op"].removeprefix("SCMP_CMP_"))
    return seccomp.Arg(arg["index"], how, arg["value"], arg.get("valueTwo", 0))


def main(profile: str, command: list[str]) -> None:
    with open(profile, encoding="utf-8") as file:
        rules = json.load(file)
    otherwise = action(rules["defaultAction"], rules["defaultErrnoRet"])
    confined = seccomp.SyscallFilter(otherwise)
    confined.set_attr(seccomp.Attr.CTL_NNP, 0)
    for rule in filter(counts, rules["syscalls"]):
        verdict = action(rule["action"], rule.get("errnoRet", rules["defaultErrnoRet"]))
        if verdict == otherwise:
            continue
        for name in rule["names"]:
            if seccomp.resolve_syscall(seccomp.Arch(), name) != UNKNOWN:
                confined.add_rule(verdict, name, *map(comparison, rule.get("args", ())))
    confined.load()
    kept = ",".join("+" + name.removeprefix("CAP_").lower() for name in sorted(CAPABILITIES))
    os.execvp("setpriv", ["setpriv", f"--bounding-set=-all,{kept}", "--inh-caps=-all", *command])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
