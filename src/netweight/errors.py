"""What can go wrong, as one tree.

    NetweightError             anything a user can mend; the command line prints it as one line
    ├── UnknownModel           a model name or folder that leads nowhere
    ├── CheckpointError        weights, config or tokenizer files missing, damaged or misshapen
    │   ├── ConfigError        a config.json that does not describe a gpt-oss model
    │   └── AdapterError       a LoRA adapter that is damaged, not supported or of another model
    ├── NotEnoughMemory        a model that does not fit the memory it may use
    ├── VocabularyError        a vocabulary file that cannot be read, or a token id outside it
    ├── HarmonyError           what Harmony cannot express, or bad output where parsing is strict
    ├── RequestError           a request that cannot run as asked
    │   └── ContextTooLong     prompt and answer do not fit the context
    ├── ToolError              a built-in tool that cannot run on this machine
    ├── ServerError            the server cannot start or has stopped
    │   └── AnswerTimeout      an answer that took longer than the server lets it
    ├── WeighError             a measurement that cannot be made
    ├── BenchError             a benchmark that cannot run, or whose peer is missing
    └── VerdictError           a story or evidence that cannot be used
        ├── StoryError         the story cannot be read
        └── EvidenceError      a record or figure that does not follow its schema

Every message says what was wrong, the limit where there is one, and the remedy. Our own mistakes
are asserts, not members of this tree. This module imports nothing of ours.
"""


class NetweightError(Exception):
    """The root: a problem with a remedy that the message names."""


class UnknownModel(NetweightError):
    """A model name or folder that leads nowhere."""


class CheckpointError(NetweightError):
    """Weights, config or tokenizer files that are missing, damaged or misshapen."""


class ConfigError(CheckpointError):
    """A config.json that does not describe a gpt-oss model."""


class AdapterError(CheckpointError):
    """A LoRA adapter that is damaged, not supported, or of another model."""


class NotEnoughMemory(NetweightError):
    """A model that does not fit the memory it may use."""


class VocabularyError(NetweightError):
    """A vocabulary file that cannot be read, or a token id outside it."""


class HarmonyError(NetweightError):
    """What Harmony cannot express, or, where parsing is strict, malformed output."""


class RequestError(NetweightError):
    """A request that cannot run as asked."""


class ContextTooLong(RequestError):
    """Prompt and answer do not fit the model's context."""


class ToolError(NetweightError):
    """A built-in tool that cannot run on this machine."""


class ServerError(NetweightError):
    """The server cannot start or has stopped."""


class AnswerTimeout(ServerError):
    """An answer took longer than the server lets it."""


class WeighError(NetweightError):
    """A measurement that cannot be made."""


class BenchError(NetweightError):
    """A benchmark that cannot run, or whose peer is missing."""


class VerdictError(NetweightError):
    """A story or evidence that cannot be used."""


class StoryError(VerdictError):
    """A story that cannot be read."""


class EvidenceError(VerdictError):
    """A record or figure that does not follow its schema."""
