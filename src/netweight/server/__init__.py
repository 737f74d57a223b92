"""The server: OpenAI's API in front of the engine, and the same chat in process."""

from netweight.server.answer import (
    CallAnswered,
    CallDelta,
    CallStarted,
    ContentDelta,
    Delta,
    Done,
    ReasoningDelta,
    Usage,
)
from netweight.server.app import create_app
from netweight.server.chat import Chat, ChatModel, ModelSettings
from netweight.server.front import create_front
from netweight.server.replicas import Plan, deployed
from netweight.server.serve import base_url, is_open, listen, run, run_app, serving, serving_app
from netweight.server.settings import ServerSettings
from netweight.server.store import check_store

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
    "Plan",
    "ReasoningDelta",
    "ServerSettings",
    "Usage",
    "base_url",
    "check_store",
    "create_app",
    "create_front",
    "deployed",
    "is_open",
    "listen",
    "run",
    "run_app",
    "serving",
    "serving_app",
]
