"""Tool names that an API allows and Harmony cannot declare, and the way back."""

import re
from collections.abc import Iterable

from netweight.harmony.tools import is_identifier


class ToolNames:
    """Gives each tool name an identifier of its own; names that are identifiers keep theirs."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._declared: dict[str, str] = {}
        self._original: dict[str, str] = {}
        self.declare_all(names)

    def declare_all(self, names: Iterable[str]) -> None:
        """Declare names together: identifiers first, so that they stay as they are."""
        for name in sorted(names, key=lambda name: not is_identifier(name)):
            self.declare(name)

    def declare(self, name: str) -> str:
        """The identifier for a name, the same one each time."""
        if name not in self._declared:
            identifier = self._free_identifier(name)
            self._declared[name] = identifier
            self._original[identifier] = name
        return self._declared[name]

    def has(self, name: str) -> bool:
        """Whether a tool of this name was declared."""
        return name in self._declared

    def original(self, identifier: str) -> str:
        """The name an identifier stands for; one that was not declared stands for itself."""
        return self._original.get(identifier, identifier)

    def _free_identifier(self, name: str) -> str:
        plain = re.sub(r"[^A-Za-z0-9_$]", "_", name)
        if not is_identifier(plain):
            plain = f"_{plain}"
        identifier, number = plain, 2
        while identifier in self._original:
            identifier, number = f"{plain}_{number}", number + 1
        return identifier
