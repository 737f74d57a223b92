"""Built-in tools that a model may call, and the sandbox they run in."""

from netweight.tools.python import Python
from netweight.tools.tool import BuiltInTool, OpenTool, opened

__all__ = ["BuiltInTool", "OpenTool", "Python", "opened"]
