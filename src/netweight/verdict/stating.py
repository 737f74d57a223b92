"""Which proposition a clause makes or denies, by its words.

What each word and pair of words weighs was learned from clauses of our own making
(tests/verdict/propositions.txt, benchmarks/verdict_reader.py). Knows words only; what follows is
judged in netweight.verdict.judge_propositions.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from netweight.verdict.linear import learned
from netweight.verdict.propositions import PROPOSITIONS, Proposition
from netweight.verdict.readings import named_words
from netweight.verdict.references import FAMILY
from netweight.verdict.scenes import Scene, overlap
from netweight.verdict.story import Span

_NOT = re.compile(
    r"no|not|never|none|nothing|nobody|neither|nor|without|cannot|hardly|scarcely|lacks?|lacking|"
    r"fail(?:s|ed)?|refus(?:es|ed)|declin(?:es|ed)|denie[sd]|\w+n't"
)
_STEM = 5  # letters of a word that stand for its family
_LEAST_NEGATED = 3  # letters
MADE, DENIED = "+", "-"


class Stated(NamedTuple):
    """A proposition, whether the clause makes it or says the opposite, and how sure that is."""

    proposition: Proposition
    is_affirmed: bool
    share: float


def features_of_statement(scene: Scene, place: Span) -> set[str]:
    """The words of a clause, their beginnings, pairs, and pairs with a word between.

    Where the clause has a "not" or the like, each beginning once more with it.
    """
    here = [m.ids for m in scene.models if overlap(m.span, place)]
    return _features(_row(scene, place)) | {f"of {ids[0]}" for ids in here if len(ids) == 1}


def _row(scene: Scene, place: Span) -> list[str]:
    return [t for t in named_words(scene, place) if t[0].isalnum() or t[0] in "#<"]


def _features(row: list[str]) -> set[str]:
    found = {"any", *row}
    is_negated = any(_NOT.fullmatch(word) for word in row)
    for word in row:
        if len(word) > _STEM:
            found.add(f"{word[:_STEM]}-")
        if is_negated and len(word) > _LEAST_NEGATED:
            found.add(f"not {word[:_STEM]}-")
    found |= {f"{a} {b}" for a, b in zip(["^", *row], [*row, "$"], strict=True)}
    found |= {f"{a} .. {b}" for a, b in zip(row, row[2:], strict=False)}
    if is_negated:
        found.add("not")
    return found


def stated_in(scene: Scene, place: Span) -> Stated | None:
    """The likeliest proposition of a clause; None where that it makes none of them is likelier.

    A plain wording of a proposition needs no more than to be the likeliest of them.
    """
    if len(_row(scene, place)) < _LEAST_WORDS:
        return None  # "None.": of what, only a question before would say
    shares = learned("propositions").shares(features_of_statement(scene, place))
    likeliest = sorted(shares, key=lambda name: (-shares[name], name))
    name = next((name for name in likeliest if name != "none"), None)
    if name is None:
        return None
    proposition, share = name[:-1], shares[name]
    clause = scene.text[place.start : place.end]
    plainly = _plainly(proposition, clause)
    is_likely = likeliest[0] == name or (plainly is not None and share >= _LEAST_OF_PLAIN)
    if not is_likely or not _can_be(proposition, scene, place):
        return None
    if plainly is not None:
        return Stated(PROPOSITIONS[proposition], plainly, max(share, _SURE))
    if proposition in _OF_LEAVE and _FORBIDS.search(clause):
        return Stated(PROPOSITIONS[proposition], False, max(share, _SURE))
    is_made = name.endswith(MADE)
    plain = _without_its_not(_row(scene, place))
    if plain and _share_of(name, plain) >= _SURE:  # the same without its "not": it cannot be
        is_made = not is_made
    if proposition == "since-gpt-2" and _SINCE_THEN.search(clause):
        is_made = True
    return Stated(PROPOSITIONS[proposition], is_made, share)


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# Wordings that say plainly which it is, where the words together are much the same either way.
_PLAIN: Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "hosts-differ": (
        _re(
            r"\b(?:(?<!no )differ(?:s|ed|ent|ently|ences?)?|var(?:y|ies|ied|iation)|spread|"
            r"swings?|swung|rang(?:e[ds]?|ing)|apart|lottery|uneven\w*|depend(?:s|ed|ing)?\s+on|"
            r"anywhere\s+(?:from|between)|wild\w*)\b"
        ),
        _re(
            r"\bmakes?\s+no\s+(?:difference|odds)\b|\bthe\s+same\b(?!\s+(?:weights?|models?|files?|downloads?|prompts?|checkpoints?|questions?|tests?|exam))|\b(?:alike|identical\w*|equally|unchanged|uniform\w*|interchangeable|consistent\w*)\b|"
            r"\bno\s+(?:matter|difference)\b|\bindifferent\b|\birrelevant\b|\b(?:does(?:\s+not|n['\u2019]t)|did(?:\s+not|n['\u2019]t))\s+matter\b"
        ),
    ),
    "west-over-east": (
        _re(
            r"\b(?:more|readi(?:ly|er)|quicker|easier|freer|oftener|harsher|happier|sooner)\b.{0,60}\b(?:West\w*|Washington|Brussels|America\w*|US|EU|Europe\w*|London|Canberra)\b"
            r".{0,60}\bthan\b.{0,60}\b(?:Russia\w*|China|Chinese|Moscow|Beijing|Kremlin|East\w*)\b"
        ),
        _re(
            r"\b(?:alike|even-?handed\w*|equally|the\s+same|no\s+(?:difference|favou?rites)|as\s+(?:readily|often|freely|much|harshly|willing\w*))\b"
        ),
    ),
    "data-withheld": (
        _re(
            r"\b(?:with(?:held|holds?|holding)|kept|keeps?|secret\w*|private\w*|undisclosed|unpublished|locked?|under\s+wraps|hidden|closed|missing|sealed|not\s+(?:been\s+)?(?:published|"
            r"released|shared|available|disclosed|public)|never|nowhere|nobody)\b"
        ),
        _re(
            r"\b(?:for\s+all\s+to\s+see|(?:are|is|were|was|been)\s+(?:also\s+|now\s+|all\s+)?(?:published|public|released|available|disclosed|out|online|posted)|open\s+to\s+inspection|"
            r"can\s+be\s+(?:read|inspected|downloaded|seen))\b"
        ),
    ),
}


def _plainly(proposition: str, clause: str) -> bool | None:
    """What the plain wordings of a proposition say; None without one, or with one of each."""
    if proposition not in _PLAIN:
        return None
    made, denied = (pattern.search(clause) is not None for pattern in _PLAIN[proposition])
    if made == denied or (made and _TURNED.search(clause)):
        return None
    return made


_TURNED = _re(r"\bnot\b|n['\u2019]t\b")


def _share_of(name: str, row: list[str]) -> float:
    return learned("propositions").shares(_features(row))[name]


_AUXILIARY = re.compile(
    r"(?:is|are|was|were|can|could|may|will|does|do|did|has|have|had|must|should)"
)
_ANYBODY = {"nobody": "anybody", "none": "some", "cannot": "can"}


def _without_its_not(row: list[str]) -> list[str] | None:
    """The words without their only "not", where that stands with the verb; None elsewhere."""
    at = [i for i, word in enumerate(row) if _NOT.fullmatch(word)]
    if len(at) != 1:
        return None
    (index,) = at
    word = row[index]
    if word in _ANYBODY and (index == 0 or word == "cannot"):
        return [*row[:index], _ANYBODY[word], *row[index + 1 :]]
    if word.endswith("n't"):
        return [*row[:index], word.removesuffix("n't"), *row[index + 1 :]]
    before = row[index - 1] if index else ""
    after = row[index + 1] if index + 1 < len(row) else ""
    if word == "not" and _AUXILIARY.fullmatch(before) and after not in ("only", "just", "merely"):
        return [*row[:index], *row[index + 1 :]]
    return None


# "its previous open model dates from 2019", with no other year
_SINCE_THEN = re.compile(
    r"^(?!.*\b202[0-4]\b).*\b(?:previous|last|latest|since|before)\b.{0,50}?\b(?:2019|GPT-2|six\s+years)\b",
    re.IGNORECASE,
)


_LEAST_WORDS = 2
_SURE = 0.5
_LEAST_OF_PLAIN = 0.2
_OF_LEAVE = ("commercial", "self-host", "weights-out")  # what somebody is free to do
_FORBIDS = re.compile(
    r"\b(?:(?:does|do|did|will|would)(?:\s+not|n['\u2019]t)\s+(?:let|allow|permit)|(?:(?:may|must)\s+not|can(?:not|['\u2019]t))\s+be\s+(?:used|sold|"
    r"run|had|got|fetched|downloaded)|forbids?|forbidden|prohibit\w*|bans?|banned|bars)\b",
    re.IGNORECASE,
)


# Words without one of which a clause is none of these, however the others weigh.
_NEEDS = {
    "hosts-differ": re.compile(
        r"\b(?:hosts?|hosted|hosting|providers?|vendors?|servers?|serv(?:es?|ing|ed)|rent\w*|clouds?|wherever|whoever|whichever|runs?\s+it|running\s+it|shops?|"
        r"outfits?|resellers?|endpoints?|suppliers?|landlords?|compan(?:y|ies)|firms?|houses?|places?|address\w*|data\s+cent\w+|machines?|door|kitchens?|others?)\b",
        re.IGNORECASE,
    ),
    "malformed-edits": re.compile(
        r"\b(?:edit\w*|format\w*|mal-?form\w*|botch\w*|patch\w*|diff)", re.IGNORECASE
    ),
    "fast-hosts": re.compile(
        r"\b(?:seconds?|fast\w*|speed\w*|quick\w*|slow\w*|Groq|Cerebras|hosts?|providers?|rapid\w*|tok\w*/s|lightning|blink|pace|crawl\w*)\b",
        re.IGNORECASE,
    ),
    "small-over-large": re.compile(
        r"\b(?:small\w*|larg\w*|big\w*|little|lesser|20b|120b|siblings?|brothers?|sisters?|juniors?|seniors?|size|twins?|pups?|mini\w*|giant|cub|elder|younger|"
        r"bant\w*|heavyweight|lightweight|twenty|minnow|David|kid)\b",
        re.IGNORECASE,
    ),
}
_DENIES = re.compile(
    r"\b(?:OpenAI|company|firm|lab|maker|spokes\w+)\s+(?:has\s+|have\s+|also\s+)?(?:den(?:ies|ied)|reject(?:s|ed)|dismiss(?:es|ed))\b",
    re.IGNORECASE,
)


_TOLD_OPENLY = re.compile(
    r"\b(?:hid(?:es?|den)|conceal\w*|secret|openly|admit\w*)\b", re.IGNORECASE
)


def _can_be(proposition: str, scene: Scene, place: Span) -> bool:
    clause = scene.text[place.start : place.end]
    beside = {"refuses": _DENIES, "never-invents": _TOLD_OPENLY}.get(proposition)
    if beside and beside.search(clause):
        return False
    here = {name for m in scene.models if overlap(m.span, place) for name in m.ids}
    if proposition == "small-over-large" and here - {*FAMILY}:
        return False
    needed = _NEEDS.get(proposition)
    words = " ".join(_row(scene, place))  # without the names
    return needed is None or len(here) > 1 or needed.search(words) is not None
