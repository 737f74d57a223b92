"""The page on Harmony names every module and every diagnostic, and no others."""

import re
from pathlib import Path

ROOM = Path(__file__).parents[2] / "src" / "netweight" / "harmony"
PAGE = (Path(__file__).parents[2] / "docs" / "harmony.md").read_text()
CODE = re.compile(
    r'(?:yield |_diagnose\(|repair\(|repairs\[|\(\(|=\(|append\(\()\s*"([a-z]+_[a-z_]+)"'
)


def test_every_diagnostic_is_explained():
    codes = {code for path in ROOM.glob("*.py") for code in CODE.findall(path.read_text())}
    assert len(codes) > 30
    assert not {code for code in codes if f"`{code}`" not in PAGE}


def test_every_explained_diagnostic_exists():
    sources = "".join(path.read_text() for path in ROOM.glob("*.py"))
    explained = re.findall(r"`([a-z]+_[a-z_]+)`", PAGE.split("## Diagnostics")[1])
    assert not [code for code in explained if code not in sources]


def test_every_module_is_named():
    modules = {path.stem for path in ROOM.glob("*.py")} - {"__init__"}
    table = PAGE.split("## The modules")[1].split("## Diagnostics")[0]
    assert modules == set(re.findall(r"`([a-z]+)`", table))
