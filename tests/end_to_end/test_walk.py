"""docs/walk.md says which files a chat request passes, in which order: is that so?"""

import re
import threading
from pathlib import Path

import httpx
import pytest

from netweight.server import serving

ROOT = Path(__file__).parents[2]


@pytest.fixture
def visited(tiny):
    """The source files that a streamed request passes, in the order of the first call.

    Making an object is not yet using it, so constructors do not count.
    """
    files = []

    def note(frame, event, argument):
        code = frame.f_code
        is_ours = "/src/netweight/" in code.co_filename and not code.co_name.startswith("__")
        if event == "call" and is_ours:
            path = Path(code.co_filename).relative_to(ROOT)
            stop = f"{path.parent}/" if path.parent.name == "kernels" else str(path)
            if stop not in files:
                files.append(stop)

    threading.setprofile(note)
    try:
        with serving(tiny) as url:
            files.clear()
            message = {"role": "user", "content": "hi"}
            body = {"model": "tiny", "messages": [message], "stream": True, "max_tokens": 2}
            httpx.post(f"{url}/chat/completions", json=body).raise_for_status()
            return list(files)
    finally:
        threading.setprofile(None)


def test_the_walk_is_the_way_a_request_takes(visited):
    text = (ROOT / "docs" / "walk.md").read_text()
    stops = re.findall(r"^\d+\. `([^`]+)`", text, re.M)
    assert all((ROOT / stop).exists() for stop in stops)
    assert set(stops) <= set(visited)
    # Out of line: FastAPI reads the body (wire) before it calls the path's function (chat_api), and
    # a parser stands ready and a first event has gone out (sse) before the model starts.
    early = ("wire.py", "chat_api.py", "parse.py", "sse.py")
    in_line = [stop for stop in stops if not stop.endswith(early)]
    assert [stop for stop in visited if stop in in_line] == in_line
