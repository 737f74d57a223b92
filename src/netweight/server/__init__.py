"""The server: OpenAI's API in front of the engine, and the same chat in process."""

from netweight.server.app import create_app
from netweight.server.chat import (
    CallAnswered,
    CallDelta,
    CallStarted,
    Chat,
    ChatModel,
    ContentDelta,
    Delta,
    Done,
    ModelSettings,
    ReasoningDelta,
    Usage,
)
from netweight.server.serve import base_url, listen, run, serving

__all__ = [
    "CallAnswered",
    "CallDelta",
    "CallStarted",
    "Chat",
    "ChatModel",
    "ContentDelta",
    "Delta",
    "Done",
    "ModelSettings",
    "ReasoningDelta",
    "Usage",
    "base_url",
    "create_app",
    "listen",
    "run",
    "serving",
]
