"""The places that facts speak of, as folders below another one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ETC = "/etc/systemd/system"
PLACES = (ETC, "/usr/lib/systemd/system", "/run/", "/lab/")


class Below:
    """Below `folder`: they are replaced wherever they are written, and put back in what comes out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def here(self, text: str) -> str:
        for place in PLACES:
            text = text.replace(place, f"{self._folder}{place}")
        return text

    def there(self, text: str) -> str:
        return text.replace(str(self._folder), "")

    def write(self, files: Mapping[str, str]) -> None:
        """Each may be executed. A name without a slash is that of a unit."""
        for name, text in files.items():
            path = Path(self.here(name if name.startswith("/") else f"{ETC}/{name}"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.here(text), newline="")
            path.chmod(0o755)
