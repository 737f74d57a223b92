"""openai-harmony 0.0.8 as a second opinion, written by others: our messages as its, and back."""

import json

import openai_harmony as official

from netweight.harmony import DeveloperContent, Message, Role, SystemContent


def to_official(message):
    """The message as openai-harmony holds it."""
    author = official.Author(role=official.Role(message.role.value), name=message.name)
    return official.Message(
        author=author,
        content=[_content(part) for part in message.content],
        channel=message.channel,
        recipient=message.recipient,
        content_type=message.content_type,
    )


def _content(part):
    if isinstance(part, SystemContent):
        effort = part.reasoning_effort
        return official.SystemContent(
            model_identity=part.model_identity,
            reasoning_effort=effort and official.ReasoningEffort(effort.value.capitalize()),
            conversation_start_date=part.current_date,
            knowledge_cutoff=part.knowledge_cutoff,
            channel_config=official.ChannelConfig(
                valid_channels=list(part.valid_channels), channel_required=part.channel_required
            ),
            tools=_namespaces(part.tools),
        )
    if isinstance(part, DeveloperContent):
        return official.DeveloperContent(
            instructions=part.instructions, tools=_namespaces(part.tools)
        )
    return official.TextContent(text=part)


def _namespaces(namespaces):
    return {
        namespace.name: official.ToolNamespaceConfig(
            name=namespace.name,
            description=namespace.description,
            tools=[
                official.ToolDescription.new(tool.name, tool.description, tool.parameters)
                for tool in namespace.tools
            ],
        )
        for namespace in namespaces
    } or None


def conversation(messages):
    return official.Conversation.from_messages([to_official(message) for message in messages])


def from_official(message):
    """A parsed message of openai-harmony as ours."""
    fields = json.loads(message.to_json())
    text = "".join(part.text for part in message.content)
    return Message(
        Role(fields["role"]),
        (text,),
        fields.get("name"),
        fields.get("channel"),
        fields.get("recipient"),
        fields.get("content_type"),
    )
