"""The verdict as schema.org linked data: a report that reviews the claims of a story.

States only what the verdict holds. An opinion is not reviewed; a claim without enough evidence has
no rating, and neither has a claim about this project's own model. Nobody is named as an author whom
the story does not name in a form that says whether it is a person or an organisation.
"""

import json
from typing import Any

from netweight.verdict.judgement import VERDICT_WORDS, Verdict
from netweight.verdict.report import ClaimPart, Report, StoryPart

RATINGS: dict[Verdict, int] = {"contradicted": 1, "mixed": 3, "supported": 5}
OWN_MODELS = frozenset({"nano"})  # we do not rate our own product


def linked_data(report: Report) -> dict[str, Any]:
    """A JSON-LD document with one graph: the report, and a ClaimReview for each distinct claim."""
    reviews = [
        _review(claim, report)
        for claim in report.claims
        if claim.repeats is None and claim.verdict != "not_checkable"
    ]
    page: dict[str, Any] = {
        "@type": "Report",
        "@id": "#report",
        "headline": f"Verdict: {report.story.title}",
        "inLanguage": "en",
        "datePublished": report.date,
        "abstract": report.summary[0].text,
        "isBasedOn": _story(report.story),
        "citation": [
            {
                "@type": "CreativeWork",
                "name": source.title,
                "publisher": {"@type": "Organization", "name": source.publisher},
                "url": source.url,
                "datePublished": source.published,
            }
            for source in report.sources
        ],
        "hasPart": [{"@id": review["@id"]} for review in reviews],
    }
    return {"@context": "https://schema.org", "@graph": [page, *reviews]}


def _story(story: StoryPart) -> dict[str, Any]:
    """The story as a work: what it declares of itself, and its hash."""
    work: dict[str, Any] = {
        "@type": "CreativeWork",
        "@id": "#story",
        "name": story.title,
        "identifier": f"sha256:{story.sha256}",
    }
    if story.publisher:
        work["publisher"] = {"@type": "Organization", "name": story.publisher}
    if story.published:
        work["datePublished"] = story.published
    if story.url:
        work["url"] = story.url
    return work


def _review(claim: ClaimPart, report: Report) -> dict[str, Any]:
    rating: dict[str, Any] = {"@type": "Rating", "alternateName": VERDICT_WORDS[claim.verdict]}
    value = RATINGS.get(claim.verdict)
    if value is not None and not OWN_MODELS & set(claim.subjects):
        rating |= {"ratingValue": value, "worstRating": 1, "bestRating": 5}
    return {
        "@type": "ClaimReview",
        "@id": f"#{claim.id}",
        "url": f"#{claim.id}",
        "datePublished": report.date,
        "claimReviewed": claim.quote,
        "itemReviewed": {"@type": "Claim", "text": claim.quote, "appearance": {"@id": "#story"}},
        "reviewRating": rating,
        "reviewBody": " ".join(statement.text for statement in claim.reason),
    }


def as_script(data: dict[str, Any]) -> str:
    """The document as text that may stand in a script element: it holds no markup."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
