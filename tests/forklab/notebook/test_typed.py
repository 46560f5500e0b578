"""Lines that somebody types at a terminal while the units of a cell run, and what real systemd answered to them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from forklab.notebook.recorded import OnSystemd, on_systemd, restart_table
from forklab.notebook.units import Answer, Scene, UnitsRun, run_units

SITE = """
# web.service
[Unit]
Description=The web server

[Service]
ExecStart=/bin/sh -c 'echo listening; exec sleep 1000'

[Install]
WantedBy=site.target

# site.target
[Unit]
Description=Our site

# bad.service
[Service]
ExecStart=/bin/false
Retsart=always

"""
TYPED = """$ systemctl enable web
$ systemctl start site.target bad
$ sleep 2
$ systemctl status web bad
$ cat /etc/systemd/system/bad.service | wc -l; systemctl is-failed bad
$ timeout 1 journalctl -u web -f
$ systemctl stop web
$ systemctl status web -n 0
$ systemctl nonsense
"""


def test_what_is_typed_is_answered_as_at_a_terminal_and_takes_no_time_but_its_own() -> None:
    run = run_units("", SITE + TYPED)
    of = {answer.typed: answer for answer in run.answers}
    link = "/etc/systemd/system/site.target.wants/web.service"
    assert of["systemctl enable web"].out == (
        f"Created symlink {link} → /etc/systemd/system/web.service.\n"
    )
    both = of["systemctl status web bad"]
    assert both.status == 3
    assert both.out.splitlines()[:3] == [
        "● web.service - The web server",
        "     Loaded: loaded (/etc/systemd/system/web.service; enabled)",
        "     Active: active (running) since Tue 2030-01-01 09:00:00 UTC; 2s ago",
    ]
    assert "     Loaded: loaded (/etc/systemd/system/bad.service; static)\n" in both.out
    assert "     Active: failed (Result: exit-code) since Tue 2030" in both.out
    by_a_shell = next(answer for answer in run.answers if "|" in answer.typed)
    assert (by_a_shell.out, by_a_shell.status) == ("3\nfailed\n", 0)
    followed = of["timeout 1 journalctl -u web -f"]
    assert followed.out.endswith("]: listening\n") and followed.status == 124
    assert "Main PID: 1003 (code=killed, signal=TERM)\n" in of["systemctl status web -n 0"].out
    assert of["systemctl nonsense"].status == 1
    assert run.output.startswith("$ systemctl enable web\nCreated")
    assert run.output.endswith("[exit status 1]\n")
    assert round(run.seconds, 1) == 3
    assert run.active("web.service") == 0
    problems = [line for line in run.journal.splitlines() if "Retsart" in line]
    assert {line.split()[1] for line in problems} == {"/etc/systemd/system/bad.service:3:"}


@pytest.mark.parametrize(
    ("line", "typed", "words"),
    [
        ("--for 3", "$ systemctl\n", "All is stopped after the last line"),
        ("", "$ systemctl\nsystemctl\n", "Each line that is typed begins with '$ '"),
        ("", "", "Which unit is to be started?"),
    ],
)
def test_a_terminal_that_is_not_understood_is_told_why(line: str, typed: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        run_units(line, SITE + typed)
    assert words in str(refused.value)


def test_units_run_again_with_other_numbers_and_are_known_as_they_were(
    shell: InteractiveShell,
) -> None:
    shell.run_cell("from forklab.notebook import *").raise_error()
    cell = "%%units a.service --for 9\n# a.service\n[Service]\nExecStart=/bin/sleep 3\n"
    with capture_output():
        shell.run_cell(cell).raise_error()
    shell.run_cell("ends = [seen, again(('sleep 3', 'sleep 5'))]").raise_error()
    ends = [
        next(e.t for e in run.history.events if e.kind == "exit") for run in shell.user_ns["ends"]
    ]
    assert ends == [3, 5]
    shell.run_cell("def claims(): yield again(('sleep 7', 'sleep 8')), ''").raise_error()
    with capture_output() as told:
        shell.run_cell("check(claims())").raise_error()
    assert told.stdout.startswith("Not yet. The check looks for sleep 7 in your program")


RUN = UnitsRun(
    Scene({"web.service": "[Service]\nExecStart=/bin/sleep 1000\n"}, ["systemctl start web"]),
    {},
    [],
    1.0,
    [Answer("systemctl start web", "", 0)],
)


def test_of_a_cell_that_was_changed_nothing_is_said_about_systemd() -> None:
    with pytest.raises(UsageError, match="You have changed it"):
        on_systemd(RUN)


def test_a_table_says_after_which_ends_systemd_starts_again() -> None:
    table = restart_table()
    assert table.after("no") == []
    assert table.after("on-success") == ["exit 0", "SIGTERM", "SIGHUP", "SIGINT", "SIGPIPE"]
    shown = table._repr_mimebundle_()
    assert "Restart=no: after nothing\n" in shown["text/plain"]
    assert shown["text/html"].count("<details>") == len(table.rows) == 7


def test_what_systemd_said_is_shown_where_ours_is_different() -> None:
    ours = [Answer("a", "1\n", 0), Answer("b", "<x>\n", 3), Answer("c", "", 0)]
    real = OnSystemd(
        "systemd 252", "2026-11-30", [ours[0], replace(ours[1], out="<y>\n"), ours[2]], ours
    )
    assert real.text == "$ a\n    (the same)\n$ b\n<y>\n[exit status 3]\n$ c\n"
    assert real.output == "$ a\n1\n$ b\n<y>\n[exit status 3]\n$ c\n"
    assert "&lt;y&gt;" in real._repr_mimebundle_()["text/html"]
