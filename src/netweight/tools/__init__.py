"""Built-in tools that a model may call, and the sandbox they run in."""

from netweight.tools.browser import Browser
from netweight.tools.folder import Folder
from netweight.tools.python import Python
from netweight.tools.tool import BuiltInTool, OpenTool, opened

__all__ = ["Browser", "BuiltInTool", "Folder", "OpenTool", "Python", "opened"]
