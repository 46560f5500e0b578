"""The life of three real daemons below a real manager; also a program, for a place of their own (alone.py).

    python daemons.py as_shipped       as root, with the unit files of their packages and nothing else
    python daemons.py on_a_laptop DIR  as anybody: drop-ins in DIR say which ports and folders

Each ends with status 0 if all was as it should be, else with the assertion that failed.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from alone import VENDOR
from managed import Managed, managed, until

NGINX, REDIS, DNSMASQ = "nginx.service", "redis-server.service", "dnsmasq.service"
DAEMONS = (NGINX, REDIS, DNSMASQ)
GOOD = "active/running/success"
GONE = "inactive/dead/success"


def page(port: int) -> str:
    """What the web server answers; nothing if it does not."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            return str(answer.read().decode())
    except (URLError, OSError):
        return ""


def redis(port: int, command: str) -> str:
    """What the database answers to an inline command, without the end of its line; nothing if it does not."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as channel:
            channel.sendall(f"{command}\r\n".encode())
            return channel.recv(1 << 16).decode().strip()
    except OSError:
        return ""


def address(port: int, name: str) -> str:
    """The address that the name server knows of a name (RFC 1035); nothing if it knows none, or does not answer."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    question = labels + b"\0" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(10)
        try:
            channel.connect(("127.0.0.1", port))
            channel.send(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + question)
            answer = channel.recv(512)
        except OSError:
            return ""
    (answers,) = struct.unpack(">H", answer[6:8])
    return ".".join(map(str, answer[-4:])) if answers else ""


class Town:
    """The three of them, where they listen, and how each is told something new."""

    def __init__(
        self,
        manager: Managed,
        ports: dict[str, int],
        site: Callable[[int], None],
        host: Callable[[str, str], None],
    ) -> None:
        self.manager = manager
        self.ports = ports
        self._site = site  # writes one more site into nginx's configuration, on this port
        self._host = host  # writes a name and its address where dnsmasq reads them

    def answers(self, name: str) -> bool:
        match name:
            case "nginx.service":
                return "<html" in page(self.ports[NGINX])
            case "redis-server.service":
                return redis(self.ports[REDIS], "PING") == "+PONG"
        return address(self.ports[DNSMASQ], "here.test") == "192.0.2.1"

    def live(self) -> None:
        """From their start to their end."""
        manager = self.manager
        self._host("192.0.2.1", "here.test")
        assert manager.start(*DAEMONS) == 0, manager.said()
        for name in DAEMONS:
            assert manager.stands(name) == GOOD, manager.said(name)
            until(lambda name=name: self.answers(name), f"{name} answers")
        self.reload()
        for name in DAEMONS:
            self.crash(name)
            self.restart(name)
        assert manager.stop(*DAEMONS) == 0
        for name in DAEMONS:
            assert manager.stands(name) == GONE
            assert not self.answers(name)
        until(lambda: not manager.everybody(), "their keepers have gone")
        assert manager.start(*DAEMONS) == 0
        manager.process.send_signal(signal.SIGTERM)
        _, said = manager.process.communicate(timeout=60)
        assert manager.process.returncode == 0
        assert all(f"Stopped {name}" in said for name in DAEMONS), said
        assert not any(map(self.answers, DAEMONS))

    def main(self, name: str) -> int:
        return int(self.manager.unit(name)["pids"].get("main", 0))

    def reload(self) -> None:
        """They hear of something new, and go on as the same process."""
        before = {name: self.main(name) for name in DAEMONS}
        new = self.ports[NGINX] + 1
        assert page(new) == "" == address(self.ports[DNSMASQ], "new.test")
        self._site(new)
        self._host("192.0.2.2", "new.test")
        assert self.manager.ask("reload", NGINX, DNSMASQ, wait=True).status == 0
        until(lambda: page(new) == "new", "nginx has the new site")
        until(lambda: address(self.ports[DNSMASQ], "new.test") == "192.0.2.2", "dnsmasq has read")
        refused = self.manager.ask("reload", REDIS, wait=True)  # it has no ExecReload=
        assert refused.status == 3 and "not applicable" in refused.words[0]
        assert before == {name: self.main(name) for name in DAEMONS}
        assert all(map(self.answers, DAEMONS))

    def crash(self, name: str) -> None:
        """Each as its unit says: one that is to be restarted comes back by itself, and nobody stays of the others."""
        before, restarts = self.main(name), self.manager.unit(name)["restarts"]
        os.kill(before, signal.SIGKILL)
        if name == REDIS:  # Restart=always
            until(lambda: self.main(name) not in (0, before), "it is back")
            until(lambda: self.manager.stands(name) == GOOD, "it is ready")
            assert self.manager.unit(name)["restarts"] == restarts + 1
        else:
            until(lambda: self.manager.stands(name) == "failed/failed/signal", f"{name} has failed")
            assert self.manager.unit(name)["pids"] == {}
            assert not self.answers(name)
            assert self.manager.start(name) == 0, self.manager.said(name)
        until(lambda: self.answers(name), f"{name} answers again")

    def restart(self, name: str) -> None:
        before = self.main(name)
        assert self.manager.ask("restart", name, wait=True).status == 0, self.manager.said(name)
        assert self.main(name) not in (0, before)
        until(lambda: self.answers(name), f"{name} answers again")


SITE = "server {{ listen 127.0.0.1:{port}; location / {{ return 200 new; }} }}\n"


def as_shipped() -> None:
    def site(port: int) -> None:
        Path("/etc/nginx/conf.d/new.conf").write_text(SITE.format(port=port))

    def host(number: str, name: str) -> None:
        with open("/etc/hosts", "a") as hosts:
            hosts.write(f"{number} {name}\n")

    with managed({}, options=("--vendor", str(VENDOR))) as manager:
        town = Town(manager, {NGINX: 80, REDIS: 6379, DNSMASQ: 53}, site, host)
        for name in DAEMONS:
            assert manager.unit(name)["files"] == [str(VENDOR / name)]  # and no drop-in
        town.live()
    left = [int(each) for each in os.listdir("/proc") if each.isdecimal()]
    assert len([pid for pid in left if Path(f"/proc/{pid}/cmdline").read_bytes()]) <= 3, left


def free_ports() -> dict[str, int]:
    """One for each, and the one behind it."""
    ports: dict[str, int] = {}
    for name in DAEMONS:
        with socket.socket() as channel:
            channel.bind(("127.0.0.1", 0))
            ports[name] = channel.getsockname()[1]
    return ports


def on_a_laptop(folder: Path) -> None:
    """Who cannot take User= says so, with the line and the mend; with that in a drop-in, it runs."""
    ports = free_ports()
    (folder / "sites").mkdir()
    (folder / "nginx.conf").write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\nhttp {{\naccess_log off;\n"
        + "".join(f"{each}_temp_path {folder}/{each};\n" for each in TEMPORARY)
        + f"server {{ listen 127.0.0.1:{ports[NGINX]}; location / {{ return 200 '<html>'; }} }}\n"
        f"include {folder}/sites/*.conf;\n}}\n"
    )
    (folder / "hosts").write_text("")
    nginx = f"/usr/sbin/nginx -c {folder}/nginx.conf -g 'daemon on; master_process on;'"
    stop = f"/sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile {folder}/nginx.pid"
    drop_ins = {
        f"{NGINX}.d/laptop.conf": f"[Service]\nPIDFile={folder}/nginx.pid\nExecStartPre=\nExecStart=\nExecReload=\n"
        f"ExecStop=\nExecStartPre={nginx} -t -q\nExecStart={nginx}\nExecReload={nginx} -s reload\nExecStop=-{stop}\n",
        f"{DNSMASQ}.d/laptop.conf": f"[Service]\nPIDFile={folder}/dnsmasq.pid\nExecStartPre=\nExecStart=\n"
        f"ExecStartPost=\nExecStop=\nExecStart=/usr/sbin/dnsmasq --conf-file=/dev/null --port={ports[DNSMASQ]}"
        f" --no-resolv --no-hosts --addn-hosts={folder}/hosts --listen-address=127.0.0.1 --bind-interfaces"
        f" --user= --group= --pid-file={folder}/dnsmasq.pid\n",
        f"{REDIS}.d/laptop.conf": f"[Service]\nExecStart=\nExecStart=/usr/bin/redis-server --port {ports[REDIS]}"
        f" --bind 127.0.0.1 --dir {folder} --supervised systemd --daemonize no\n",
    }

    def site(port: int) -> None:
        (folder / "sites" / "new.conf").write_text(SITE.format(port=port))

    def host(number: str, name: str) -> None:
        with open(folder / "hosts", "a") as hosts:
            hosts.write(f"{number} {name}\n")

    with managed(drop_ins, options=("--vendor", str(VENDOR))) as manager:
        assert manager.start(REDIS) == 1
        said = manager.said(REDIS)
        line = (VENDOR / REDIS).read_text().splitlines().index("Group=redis") + 1
        assert f"{VENDOR}/{REDIS}:{line}: Group=redis: only root can become somebody else." in said
        more = manager.folder / f"{REDIS}.d" / "more.conf"
        more.write_text("[Service]\nUser=\nGroup=\n")  # the mend
        assert manager.stop(REDIS) == 0  # Restart=always
        manager.ask("daemon-reload")
        manager.ask("reset-failed")
        Town(manager, ports, site, host).live()


TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")

if __name__ == "__main__":
    scene, *places = sys.argv[1:]
    {"as_shipped": as_shipped, "on_a_laptop": on_a_laptop}[scene](*map(Path, places))
