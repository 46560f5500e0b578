"""What `systemctl show` of systemd 252 printed of these settings is what `ctl show` prints of them."""

from __future__ import annotations

import pytest

from forklab.services.keys import unit
from forklab.services.properties import properties, span
from forklab.services.unitfile import Setting, settings
from forklab.services.values import span as seconds

FILE = """
[Unit]
Description=The A
Documentation=man:a(1) https://x.org
Wants=tb.service
After=tc.service tb.service
StartLimitBurst=7
StartLimitIntervalSec=1min
[Service]
Type=notify
User=nobody
WorkingDirectory=-/tmp
Environment=A=b "C=d e"
EnvironmentFile=-/etc/nope
SuccessExitStatus=3 SIGKILL 7
RestartPreventExitStatus=9 SIGHUP
KillSignal=SIGINT
SendSIGKILL=no
RestartSec=2500ms
TimeoutStartSec=infinity
TimeoutStopSec=0
WatchdogSec=5
PIDFile=a.pid
StandardOutput=append:/tmp/x
ExecStartPre=-/lab/act p exit:0
ExecStartPre=/lab/act q exit:0
ExecStart=/lab/act a "notify:STATUS=x y"
"""
SHOWN = {
    "Type": "notify",
    "PIDFile": "/run/a.pid",
    "NotifyAccess": "main",
    "RestartUSec": "2.500000s",
    "TimeoutStartUSec": "infinity",
    "TimeoutStopUSec": "infinity",
    "WatchdogUSec": "5s",
    "RemainAfterExit": "no",
    "RestartPreventExitStatus": "9 HUP",
    "SuccessExitStatus": "3 7 KILL",
    "ExecStartPre": [
        "{ path=/lab/act ; argv[]=/lab/act p exit:0 ; ignore_errors=yes }",
        "{ path=/lab/act ; argv[]=/lab/act q exit:0 ; ignore_errors=no }",
    ],
    "ExecStart": ["{ path=/lab/act ; argv[]=/lab/act a notify:STATUS=x y ; ignore_errors=no }"],
    "Environment": 'A=b "C=d e"',
    "EnvironmentFiles": ["/etc/nope (ignore_errors=yes)"],
    "WorkingDirectory": "!/tmp",
    "StandardOutput": "append",
    "StandardError": "inherit",
    "User": "nobody",
    "Group": "",
    "KillMode": "control-group",
    "KillSignal": 2,
    "SendSIGKILL": "no",
    "Wants": "tb.service",
    "After": "tb.service tc.service",
    "Documentation": '"man:a(1)" https://x.org',
    "Description": "The A",
    "CanReload": "no",
    "StartLimitIntervalUSec": "1min",
    "StartLimitBurst": 7,
}


def test_settings_are_shown_in_the_forms_of_systemctl() -> None:
    lines = [each for each in settings(FILE.encode(), "/etc/a") if isinstance(each, Setting)]
    found, problems = unit("ta.service", lines, {})
    assert not problems
    assert {key: properties(found)[key] for key in SHOWN} == SHOWN


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("90", "1min 30s"),
        ("1.5", "1.500000s"),
        ("200us", "200us"),
        ("100ms", "100ms"),
        ("2h", "2h"),
        ("1h 90.5s", "1h 1min 30.500000s"),
        ("infinity", "infinity"),
        ("0", "0"),
    ],
)
def test_spans_are_shown_as_systemd_writes_them(written: str, shown: str) -> None:
    assert span(seconds(written)) == shown
