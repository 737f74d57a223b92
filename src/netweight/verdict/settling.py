"""What would settle an open claim, for claims whose own rule does not say it."""

from netweight.verdict.claims import Claim
from netweight.verdict.judgement import Statement

_BY_TOPIC = {
    "open-source": "The training data and the training code, published; or the word open weight.",
    "score": "The score's source, with its effort, tools and harness.",
    "comparison": "Both models run on the same questions, with the same harness, effort and tools.",
    "size": "The checkpoint's tensors, counted.",
    "licence": "The licence file that is published beside the weights.",
    "closed-before": "A list of the organisation's releases with their dates and licences.",
    "efficiency": "Tokens per second and joules per token, on the machine in question.",
    "hallucination": "Questions answered from memory, marked against known answers.",
    "refusal": "Contested requests put to the model, with the answers published.",
    "compliance-score": "Contested requests put to the model, with the answers published.",
    "bias": "Paired requests that differ only in whom they concern, several times each.",
    "ability": "A benchmark of that ability, with enough questions to tell.",
    "instruction-following": "Several hundred instructions whose keeping a program can check.",
}
_OTHERWISE = "A published figure with its source, its date and its conditions."


def what_would_settle(claim: Claim) -> Statement:
    """One sentence on the evidence that is missing."""
    return Statement(text=_BY_TOPIC.get(claim.topic, _OTHERWISE))
