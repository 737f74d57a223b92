"""What the verdict makes of a sentence or a short story: for the tests of its wordings."""

from netweight.verdict import parse_story, published
from netweight.verdict.claims import extract_claims
from netweight.verdict.findings import find_errors
from netweight.verdict.judge import judge
from netweight.verdict.ledger import Ledger

TABLES = published()
OPENING = "OpenAI released gpt-oss-120b and gpt-oss-20b.\n\n"


def read(text):
    """The claims with their verdicts, and the kinds of the findings."""
    ledger = Ledger(TABLES)
    story = parse_story(text.encode(), "story.txt")
    claims = [(claim, judge(claim, ledger)) for claim in extract_claims(story, TABLES)]
    return claims, [finding.kind for finding in find_errors(claims, ledger)]


def labels(text, topic):
    claims, _ = read(text)
    return [judgement.verdict for claim, judgement in claims if claim.topic == topic]
