"""How task `tools` declares a tool, and the schemas of simple arguments.

Knows JSON schema; does not know which tools there are.
"""

from collections.abc import Mapping, Sequence

from inspect_ai.tool import ToolInfo, ToolParam, ToolParams

TEXT: Mapping[str, object] = {"type": "string"}
NUMBER: Mapping[str, object] = {"type": "integer"}


def enum(values: Sequence[str]) -> Mapping[str, object]:
    return {"type": "string", "enum": list(values)}


def declared(name: str, description: str, /, **parameters: Mapping[str, object]) -> ToolInfo:
    """Declare a tool; a parameter with a default may be left out."""
    return ToolInfo(
        name=name,
        description=description,
        parameters=ToolParams(
            properties={
                name: ToolParam.model_validate(schema) for name, schema in parameters.items()
            },
            required=[name for name, schema in parameters.items() if "default" not in schema],
        ),
    )
