"""Real programs as witnesses in the labs that ask for one like them: what is known of each, the judge must find out.

Words are the lab's own, so a shell that says "Done" where the lab says "done" fails those plays, and no others. A
surprise is a finding: about the program, about the lab, or about the judge.
"""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from autograder.labs.lab import load_lab
from autograder.trial.assess import judge_installed
from autograder.trial.verdict import Status


@dataclass(frozen=True)
class Witness:
    """A program with its arguments, in a lab; the first words of the scenarios that it fails, and why.

    `about`: of the lab's scenarios only those whose titles begin so.
    """

    lab: str
    command: tuple[str, ...]
    fails: str
    why: str
    about: str = ""


# "one" "|" "two": the words are quoted as bash quotes them, the bars are not.
PIPELINE = """
set -o pipefail
line=
for word; do if [ "$word" = "|" ]; then line+=" |"; else line+=" ${word@Q}"; fi; done
eval "$line"
"""
AS_A_SHELL = ("env", "PS1=sh1> ")
OTHER_WORDS = "02 04 05 06 07 08 13 14 18 21 26 27 30"  # quit is no command of a shell; "Done", "Stopped", "Running"

WITNESSES = {
    "timeout": Witness("timeout", ("timeout",), "", "it is what the lab is about"),
    "bash as a pipeline": Witness(
        "pipeline",
        ("bash", "-c", PIPELINE, "bash"),
        "16 23 24 28",
        "what is wrong with a line it says in the name of bash",
    ),
    "sh as fate": Witness(
        "exit_status",
        ("sh", "-c", '"$@"; status=$?; echo "exited with $status"; exit $status', "sh"),
        "03 04 06 07 08 09 10 15",
        "$? tells a killed command from none that has exited with the same number, and nothing of stops",
    ),
    "setsid": Witness(
        "orphanage",
        ("setsid", "--fork"),
        "03 04 05 06 07 08 09 10 11",
        "it cuts one tie of four: its command leads the session, and stays where it was",
        about="daemonize",
    ),
    "bash": Witness(
        "shell",
        (*AS_A_SHELL, "bash", "--norc", "--noprofile", "--noediting", "-i"),
        f"{OTHER_WORDS} 23",
        "other words; told that it is interactive, it reads ahead where there is no terminal",
    ),
    "dash": Witness(
        "shell",
        (*AS_A_SHELL, "dash", "-i"),
        f"{OTHER_WORDS} 09 10 23",
        "other words; it collects its children when somebody types, and until then they are zombies",
    ),
}


@pytest.mark.witness
@pytest.mark.parametrize("name", WITNESSES)
def test_a_real_program_does_what_is_known_of_it(name: str, mode: str) -> None:
    known = WITNESSES[name]
    for program in known.command[:1] if known.lab != "shell" else known.command[:3:2]:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    lab = load_lab(known.lab)
    wanted = [s for s in lab.scenarios if s.title.startswith(known.about)]
    with ThreadPoolExecutor(2) as stages:
        parts = stages.map(
            lambda part: judge_installed(known.command, part, mode=mode, lab=lab),
            [wanted[i::2] for i in range(2)],
        )
        verdicts = [verdict for part in parts for verdict in part]
    failed = {v.scenario[:2]: v.message for v in verdicts if v.status is Status.FAILED}
    unforeseen = [words for name, words in failed.items() if name not in known.fails.split()]
    assert not unforeseen
    assert set(failed) == set(known.fails.split())
    assert {v.status for v in verdicts} <= {Status.PASSED, Status.FAILED}
