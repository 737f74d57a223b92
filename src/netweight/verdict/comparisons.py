"""Where a sentence sets models beside each other, with the benchmarks it does that on."""

import re
from typing import Literal

from netweight.verdict import topics
from netweight.verdict.assertions import Trigger
from netweight.verdict.comparisons_read import OPPOSITE, is_turned, read_compared
from netweight.verdict.denial import is_denied, is_distanced
from netweight.verdict.evidence import Published
from netweight.verdict.names import OPENAI_PROPRIETARY, Mention
from netweight.verdict.numerals import gap_at
from netweight.verdict.relations import Compared, find_compared
from netweight.verdict.scenes import Scene, listed_before, names_of, subjects_of
from netweight.verdict.story import Span
from netweight.verdict.topics import Relation


def comparisons_in(scene: Scene, tables: Published) -> list[Trigger]:
    """Words that compare, with the models and benchmarks that they compare on."""
    found = []
    by_rule = find_compared(scene.text, scene.models)
    for compared in by_rule:
        (start, end), relation, against = compared
        group = _group_before(scene, start)
        near = Span(start, max(end, against[-1].span.end))
        if group and not any(m.ids[0].startswith("group:") for m in against):
            found.append(_of_a_group(scene, group, compared, near))
            continue
        scene.comparator_spans.update(m.span for m in against)
        benchmarks = _benchmarks_for(scene, near)
        of_errors = _count_errors(benchmarks, tables)
        if scene.text.lower().startswith("hallucinat", start):
            benchmarks = ("personqa-hallucination", "simpleqa-hallucination")
            of_errors = True
        elif _is_of_errors(scene.text[start:end], benchmarks, tables):
            relation = OPPOSITE[relation]
        if not benchmarks and _is_at_something_else(scene.text, near):
            found.append(Trigger(span=near, topic="other", type="comparison"))
            continue
        on_none = topics.ON_NO_TEST.search(scene.text, 0, start) is not None
        denied = is_denied(scene.text, start) or (is_distanced(scene.text, start) and not on_none)
        is_plain = not (denied or on_none or of_errors)
        if is_plain and is_turned(scene.text, compared):
            relation = OPPOSITE[relation]
        found.append(
            Trigger(
                span=near,
                topic="comparison",
                type="comparison",
                relation=relation,
                negated=denied != on_none,
                comparators=names_of(list(against)),
                benchmarks=benchmarks,
                is_partial=(on_none and not denied)
                or (not benchmarks and _says_partly(scene.text, near)),
                is_of_all=_quantifier(scene.text, against[0]) == "all",
            )
        )
    found += [_as_read(scene, compared) for compared in read_compared(scene, by_rule)]
    return found


def _as_read(scene: Scene, compared: Compared) -> Trigger:
    """A comparison that no rule found; what denies it or turns it round is read with it."""
    (other,) = compared.against
    scene.comparator_spans.add(other.span)
    benchmarks = _benchmarks_for(scene, other.span)
    quantifier = _quantifier(scene.text, other)
    return Trigger(
        span=other.span,
        topic="comparison",
        type="comparison",
        relation=compared.relation,
        comparators=other.ids,
        benchmarks=benchmarks,
        is_partial=not benchmarks and _says_partly(scene.text, other.span),
        is_of_all=quantifier == "all",
    )


# "beats X at Latin": no benchmark here and none of the tables'.
_AT = re.compile(
    r"(?:['\u2019]s)?\s+(?:at\s+(?:the\s+|its\s+|an?\s+)?(?!(?:all|once|least|most|every\w*|any\w*|this|that|these|those|"
    r"core|common|standard|general|reasoning|tests?|benchmarks?|points?|scores?|\d)\b)|in\s+(?=[A-Z][a-z]+\b)"
    r"(?!(?:January|February|March|April|May|June|July|August|September|October|November|December)\b))"
    r"(?P<what>[\w\-]+)"
)


def _is_at_something_else(text: str, near: Span) -> bool:
    """Whether a comparison is of an ability that no benchmark of the tables is about."""
    said = _AT.match(text, near.end)
    if said is None:
        return False
    words = text[near.start : min(len(text), said.end() + 25)]
    return not any(pattern.search(words) for pattern in topics.ABILITIES.values())


# After a distance, or after "is" and "does": ahead or behind of whom the passage spoke of.
_BARE = re.compile(
    r"\b(?:(?P<above>ahead|in\s+front|higher|better|on\s+top|stronger|smarter|the\s+lead|up|more|clear|before)|"
    r"(?P<below>behind|lower|worse|weaker|adrift|short|down|less|fewer|off|under|back|poorer))\b"
    r"(?!\s+(?:of|than|with|to)\b)",
    re.IGNORECASE,
)
_OF_THE_TWO = re.compile(
    r"\b(?:(?P<above>better|stronger|smarter|abler|cleverer)|(?P<below>worse|weaker|poorer))\s+of\s+the\s+(?:two|pair)\b",
    re.IGNORECASE,
)
_WINS = re.compile(
    r"\b(?:(?P<above>wins?|won|leads?|led|tops)|(?P<below>loses|lost))\s+(?:on|in|at)\s+(?:every|each|all|any)\b",
    re.IGNORECASE,
)
_STANDS = re.compile(
    r"\b(?:is|are|was|were|comes?\s+out|came\s+out|stays?|stayed|remains?|finish\w*|does|do|did|scores?|performs?|fares?)\s+"
    r"(?:\w+ly\s+|even\s+|still\s+|also\s+|far\s+|much\s+|the\s+)?"
    r"(?:(?P<above>ahead|in\s+front|better|stronger|on\s+top|higher|smarter)|(?P<below>behind|worse|weaker|lower))\b"
    r"(?!\s+(?:of|than|to)\b)",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"\b(?:(?P<above>lead|edge|advantage)|deficit|shortfall|lag)\s+(?:is|was|of|comes\s+to|amounts\s+to)\s+(?:\w+\s+)?[\d.]+\s+points?",
    re.IGNORECASE,
)
_BY = re.compile(
    r"\b(?:(?P<above>leads?|led|wins?|won|ahead|in\s+front)|(?P<below>trail(?:s|ed)?|los(?:es|t)|lags?|lagged|behind))\s+"
    r"(?:there\s+|here\s+|on\s+[^.;,]{1,30}\s+)?by\s",
    re.IGNORECASE,
)
_NEXT_TO = 12  # characters between such a word and the name that it goes with
_GAP_REACH = 24  # characters between a distance and the word that gives its direction
_PARITY = re.compile(r"\b(?:near[\s\-]?)?parity\b(?!\s+(?:across|in|between))", re.IGNORECASE)
_OBJECT = re.compile(r"\s+(?:it|them|its\s+rival|both)\b", re.IGNORECASE)


def comparison_left(scene: Scene, place: Span, tables: Published) -> Trigger | None:
    """A comparison with a model that the clause does not name, as in "sat six points higher".

    The other side is the only model of another family that the passage has named, or, where that is
    the subject, the story's own.
    """
    text = scene.text
    if said := _PARITY.search(text, place.start, place.end):
        return _of_peer(scene, Span(*said.span()))
    for relation, start, end in _unattached(text, place, scene.models):
        if group := _group_before(scene, start):
            subject = Compared(Span(start, end), relation, (group,))
            return _of_a_group(scene, group, subject, subject.span)
        subjects = subjects_of(scene, Span(start, end), place, is_size=False)
        rivals = _other_side(scene, subjects)
        if subjects and rivals:
            near = Span(start, end)
            benchmarks = _benchmarks_for(scene, near)
            if _is_of_errors(text[start:end], benchmarks, tables):
                relation = OPPOSITE[relation]  # a lower rate of errors is a better one
            return Trigger(
                span=near,
                topic="comparison",
                type="comparison",
                relation=relation,
                negated=is_denied(text, start),
                comparators=rivals,
                benchmarks=benchmarks,
                is_partial=_says_partly(text, near),
            )
    return None


def _of_peer(scene: Scene, near: Span) -> Trigger:
    """Read "the advertised near-parity": with the maker's own model that is meant as its peer."""
    return Trigger(
        span=near,
        topic="comparison",
        type="comparison",
        relation="equal",
        negated=is_denied(scene.text, near.start),
        comparators=(OPENAI_PROPRIETARY,),
        benchmarks=(),
    )


def _unattached(text: str, place: Span, models: list[Mention]) -> list[tuple[Relation, int, int]]:
    """Comparing words with a pronoun behind them, or with a distance in points beside them."""
    found: list[tuple[Relation, int, int]] = [
        (relation, m.start(), m.end())
        for relation, pattern in topics.RELATIONS
        for m in pattern.finditer(text, place.start, place.end)
        if _OBJECT.match(text, m.end())
    ]
    for pattern in (_LEAD, _BY, _STANDS, _OF_THE_TWO, _WINS):
        for match in pattern.finditer(text, place.start, place.end):
            found.append(("above" if match["above"] else "below", match.start(), match.end()))
    if gap := gap_at(text, place.start, place.end):
        word = _BARE.search(text, gap.span.end, min(place.end, gap.span.end + _GAP_REACH))
        is_attached = word and any(0 <= m.span.start - word.end() <= _NEXT_TO for m in models)
        if word and not is_attached and not _OTHER_UNIT.search(text, gap.span.end, word.start()):
            relation: Relation = "above" if word["above"] else "below"
            found.append((relation, gap.span.start, word.end()))
    return sorted(found, key=lambda item: item[1])


_OTHER_UNIT = re.compile(r"\w")


def _other_side(scene: Scene, subjects: tuple[str, ...]) -> tuple[str, ...]:
    """Whom a subject is compared with where nobody is named: one of the story's own, or a rival."""
    own = {*scene.main_subjects}
    if not own & {*subjects}:
        here = [m for m in scene.running_subjects if m in own]
        return tuple(here) or scene.main_subjects
    others = [m for m in scene.passage_models if m not in own and ":" not in m]
    last = [m for m in scene.last_models if m in others]
    if len({*others}) == 1 or len({*last}) == 1:
        return tuple(last or others)[:1]
    if others or len(subjects) > 1:
        return ()
    return tuple(m for m in scene.main_subjects if m not in subjects)


def _group_before(scene: Scene, start: int) -> Mention | None:
    """The group of models that is the subject of a comparing word, or None."""
    before = [m for m in scene.models if m.span.end <= start]
    if not before or not before[-1].ids[0].startswith("group:"):
        return None
    return None if _PAUSE.search(scene.text, before[-1].span.end, start) else before[-1]


_PAUSE = re.compile(r"[,;:.](?=\s)|\b(?:but|while|whereas|although|though|and|it|they)\b")


def _of_a_group(scene: Scene, group: Mention, compared: Compared, near: Span) -> Trigger:
    """Read "no Chinese model ranks above X" as a statement on X and the models of the group."""
    scene.comparator_spans.add(group.span)
    quantifier = _quantifier(scene.text, group)
    return Trigger(
        span=near,
        topic="comparison",
        type="comparison",
        relation=OPPOSITE[compared.relation],
        negated=quantifier == "none" or is_denied(scene.text, compared.span.start),
        comparators=group.ids,
        benchmarks=_benchmarks_for(scene, near),
        is_partial=quantifier != "all",
        is_of_all=quantifier == "all",
    )


_QUANTIFIERS: tuple[tuple[Literal["none", "all"], re.Pattern[str]], ...] = (
    ("none", re.compile(r"\b(?:no|none|nobody|nothing|neither|not one|not a single)\b", re.I)),
    ("all", re.compile(r"\b(?:every|all|each|any)\b", re.I)),
)


def _quantifier(text: str, group: Mention) -> Literal["none", "all", "some"]:
    """How many of a group are meant, by the words that lead to it."""
    if not group.ids[0].startswith("group:"):
        return "some"
    words = text[max(0, group.span.start - 25) : group.span.end]
    words = re.split(r"[,;.]\s", words)[-1]
    return next((name for name, word in _QUANTIFIERS if word.search(words)), "some")


_ON_CORE = re.compile(r"\s+(?:on|in|at)\s+(?:the\s+)?core\s+reasoning\b", re.IGNORECASE)


def _says_partly(text: str, near: Span) -> bool:
    """Whether a comparison is said to hold here and there only."""
    if _ON_CORE.match(text, near.end):
        return False
    stop = topics.ADVERSATIVE.search(text, near.end)
    return topics.PARTLY.search(text, near.end, stop.start() if stop else len(text)) is not None


def _is_of_errors(words: str, benchmarks: tuple[str, ...], tables: Published) -> bool:
    """Whether "higher" speaks of a rate of errors, where higher is worse."""
    return _count_errors(benchmarks, tables) and _IN_AMOUNT.search(words) is not None


def _count_errors(benchmarks: tuple[str, ...], tables: Published) -> bool:
    return any(tables.benchmarks[b].lower_is_better for b in benchmarks)


_IN_AMOUNT = re.compile(
    r"^(?:exceed|top)|\b(?:higher|lower|above|below|more|less|fewer)\b", re.IGNORECASE
)


def _benchmarks_for(scene: Scene, near: Span) -> tuple[str, ...]:
    """The benchmarks of a comparison.

    Named in its own stretch between commas, else joined to it by "on" or the like, else named
    before it, else the only one after it, else carried over from the sentence before.
    """
    text = scene.text
    if within := [m for m in scene.benchmarks if near.start <= m.span.start < near.end]:
        return names_of(within)
    comma = max((m.end() for m in _COMMA.finditer(text, 0, near.start)), default=0)
    beside = [m for m in scene.benchmarks if comma <= m.span.start < near.start]
    after = [m for m in scene.benchmarks if near.end <= m.span.start]
    if beside and comma:
        return names_of(beside)
    stop = topics.ADVERSATIVE.search(text, near.end)
    limit = stop.start() if stop else len(text)
    if after and _ON.fullmatch(text, near.end, after[0].span.start):
        return names_of(_listed_on(text, [m for m in after if m.span.start < limit]))
    said = _clause_of(text, near)
    if topics.says_universal(said) or (comma and _IN_GENERAL.search(text, comma, near.start)):
        return ()
    if named := listed_before(scene, near.start) or names_of(
        [m for m in scene.benchmarks if m.span.start < near.start]
    ):
        return named
    turn = _NEW_CLAUSE.search(text, near.end)
    alone = names_of([m for m in after if turn is None or m.span.end <= turn.start()])
    return (alone if len(alone) == 1 else ()) or scene.pointed_benchmarks


# "and for core reasoning": of no test that was named before
_IN_GENERAL = re.compile(
    r"\b(?:core\s+reasoning|reasoning\s+in\s+general|in\s+general|overall)\b", re.IGNORECASE
)
_COMMA = re.compile(r"[,;:](?=\s)")
_NEW_CLAUSE = re.compile(r";|,?\s(?:but|while|whereas|although|though|yet)\b|,\s+(?:and|so)\b")


def _clause_of(text: str, near: Span) -> str:
    """The words of a place between the turns before it and after it."""
    start = max((m.end() for m in _NEW_CLAUSE.finditer(text, 0, near.start)), default=0)
    stop = _NEW_CLAUSE.search(text, near.end)
    return text[start : stop.start() if stop else len(text)]


_ON = re.compile(
    r"(?:\s+(?:\w+\s+){0,3}|[^.;,]{0,30}?\b)(?:on|in|at|across|by)\s+(?:the\s+)?",
    re.IGNORECASE,
)


def _listed_on(text: str, mentions: list[Mention]) -> list[Mention]:
    """The first benchmark and those listed with it; another "on" begins another statement."""
    kept = mentions[:1]
    for mention in mentions[1:]:
        if not re.fullmatch(
            r"[\s,)(]*(?:and|or|as well as|plus|&|,)?\s*(?:on\s+)?(?:the\s+)?[\s(]*",
            text[kept[-1].span.end : mention.span.start],
        ):
            break
        kept.append(mention)
    return kept
