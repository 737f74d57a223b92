"""Built-in tools that a model may call, and the sandbox they run in."""

from netweight.tools.python import Python
from netweight.tools.tool import BuiltInTool

__all__ = ["BuiltInTool", "Python"]
