"""A model's answers about a story, and what is made of them: for the tests of the assistant."""

import json

from inspect_ai.model import ModelOutput, ModelUsage, get_model

from netweight.verdict import parse_story, published
from netweight.verdict.asking import Reply
from netweight.verdict.assisted import read_replies
from netweight.verdict.marking import make_reading

TEXT = (
    "gpt-oss-120b trails o4-mini on MMLU. OpenAI says the licence is free. gpt-oss-120b scored "
    "90.0 on MMLU, and testers say that it follows complex instructions badly."
)
TRAILS = {
    "sentence": 1,
    "quote": "gpt-oss-120b trails o4-mini on MMLU",
    "topic": "comparison",
    "subjects": ["gpt-oss-120b"],
    "comparators": ["o4-mini"],
    "benchmarks": ["mmlu"],
    "relation": "below",
}


def story_of(text):
    return parse_story(text.encode(), "story.txt")


def answer(*claims):
    return json.dumps({"claims": claims})


def read(text, *answers, name="mockllm/model"):
    """What is made of one answer for each repeat, of a story that is one piece."""
    replies = [a if isinstance(a, Reply) else Reply(a) for a in answers]
    return read_replies(make_reading(story_of(text), published()), replies, name=name, seed=0)


def scripted(reply):
    """A model whose answers `reply` makes of the messages and the settings."""

    def output(messages, tools, choice, config):
        made = ModelOutput.from_content("mockllm/model", reply(messages, config))
        made.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return made

    return get_model("mockllm/model", custom_outputs=output, memoize=False)


def only(assisted):
    (claim,) = assisted.claims
    return claim
