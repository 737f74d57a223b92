"""netweight: run gpt-oss, weigh it, and hold news about it against the evidence."""

from importlib.metadata import version

__version__ = version("netweight")
__all__ = ["__version__"]
