"""A headless browser for tests of pages, and a connection that can be cut."""

import shutil
import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium():
    """A browser. The test is skipped by name where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with playwright.sync_playwright() as running:
        path = next(filter(None, map(shutil.which, NAMES)), running.chromium.executable_path)
        if not Path(path).exists():
            pytest.skip(f"needs a browser: install one of {', '.join(NAMES)}")
        browser = running.chromium.launch(executable_path=path, args=["--disable-gpu"])
        yield browser
        browser.close()


class Wire:
    """Passes bytes between a port of its own and a server's, until it is cut."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.ends, self.threads = [], []
        self.run(self.accept)

    def run(self, work, *args):
        self.threads.append(threading.Thread(target=work, args=args, daemon=True))
        self.threads[-1].start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return  # shut
            far = socket.create_connection(("127.0.0.1", self.target))
            self.ends += [near, far]
            self.run(self.pump, near, far)
            self.run(self.pump, far, near)

    def pump(self, source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass  # cut
        shut(sink)

    def cut(self):
        """Break every connection off; new ones are taken."""
        for end in self.ends:
            shut(end)

    def close(self):
        """Be no longer there."""
        shut(self.listener)
        self.cut()
        for thread in self.threads:
            thread.join()
        for end in (self.listener, *self.ends):
            end.close()


def shut(end):
    with suppress(OSError):  # it may have ended already
        end.shutdown(socket.SHUT_RDWR)
