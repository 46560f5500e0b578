"""`ctl`: systemctl's words and exit statuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from managed import Managed, managed, until, write

from forklab.command.main import main as forklab
from forklab.ctl.main import main
from forklab.services.properties import span

UNITS = {
    "web": (
        "[Unit]\nDescription=The web server\nDocumentation=man:web(8)\nRequires=db.service\nAfter=db.service\n"
        "[Service]\nExecStart=/bin/sh -c 'echo listening; exec sleep 1000'\nExecReload=/bin/true\n"
        "[Install]\nWantedBy=default.target\n"
    ),
    "db": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/echo made",
    "bad": "/bin/false",
    "idle": "[Service]\nExecStart=/bin/sleep 1000",
    "default.target": "[Unit]\nDescription=All of it\nWants=idle.service",
}


@pytest.fixture(scope="module")
def manager() -> Iterator[Managed]:
    with managed(UNITS, "web", "bad") as started:
        until(lambda: started.stands("web") == "active/running/success")
        until(lambda: started.stands("bad") == "failed/failed/exit-code")
        until(lambda: started.lines("web.service"))
        yield started


@pytest.fixture
def ctl(
    manager: Managed, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Exit status, and what was printed."""
    monkeypatch.setenv("FORKLAB_RUNTIME", str(manager.place))

    def run(words: str) -> tuple[int, str]:
        status = main(words.split())
        printed = capfd.readouterr()
        return status, (printed.out + printed.err).strip()

    return run


Ctl = Callable[[str], tuple[int, str]]


@pytest.mark.parametrize("verb", ["enable", "disable", "reenable", "mask", "unmask"])
def test_who_asks_for_links_until_the_next_boot_is_told_what_runtime_means(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, "--runtime", "web"]) == 1
    assert capsys.readouterr().err == (
        "--runtime has a value here, the manager's folder: it took web for that."
        " Links are made in the first folder of units.\n"
    )


# As systemctl of systemd 252 and 257 answers.
STATUSES = [
    ("status web", 0),
    ("status bad", 3),
    ("status idle", 3),
    ("status nosuch", 4),
    ("is-active web", 0),
    ("is-active bad", 3),
    ("is-active idle", 3),
    ("is-active nosuch", 3),
    ("is-active nosuch web", 0),
    ("is-active foo@", 1),
    ("is-active bad!name", 3),
    ("is-failed nosuch", 1),
    ("is-failed foo@.service", 1),
    ("status foo@", 1),
    ("status idle web nosuch", 3),
    ("show foo@", 1),
    ("start foo@", 1),
    ("is-active bad web", 0),
    ("is-failed bad", 0),
    ("is-failed web", 1),
    ("stop nosuch", 5),
    ("start nosuch", 5),
    ("restart nosuch", 5),
    ("stop idle", 0),
    ("start bad", 0),
    ("reload idle", 3),
    ("reload web", 0),
    ("frobnicate web", 1),
    ("start", 1),
    ("cat nosuch", 1),
    ("show nosuch -p LoadState", 0),
    ("list-dependencies web", 0),
    ("list-units w*", 0),
    ("list-units --failed", 0),
    ("list-unit-files", 0),
    ("list-jobs", 0),
    ("is-enabled web", 1),
    ("is-enabled idle", 0),
    ("is-enabled nosuch", 1),
    ("enable nosuch", 1),
    ("mask web", 1),
    ("kill nosuch", 1),
    ("kill -s NOTHING web", 1),
    ("kill --kill-whom=control web", 1),
    ("is-active", 1),
    ("is-active nosuch*", 3),
    ("is-active foo@.service", 1),
    ("start web/db", 5),
    ("reenable nosuch", 1),
    ("list-dependencies nosuch", 0),
]


@pytest.mark.parametrize(("words", "status"), STATUSES)
def test_exit_statuses_are_those_of_systemctl(ctl: Ctl, words: str, status: int) -> None:
    assert ctl(words)[0] == status


def test_status_shows_state_processes_and_last_lines(ctl: Ctl) -> None:
    _, text = ctl("status web -n 999")
    assert re.match(
        r"● web.service - The web server\n +Loaded: loaded \(/.*/web.service; disabled\)\n"
        r" +Active: .*\n +Docs: man:web\(8\)\n",
        text,
    )
    assert re.search(r"\n +Active: active \(running\) since .* ago\n", text)
    assert re.search(r"\n +Main PID: \d+ \(sleep\)\n", text)
    assert re.search(r"\n +└─\d+ sleep 1000\n", text)
    assert re.search(r"\n\w+ \d+ [\d:]+ web.service\[\d+\]: listening(\n|$)", text)


def test_status_tells_why_a_unit_cannot_come_up(ctl: Ctl, manager: Managed) -> None:
    write(manager.folder, {"broken": "[Service]\nExecStart=no/path", "gone": "/bin/sleep 1000"})
    (manager.folder / "masked.service").symlink_to("/dev/null")
    (manager.folder / "gone.service.d").mkdir()
    (manager.folder / "gone.service.d" / "x.conf").write_text("[Service]\nRestart=always\n")
    assert ctl("start gone")[0] == 0
    drop_in = f"    Drop-In: {manager.folder}/gone.service.d\n             └─x.conf"
    assert f"\n{drop_in}\n     Active: active (running) since" in ctl("status gone")[1]
    (manager.folder / "gone.service").unlink()
    assert ctl("daemon-reload")[0] == 0
    for name, why in {
        "broken": "bad-setting (Reason: Unit broken.service has a bad unit file setting.)",
        "masked": "masked (Reason: Unit masked.service is masked.)",
        "gone": "not-found (Reason: Unit gone.service not found.)",
    }.items():
        status, text = ctl(f"status {name}")
        assert f"\n     Loaded: {why}\n" in text
        assert status == (0 if name == "gone" else 3)
    assert ctl("show gone -p LoadState,FragmentPath,SubState --value")[1] == "not-found\nrunning"
    for verb in ("start", "restart", "try-restart", "reload", "reload-or-restart"):
        assert ctl(f"{verb} gone")[0] == 5
    assert ctl("stop gone")[0] == 0
    assert ctl("status gone") == (4, "Unit gone.service could not be found.")
    assert re.match(
        r"× bad.service\n(.*\n)* +Active: failed \(Result: exit-code\) since", ctl("status bad")[1]
    )


def test_without_words_units_are_listed(ctl: Ctl) -> None:
    assert ctl("") == ctl("list-units")
    _, text = ctl("")
    assert re.search(r"\n  web.service +loaded active running The web server\n", text)
    assert re.search(r"\n● bad.service +loaded failed failed bad.service\n|^● bad", text, re.M)
    assert "idle.service" not in text and "idle.service" in ctl("list-units --all")[1]


def test_states_are_printed_one_a_line(ctl: Ctl) -> None:
    assert ctl("is-active web bad idle")[1].split() == ["active", "failed", "inactive"]
    assert ctl("is-active web -q") == (0, "")


def test_who_has_started_a_service_finds_its_pid(ctl: Ctl) -> None:
    assert ctl("start idle")[0] == 0
    assert int(ctl("show idle -p MainPID --value")[1]) > 1
    assert ctl("stop idle")[0] == 0


def test_show_has_the_properties_that_one_asks_for(ctl: Ctl, manager: Managed) -> None:
    pid = manager.unit("web")["pids"]["main"]
    assert ctl("show web -p MainPID,ActiveState")[1] == f"MainPID={pid}\nActiveState=active"
    assert "\nResult=" not in ctl("show default.target")[1]  # that is for services
    assert ctl("show web -P Description") == ctl("show web --property=Description --value")
    assert ctl("show idle -p User,RestartUSec")[1] == "RestartUSec=100ms\nUser="
    shown = ctl("show idle")[1]
    assert "RestartUSec=100ms\n" in shown and "User=" not in shown
    assert "User=\n" in ctl("show --all idle")[1]
    assert ctl("show bad -p Result -p ExecMainStatus --value")[1] == "exit-code\n1"
    told = ctl("show web -p TimeoutStopUSec,Type,KillSignal,Requires,ConditionResult,UnitFileState")
    assert told[1].split("\n") == [
        "Type=simple",
        "TimeoutStopUSec=1min 30s",
        "KillSignal=15",
        "Requires=db.service",
        "UnitFileState=disabled",
        "ConditionResult=yes",
    ]
    assert ctl("show bad -P Result")[1] == "exit-code"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0"),
        (0.1, "100ms"),
        (1.5, "1.500000s"),
        (0.0015, "1.500ms"),
        (90, "1min 30s"),
        (90.5, "1min 30.500000s"),
        (7200, "2h"),
        (float("inf"), "infinity"),
    ],
)
def test_spans_of_time_are_written_as_systemctl_writes_them(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_cat_shows_file_and_drop_ins(ctl: Ctl, manager: Managed) -> None:
    write(manager.folder, {"idle.service.d/more.conf": "[Service]\nRestart=always\n"})
    file = manager.folder / "idle.service"
    assert ctl("cat idle")[1] == (
        f"# {file}\n{file.read_text()}\n# {file}.d/more.conf\n[Service]\nRestart=always"
    )


def test_who_asks_for_a_unit_is_told_that_its_files_have_changed(
    ctl: Ctl, manager: Managed, tmp_path: Path
) -> None:
    def warned(words: str) -> bool:
        return "changed on disk. Run 'ctl daemon-reload' to reload units." in ctl(words)[1]

    manager.add("edited", "/bin/sleep 1000")
    assert not warned("status edited") and not warned("start edited")
    assert ctl("show edited -p NeedDaemonReload --value")[1] == "no"
    path = manager.folder / "edited.service"
    for change in (
        lambda: path.write_text(path.read_text() + "Restart=always\n"),
        lambda: write(manager.folder, {"edited.service.d/x.conf": "[Service]\nRestart=no\n"}),
        lambda: (manager.folder / "edited.service.d/x.conf").unlink(),
        path.unlink,
    ):
        change()
        assert all(map(warned, ("status edited", "restart edited", "--no-block start edited")))
        assert ctl("show edited -p NeedDaemonReload --value")[1] == "yes"
        assert not warned("status idle")
        assert not warned("daemon-reload") and not warned("status edited")
    assert not warned("stop edited") and not warned("status nosuch")


def test_a_folder_that_belongs_to_somebody_else_is_named(
    ctl: Ctl, manager: Managed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "symlink_to", refuse)
    link = manager.folder / "default.target.wants" / "web.service"
    assert ctl("enable web") == (1, f"Failed to enable: {link}: Permission denied.")
    link.parent.rmdir()


def test_show_tells_all_names_and_who_main_was(ctl: Ctl, manager: Managed) -> None:
    (manager.folder / "site.service").symlink_to("web.service")
    assert ctl("daemon-reload")[0] == 0
    pid = ctl("show site -p MainPID --value")[1]
    assert ctl("show site -p Id,Names,ExecMainPID")[1] == (
        f"ExecMainPID={pid}\nId=web.service\nNames=web.service site.service"
    )
    assert int(ctl("show bad -p ExecMainPID --value")[1]) > 0
    assert ctl("show bad -p MainPID --value")[1] == "0"
    (manager.folder / "site.service").unlink()
    assert ctl("daemon-reload")[0] == 0


@pytest.mark.parametrize("verb", ["enable", "disable", "mask", "unmask", "is-enabled", "start"])
def test_a_verb_that_needs_a_name_says_so(ctl: Ctl, verb: str) -> None:
    assert ctl(verb) == (1, "Too few arguments.")


def test_of_several_all_are_enabled_or_none(ctl: Ctl, manager: Managed) -> None:
    assert ctl("enable web nosuch")[0] == 1
    assert not (manager.folder / "default.target.wants").exists()


def test_dependencies_are_a_tree_in_both_directions(ctl: Ctl) -> None:
    assert ctl("list-dependencies web")[1] == "web.service\n└─db.service"
    assert ctl("list-dependencies --reverse db")[1] == "db.service\n└─web.service"


def test_enable_now_starts_too_and_disable_now_stops(ctl: Ctl, manager: Managed) -> None:
    link = manager.folder / "default.target.wants" / "web.service"
    status, text = ctl("enable --now web")
    assert (status, text) == (0, f"Created symlink {link} → {manager.folder}/web.service.")
    assert ctl("is-enabled web") == (0, "enabled")
    assert "web.service" in ctl("list-dependencies")[1]
    assert ctl("disable web")[1] == f'Removed "{link}".'
    assert ctl("is-enabled web") == (1, "disabled")


def test_a_job_can_be_left_alone(ctl: Ctl, manager: Managed) -> None:
    assert ctl("start --no-block idle")[0] == 0
    until(lambda: manager.stands("idle") == "active/running/success")
    assert ctl("stop idle")[0] == 0


def test_a_misspelt_verb_is_told_the_nearest(ctl: Ctl) -> None:
    assert ctl("statsu web") == (1, "Unknown command verb statsu. Did you mean status?")


def test_the_journal_is_shown_as_people_ask(ctl: Ctl) -> None:
    assert re.fullmatch(
        r"\w+ \d+ [\d:]+ web.service\[\d+\]: listening",
        ctl("journal -u web -p info -n 9")[1].splitlines()[1],
    )
    assert ctl("journal -u web -o cat --since now")[1] == ""
    assert (
        ctl("journal -p err..warning -o cat -u bad")[1].splitlines()[0]
        == "Failed with result 'exit-code'."
    )
    assert ctl("journal --file /no/such")[0] == 1


def test_an_event_says_which_it_was(ctl: Ctl) -> None:
    lines = ctl("journal --events -u bad")[1].splitlines()
    happened = [line.partition("* Happened ")[2] for line in lines if "* Happened " in line]
    assert '{"event": {"is": "Ended", "role": "main", "status": 256}}' in happened
    assert '{"event": {"is": "Emptied"}}' in happened


def test_the_graph_is_dot_or_a_picture(ctl: Ctl, tmp_path: Path) -> None:
    assert '"web.service" -> "db.service" [label=Requires' in ctl("graph web")[1]
    assert ctl(f"graph --svg {tmp_path}/g.svg")[0] == 0
    ElementTree.parse(tmp_path / "g.svg")
    assert ctl("graph nosuch") == (4, "Unit nosuch.service not found.")


def test_the_start_up_and_the_history_are_drawn(ctl: Ctl, tmp_path: Path) -> None:
    assert ctl(f"plot --svg {tmp_path}/p.svg")[0] == 0
    assert "web.service" in (tmp_path / "p.svg").read_text()
    files = f"--svg {tmp_path}/t.svg --lanes {tmp_path}/l.svg --film {tmp_path}/f.html"
    status, text = ctl(f"draw web {files}")
    assert status == 0 and re.search(r"web's keeper\(\d+\) ─(?:┬─)? web\(\d+\)", text)
    assert all((tmp_path / name).stat().st_size for name in ("t.svg", "l.svg", "f.html"))


def test_forklab_ctl_is_the_same(ctl: Ctl, capfd: pytest.CaptureFixture[str]) -> None:
    assert forklab(["ctl", "is-active", "web", "--quiet"]) == 0
    assert forklab(["ctl", "is-active", "bad"]) == 3
    assert capfd.readouterr().out == "failed\n"


def test_without_a_manager_it_is_said_how_to_start_one(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["status", "web", "--runtime", str(tmp_path)]) == 1
    assert "Start one with 'forklab services DIR'" in capfd.readouterr().err


def test_files_are_verified_without_a_manager(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write(
        tmp_path,
        {"good": "/bin/true", "typo": "[Service]\nExecStrat=/bin/true\nExecStart=/bin/true"},
    )
    assert main(["verify", f"{tmp_path}/good.service"]) == 0
    assert main(["verify", str(tmp_path)]) == 1
    assert "ExecStrat= is no key of [Service]; did you mean ExecStart=?" in capfd.readouterr().err
    assert main(["verify", "--folder", str(tmp_path), "nosuch"]) == 1


def test_links_are_made_without_a_manager(tmp_path: Path) -> None:
    vendor, ours = tmp_path / "vendor", tmp_path / "ours"
    vendor.mkdir()
    ours.mkdir()
    write(vendor, {"web": UNITS["web"]})
    folders = ["--folder", str(ours), "--folder", str(vendor)]
    assert main(["is-enabled", "web", *folders]) == 1
    assert main(["enable", "web", *folders]) == 0
    assert main(["is-enabled", "web", *folders]) == 0
    assert main(["mask", "web", *folders]) == 0
    assert (ours / "web.service").readlink() == Path("/dev/null")
    assert main(["enable", "web", *folders]) == 1
    assert main(["unmask", "web", *folders]) == 0
    assert main(["disable", "web", *folders]) == 0
    assert [each.name for each in ours.iterdir()] == []
