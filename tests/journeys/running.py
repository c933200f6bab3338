"""The whole service as a person starts it, and a session signed in to it over HTTP."""

from __future__ import annotations

import http.cookiejar
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.catalog.service import free_port

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass
class Running:
    """``manage.py serve`` on a root and a state folder of its own; ``log`` is what it printed."""

    root: Path
    state: Path
    log: Path
    settle: float = 1.0
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    cookies: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    @property
    def env(self) -> dict[str, str]:
        own = {"MONITOR_PATH": str(self.root), "FAIRFOLDER_STATE_DIR": str(self.state)}
        return {**os.environ, **own, "FAIRFOLDER_SETTLE_SECONDS": str(self.settle)}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=CHECKOUT, env=self.env, capture_output=True, text=True, timeout=300)

    def start(self) -> None:
        with self.log.open("ab") as log:
            command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
            self.process = subprocess.Popen(
                command, cwd=CHECKOUT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + 180
        while not (self._healthy() and "Ctrl-C stops it" in self.said()):
            assert self.process.poll() is None, f"serve ended:\n{self.said()}"
            assert time.monotonic() < deadline, f"serve does not answer:\n{self.said()}"
            time.sleep(0.1)

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/healthz", timeout=60) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def interrupt(self) -> int:
        """Ctrl-C: the terminal sends it to the whole group."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(120)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(120)

    def sign_in(self) -> None:
        """As the administrator whose password was printed once."""
        password = re.search(r"with password\s+(\S+)", self.said())
        assert password, self.said()
        page = self.get("/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token
        form = {"csrfmiddlewaretoken": token[1], "username": "admin", "password": password[1]}
        page = self._open("/login/", urllib.parse.urlencode(form).encode())
        assert "csrfmiddlewaretoken" not in page or "admin" in page

    def get(self, path: str) -> str:
        """The text of a page, with the session's cookies."""
        return self._open(path, None)

    def _open(self, path: str, data: bytes | None) -> str:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        request = urllib.request.Request(self.address + path, data, {"Referer": self.address + path})
        with opener.open(request, timeout=60) as answer:
            return str(answer.read().decode())
