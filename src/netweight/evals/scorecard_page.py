"""One HTML file that needs nothing else, made of a template and facts.

What models wrote is text here and nothing more: it is escaped, its control characters are made
visible, and nothing on a page runs or is fetched. Does not know what a page tells.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from netweight.errors import WeighError
from netweight.evals.published import source
from netweight.evals.records import replace_file
from netweight.evals.scorecard_text import published_text, shown


def render(template: str, **facts: object) -> str:
    """Return the page that a template of ours makes of facts."""
    style = _package_text("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = _environment().get_template(template)
    return page.render(style=Markup(style), style_hash=digest, **facts)  # the style is our own


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_package_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "source": source, "published_text": published_text}
    return environment


def _package_text(name: str) -> str:
    return files("netweight.evals").joinpath("templates", name).read_text("utf-8")


def write_page(path: Path, page: str) -> Path:
    """Write a page whole or not at all, and return its path.

    Raises:
        WeighError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, page)
    except OSError as error:
        raise WeighError(f"cannot write {path}: {error}. Choose another --out.") from error
    return path
