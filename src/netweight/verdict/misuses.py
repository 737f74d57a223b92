"""Benchmarks offered as evidence for what they do not measure.

Finds what is concluded from a benchmark, or said of what it tests, and compares that with what the
table says it measures. Marks the assertions that rest on it.
"""

import re
from dataclasses import replace
from typing import NamedTuple

from netweight.verdict import topics
from netweight.verdict.assertions import Misuse, Trigger
from netweight.verdict.denial import clause_before, is_distanced, tells_nothing
from netweight.verdict.evidence import Published
from netweight.verdict.names import Mention
from netweight.verdict.reader import sense_of
from netweight.verdict.scenes import Scene, listed_before, names_of, overlap
from netweight.verdict.story import Span
from netweight.verdict.topics import UNNAMED, Relation


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# ---- words for a conclusion

INFERENCE = _re(
    r"\bsuggest\w*|\bindicat\w*|\bimpl(?:y|ies|ied|ying)\b|\bprov(?:e[sd]?|ing|es)\b|"
    r"\bdemonstrat\w*|\breveal\w*|\bshow\w*|"
    r"\bconfirm\w*|\bguarantee\w*|\bensur(?:e|es|ing)\b|\bmean(?:s|ing)\b|\bmeant?\s+that\b|\btells?\s+(?:you|us)\b|"
    r"\bproof\s+(?:of|that)\b|\battest\w*|\btestif\w+|\bbetray\w*|\bspeaks?\s+volumes\b|"
    r"\bevidence (?:of|that|for)\b|\bsigns? (?:of|that)\b|"
    r"\bexpos(?:e[sd]?|ing)\b|\blays?\s+bare\b|\bgives?\s+away\b|\bleaves?\s+no\s+doubt\b|\bgoes\s+to\s+show\b|"
    r"\bpoint(?:s|ed|ing)? to\b|\bhence\b|\btherefore\b|\bconclud\w*|\blead(?:s|"
    r"ing)? (?:\w+ ){0,3}to conclude\b|\bmak(?:es|ing) (?:it|them) clear\b"
)
# Weaker words for a conclusion: they count only where the benchmark measures nothing of the kind.
SOFT_INFERENCE = _re(
    r"\bcount(?:ed|ing)?\s+on\b|\brel(?:y|ied|ying)\s+on\b|\btrust(?:ed)?\s+(?:it|them|the\s+\w+)?\s*to\b|"
    r"\bexpect(?:ed)?\b|\bmak(?:es|ing)\s+(?:it|them|the\s+\w+|gpt[\w\-]*)\b|\b(?:can|could)\s+(?:see|tell)\b|"
    r"\bsays?\s+(?:that\s+)?(?:it|they|the\s+models?)\b|\bcan(?:not|n['\u2019]t)?\s+be\s+trusted\b|"
    r"\bmust\s+(?:be|have|know)\b|\bbound\s+to\b|\bsure\s+to\b|\b(?:no|small|little)\s+wonder\b|"
    r",\s+so\s+(?:it|they|expect|do\s+not|don['\u2019]t|never|avoid|use|you\s+(?:can|should)|the\s+models?|"
    r"there\s+is|gpt[\w\-]*)\b|\bis\s+why\b|\bthus\b|\bconsequently\b|\bit\s+follows\b"
)
# What a conclusion is drawn from, named before it: "Judging by its 90% on X, ...".
GROUNDS = _re(
    r"^(?:[A-Z]\w*:\s+)?(?:given|judging\s+(?:by|from)|going\s+by|based\s+on|in\s+(?:the\s+)?(?:view|light)\s+of|"
    r"on\s+the\s+(?:strength|basis|evidence)\s+of|from|(?:a|any)\s+model\s+(?:that|which|with))\b"
)
FIRM_WORTH = _re(
    r"\b(?:best|good|fair|reliable|excellent|perfect|truest?|surest?|better)\s+(?:\w+\s+)?(?:measure|test|gauge|guide|"
    r"indicator|proxy|yardstick|window|predictor|sign)\b|\b(?:says?|tells?\s+(?:us|you|one)?)\s+(?:as|so|"
    r"a\s+lot|a\s+great\s+deal|a\s+good\s+deal|much|more|plenty|volumes)\s+(?:much\s+)?(?:about|of|on)\b|"
    r"\b(?:yardstick|proxy|barometer|litmus\s+test|stand-?in|predictor)\s+(?:for|of)\b"
)
MEASURING = _re(
    r"\b(?:measur|test|gaug|assess|evaluat|prob|grad|examin|mark|scor|rat|judg|check)(?:e|es|ed|s|ing)?\s+(?=how|whether)|\b(?:measur|test|gaug|assess|evaluat|prob)(?:e|es|ed|s|ing)?\b|\b(?:test|measure|"
    r"benchmark|gauge|exam) (?:of|for)\b"
)
_FROM = (
    r"(?:From|With|Given|Judging\s+by|Going\s+by|Based\s+on|After|"
    r"On\s+the\s+(?:strength|basis|evidence)\s+of)"
)
BACK_REFERENCE = _re(
    r"^(?:These|Those|This|That|Such|The) (?:\w+ )?(?:findings?|results?|scores?|numbers?|"
    r"figures?|means?|suggests?|shows?|proves?|indicates?|makes?|is\s+why)\b|"
    rf"^(?:\w+:\s+)?{_FROM}\s+(?:this|that|these|those|it|them)(?:,|\s+(?:you|one|we|it\s+follows)\b)|"
    rf"^(?:\w+:\s+)?{_FROM}\s+(?:(?:such|an?|the|this|that|these|those)\s+)+(?:\w+\s+){{0,2}}?"
    r"(?:marks?|scores?|results?|numbers?|figures?|rates?|ratings?|showing|evidence)\b|"
    r"^(?:So|Hence|Therefore|Thus|It\s+follows(?=\s+that|,)|No\s+wonder|Small\s+wonder|In\s+other\s+words|Which\s+means|"
    r"That['\u2019]s\s+why)\b|"
    r"^(?:\w+:\s+)?(?:That|This|Which)\s+(?:tells|means|shows|says|proves|suggests|makes|implies)\b|"
    r"\b(?:this|that|these|those|such)\s+(?:an?\s+)?(?:\w+\s+)?(?:numbers?|scores?|results?|figures?|marks?|rates?|"
    r"ratings?|showings?)\b|\b(?:marks?|scores?|results?|showing|figures?|numbers?|rating|grade)\s+(?:there|on\s+it)\b|\b(?:numbers?|scores?|results?|figures?|marks?|rates?|ratings?)\s+like\s+(?:this|that|these|"
    r"those)\b"
)

# ---- words for abilities that are clear only in a conclusion, or in the description of a test

_FURTHER_WORDS = {
    "instruction_following": _re(
        r"\bobey\w*|\bdisobe\w+|\bformatting\b|\b(?:do|does|doing|did)\s+(?:exactly\s+|just\s+)?(?:as|what)\s+(?:it|they|"
        r"you|one)\s+(?:is|are|was|were|ask|tell|want)|\b(?:carr(?:y|ies|ying)\s+out|heed|follow|ignor|execut|comply\s+with|stick\s+to)\w*\s+"
        r"(?:\w+\s+){0,3}?(?:orders?|commands?|requests?|prompts?|briefs?|rules|specifications?|directives?|guidelines)\b|\bword\s+limits?\b"
    ),
    "multilingual": _re(
        r"\b(?:outside|beyond|other\s+than|except)\s+(?:of\s+)?English\b|\bnon-English\b|\btongues?\b|\bbilingual\w*|\blinguist\w*|"
        r"\btranslat\w+|\bmonoglot\w*|\binterpreters?\b|\b(?:French|German|Spanish|Italian|Portuguese|Japanese|Korean|"
        r"Mandarin|Arabic|Hindi|Bengali|Tamil|Urdu|Swahili|Yoruba|Dutch|Polish|Turkish|Welsh|Gaelic|Greek|Russian|Ukrainian)\b"
        r"(?!\s+(?:models?|labs?|rivals?|companies|firms?|makers?|government))"
    ),
    "creative_writing": _re(
        r"\bsonnets?\b|\bverses?\b|\blimericks?\b|\bhaikus?\b|\bnovelists?\b|\bessayists?\b|\bstorytell\w*|\bshort\s+stor(?:y|ies)\b|"
        r"\bliterary\b|\bliterature\b|\bpoets?\b|\bpoetic\w*|\blyric\w*|\bballads?\b|\bplaywright\w*|\bwordsmith\w*|\bstylists?\b|"
        r"\bwrites?\s+(?:well|beautifully|badly|like\s+an?)\b|\bcreativ\w+|\bimagination\b|\bbedtime\b"
    ),
    "factuality": _re(
        r"\bmak(?:es?|ing)\s+(?:\w+\s+)?(?:things|facts|stuff|people|names|nothing|something)\s+up\b|\bmakes?\s+up\b|\binvent(?:s|ing)?\b|"
        r"\bfabricat\w+|\bconfabulat\w+|\btruth\w*|\bliars?\b|\bhonest\w*|\bbluff\w*|\baccurate\s+facts\b"
    ),
    "safety": _re(
        r"\bdangerous\w*|\bweapons?\b|\bmisus\w+|\bbioweapon\w*|\bmalware\b|\bguardrails?\b|\bharmless\w*|\bsafeguards?\b"
    ),
    "bias": _re(r"\bsexis\w+|\bracis\w+|\bdiscriminat\w+|\bimpartial\w*"),
    "coding": _re(
        r"\b(?:computer\s+)?programm(?:er|ers|ing)\b|\bcoders?\b|\bwrit(?:es?|ing)\s+(?:\w+\s+)?(?:code|scripts?|Python|software)\b"
    ),
    "software_work": _re(r"\bpull\s+requests?\b|\brepositor(?:y|ies)\b|\bGitHub\s+issues?\b"),
    "tool_use": _re(
        r"\bagents?\b|\bcall(?:s|ing)?\s+(?:functions|tools)\b|\bus(?:es?|ing)\s+tools\b"
    ),
    "reasoning": _re(
        r"\bstep[\s-]by[\s-]step\b|\blogical\w*|\bchain[\s-]of[\s-]thought\b|\bthink(?:s|ing)?\s+(?:in\s+steps|clearly|deeply|hard|through)\b|"
        r"\bdeduc\w+|\bthinkers?\b"
    ),
    "empathy": _re(
        r"\bcomfort(?:s|ing)?\b|\bcompassion\w*|\bfeelings\b|\bwarm(?:th|hearted)\b|\bbedside\b"
    ),
    "conversation": _re(r"\bdebat\w+|\bpersua\w+|\brhetoric\w*|\bcharm\w*|\bgood\s+company\b"),
    "general_knowledge": _re(
        r"\beducated\b|\berudit\w+|\bhistory\b|\bgeography\b|\bencyclop\w+|\bknows?\s+(?:\w+\s+){0,3}facts\b"
    ),
}

# ---- where they stand

_OF_ABILITIES = ("compliance-score", "bias", "instruction-following", "ability", "hallucination")


def with_misuses(scene: Scene, triggers: list[Trigger], tables: Published) -> list[Trigger]:
    """Mark the triggers that rest on a benchmark of the wrong kind; add one where none stands.

    Where the words deny that the benchmark tells such a thing, that denial is the claim.
    """
    marked = list(triggers)
    for place, misuse in _misuses(scene, tables) or _drawn(scene, tables):
        hits = [
            i
            for i, t in enumerate(marked)
            if overlap(t.span, place)
            and t.topic in _OF_ABILITIES
            and (t.topic != "compliance-score" or misuse.benchmark in t.benchmarks)
        ]
        if is_distanced(scene.text, place.start) or _says_nothing(scene.text, place):
            marked = [t for i, t in enumerate(marked) if i not in hits]
            marked.append(_scope(place, misuse))
            continue
        for i in hits:
            marked[i] = replace(marked[i], misuses=(*marked[i].misuses, misuse))
        if not hits:
            marked.append(
                Trigger(
                    span=place,
                    topic="ability",
                    type="ability",
                    ability=misuse.ability,
                    direction=direction_at(scene, place),
                    misuses=(misuse,),
                )
            )
    return [_with_its_own_misuse(trigger, tables) for trigger in marked]


def _scope(place: Span, misuse: Misuse) -> Trigger:
    return Trigger(
        span=place,
        topic="benchmark-scope",
        type="ability",
        ability=misuse.ability,
        benchmarks=(misuse.benchmark,),
    )


_NOTHING_OF = re.compile(
    r"\b(?:not|n['\u2019]t|never|neither|nothing|little|no(?:\s+(?:test|measure|gauge))?|rather\s+"
    r"than|instead\s+of|nor)\b[^.;]{0,60}$",
    re.IGNORECASE,
)


# "shows how willing it is, not how well it follows instructions"
_BUT_NOT = re.compile(
    r"^\s*(?:and\s+|but\s+)?not\s+(?:how|whether|what|its|their|the|if|of|about|for|a|an)\b",
    re.IGNORECASE,
)


def _says_nothing(text: str, place: Span) -> bool:
    """Whether a denial stands before the ability: "says nothing about", "is no test of"."""
    before = clause_before(text, place.start)
    if _BUT_NOT.search(before):
        return True
    return tells_nothing(before) or bool(_NOTHING_OF.search(before) and MEASURING.search(before))


def _with_its_own_misuse(trigger: Trigger, tables: Published) -> Trigger:
    """A "compliance score" of a benchmark that gives none is a misuse in itself."""
    if trigger.topic != "compliance-score" or trigger.misuses:
        return trigger
    (benchmark,) = trigger.benchmarks
    if "compliance" in tables.benchmarks[benchmark].measures:
        return trigger
    return replace(trigger, misuses=(Misuse(benchmark, "compliance", is_description=True),))


def _misuses(scene: Scene, tables: Published) -> list[tuple[Span, Misuse]]:
    found: dict[tuple[Span, Misuse], None] = {}
    for benchmarks, reach, is_description, is_soft in _inferences(scene):
        for ability, pattern in topics.ABILITIES.items():
            if is_soft and _is_measured_by_any(ability, scene, benchmarks, tables):
                continue
            places = [*pattern.finditer(scene.text, reach.start, reach.end)]
            if further := _FURTHER_WORDS.get(ability):
                places += further.finditer(scene.text, reach.start, reach.end)
            for match in places:
                for benchmark in benchmarks:
                    row = tables.benchmarks[benchmark]
                    if ability not in (*row.measures, *row.touches):
                        misuse = Misuse(benchmark, ability, is_description)
                        found[Span(*match.span()), misuse] = None
    concluded = {(m.benchmark, m.ability) for _, m in found if not m.is_description}
    return [
        (place, misuse)
        for place, misuse in found
        if not (misuse.is_description and (misuse.benchmark, misuse.ability) in concluded)
    ]


_UNSOUND = 0.8  # the share from which the reader is believed that a conclusion is unsound

_LIKELY = 0.5


def _drawn(scene: Scene, tables: Published) -> list[tuple[Span, Misuse]]:
    """A conclusion that the reader takes for unsound, in words that no rule knows."""
    benchmarks, text = names_of(scene.benchmarks), scene.text
    if not benchmarks and _OF_THE_LAST.search(text):
        last = _last_of(scene)
        if sense_of(last).conclusion()["unsound"] < _LIKELY:  # else it is drawn there already
            benchmarks = scene.earlier_benchmarks or scene.told_benchmarks
            text = f"{last} {text}".strip()
    if not benchmarks or sense_of(text).conclusion()["unsound"] < _UNSOUND:
        return []
    drawn = _DRAWS.search(scene.text) or _OF_THE_LAST.search(scene.text)
    if not drawn or _DENIES.search(scene.text):
        return []
    if _is_measured(scene.text[drawn.start() :], benchmarks, tables):
        return []
    start = max((m.span.end for m in scene.benchmarks), default=0)
    if not re.search(r"\w{3}", scene.text[start:]):
        start = 0
    place = Span(start, len(scene.text))
    return [(place, Misuse(benchmark, UNNAMED)) for benchmark in benchmarks]


# "That shortfall demonstrates": of the benchmark that the sentence before names.
_OF_THE_LAST = _re(
    rf"{BACK_REFERENCE.pattern}|\bthe\s+same\s+(?:results?|scores?|figures?|numbers?|marks?)\b|"
    r"^\W*(?:that|this)\s+(?:board|leaderboard|test|benchmark|exam\w*|list|ranking|contest|index|quiz)\b|"
    rf"^\W*(?:that|this|these|those|such)\s+(?:an?\s+)?(?:[\w\-]+\s+){{1,3}}?(?:{INFERENCE.pattern})"
)


def _last_of(scene: Scene) -> str:
    """The sentence before, in the same paragraph."""
    before = scene.context.removesuffix(scene.text).strip()
    return re.split(r"(?<=[.!?])\s+", before)[-1]


_DRAWS = _re(
    rf"{INFERENCE.pattern}|{SOFT_INFERENCE.pattern}|{GROUNDS.pattern}|\bso\b|\bbecause\b|\bevidence\b|\bcertif\w+|\bqualif\w+|"
    r"\bproof\b|\bclear(?:ly)?\b|\bplain(?:ly)?\b|\btrust\w*|\bguarantee\w*|\bsettles?\b|\bwarrant\w*|\bmak(?:es|ing)\b|\bmade\b"
)
_DENIES = _re(
    r"\b(?:do(?:es)?|did|is|are|can|could|should|would)\s*(?:not|n['\u2019]t)\s+(?:\w+\s+)?(?:show|prove|mean|say|tell|imply|"
    r"measure|test|suggest|follow|be\s+read)\w*\b|\b(?:says?|tells?|shows?|proves?|means?)\s+(?:us\s+)?(?:nothing|little|no)\b|"
    r",\s*not\s+(?:how|whether|what|that)\b"
)


def _is_measured(text: str, benchmarks: tuple[str, ...], tables: Published) -> bool:
    """Whether the words name something that one of the benchmarks does measure."""
    measured = {
        ability
        for name in benchmarks
        for ability in (*tables.benchmarks[name].measures, *tables.benchmarks[name].touches)
    }
    patterns = [topics.ABILITIES.get(a) for a in measured] + [
        _FURTHER_WORDS.get(a) for a in measured
    ]
    return any(pattern.search(text) for pattern in patterns if pattern)


def _is_measured_by_any(
    ability: str, scene: Scene, benchmarks: tuple[str, ...], tables: Published
) -> bool:
    """Whether some benchmark of the sentence, or of those offered, is about the ability."""
    named = {*benchmarks, *names_of(scene.benchmarks), *scene.earlier_benchmarks}
    rows = [tables.benchmarks[name] for name in named]
    return any(ability in (*row.measures, *row.touches) for row in rows)


class _Inference(NamedTuple):
    """Benchmarks, what is concluded or said of them, and how firm the words for it are."""

    benchmarks: tuple[str, ...]
    reach: Span
    is_description: bool = False
    is_soft: bool = False


def _inferences(scene: Scene) -> list[_Inference]:
    return [
        *_conclusions(scene),
        *_from_grounds(scene),
        *(i for mention in scene.benchmarks for i in _descriptions(scene.text, mention)),
    ]


def _conclusions(scene: Scene) -> list[_Inference]:
    """What follows a "shows that" or the like, from the benchmarks before it."""
    found = []
    points_back = BACK_REFERENCE.search(scene.text)
    for pattern in (INFERENCE, SOFT_INFERENCE):
        for cue in pattern.finditer(scene.text):
            stop = topics.ADVERSATIVE.search(scene.text, cue.end())
            reach = Span(cue.end(), stop.start() if stop else len(scene.text))
            benchmarks = listed_before(scene, cue.start())
            if not benchmarks and points_back:
                benchmarks = scene.earlier_benchmarks
            if not benchmarks and _THERE.search(scene.text, 0, cue.start()):
                benchmarks = scene.carried_benchmarks
            if benchmarks:
                is_soft = pattern is SOFT_INFERENCE
                found.append(_Inference(benchmarks, reach, is_soft=is_soft))
    if points_back and _SO.match(scene.text) and not scene.benchmarks:
        reach = Span(points_back.end(), len(scene.text))
        found.append(_Inference(scene.earlier_benchmarks, reach, is_soft=True))
    return found


_THERE = re.compile(
    r"\d[\d.]*\s*(?:%|percent)?\s+(?:\w+\s+)?(?:there|on\s+it|on\s+that)\b", re.IGNORECASE
)
_SO = re.compile(
    r"^(?:So|Hence|Therefore|Thus|No wonder|Small wonder|In other words)\b,?\s+(?:that\s+)?"
    r"(?:it|they|the\s+(?:\w+\s+)?models?|expect|do\s+not|don['\u2019]t|you\s+can|gpt[\w\-]*)\b"
)


def _from_grounds(scene: Scene) -> list[_Inference]:
    """Read "Judging by its score on X, it must be good at Y"."""
    grounds = GROUNDS.search(scene.text)
    comma = re.search(r",\s", scene.text)
    if grounds is None or not scene.benchmarks:
        return []
    named = [m for m in scene.benchmarks if comma is None or m.span.end <= comma.start()]
    if not named or comma is None:
        return []
    stop = topics.ADVERSATIVE.search(scene.text, comma.end())
    reach = Span(comma.end(), stop.start() if stop else len(scene.text))
    return [_Inference(names_of(named), reach, is_soft=True)]


def _descriptions(text: str, mention: Mention) -> list[_Inference]:
    """What a benchmark is said to test, and the label that hangs on its name."""
    found = []
    cue = MEASURING.search(text, mention.span.end, mention.span.end + 50)
    if cue and not topics.ADVERSATIVE.search(text, mention.span.end, cue.start()):
        reach = Span(cue.end(), _end_of_phrase(text, cue.end()))
        found.append(_Inference(mention.ids, reach, is_description=True))
    firm = FIRM_WORTH.search(text, mention.span.end, mention.span.end + 80)
    if firm and not topics.ADVERSATIVE.search(text, mention.span.end, firm.start()):
        reach = Span(firm.end(), _end_of_phrase(text, firm.end()))
        found.append(_Inference(mention.ids, reach, is_soft=True))
    if called := _CALLED.match(text, mention.span.end):
        reach = Span(called.end(), _end_of_phrase(text, called.end()))
        found.append(_Inference(mention.ids, reach, is_description=True))
    if labelled := _LABEL.match(text, mention.span.end):
        reach = Span(mention.span.end, labelled.end())
        found.append(_Inference(mention.ids, reach, is_description=True))
    return found


_LABEL = re.compile(
    r"(?:,\s*(?:an?|the)\b)?[^.;,]{0,40}?\b(?:scores?|ratings?|rates?|results?|"
    r"benchmark|tests?|exam|evaluation|assessment|suite|leaderboard)\b"
)
# "SimpleQA, that gold standard for logic", "Polyglot, an examination in foreign languages"
_CALLED = re.compile(
    r"(?:\s+(?:results?|scores?|marks?|figures?|ratings?))?,\s+(?:an?|the|that|this|our|your|that\s+\w+|its)\s+(?:[\w\-]+\s+){0,4}?"
    r"(?:(?:gold\s+)?standard|exam\w*|test|tests|measure|yardstick|touchstone|contest|quiz|benchmark|gauge|trial|proof|assessment|check|olympiad|"
    r"league|championship|barometer)\s+(?:of|for|in|on)\s+",
    re.IGNORECASE,
)


def tells_of_a_test(scene: Scene, place: Span) -> bool:
    """Whether a clause says of a benchmark, named before, what it is good for."""
    return any(
        pattern.search(scene.text, mention.span.end, place.end)
        for mention in scene.benchmarks
        if overlap(mention.span, place)
        for pattern in (FIRM_WORTH, MEASURING)
    )


def _end_of_phrase(text: str, start: int) -> int:
    stop = re.compile(r"[,;.]").search(text, start)
    return stop.start() if stop else len(text)


def direction_at(scene: Scene, span: Span) -> Relation | None:
    window = scene.text[max(0, span.start - 60) : span.end]
    if topics.WEAK.search(window):
        return "below"
    return "above" if topics.STRONG.search(window) else None


_DESCRIBES = _re(
    r"\b(?:measur|test|gaug|assess|evaluat|prob|ask|check|mark|grad|consist|contain|us|cover|count|compar|set)(?:e|es|ed|s|ing)?\b|"
    r"\b(?:is|are)\s+(?:an?|the|made\s+up|drawn|marked|taken|not|about)\b|\b(?:says?|tells?)\s+(?:nothing|little)\b"
)
_LEAST_SHARED = 2  # words of a description that the table has too


def described(scene: Scene, tables: Published) -> list[Trigger]:
    """A benchmark described in words that the table has too, or denied what the table denies it."""
    if len({*names_of(scene.benchmarks)}) != 1 or re.search(r"\d\s?%", scene.text):
        return []
    (name,) = {*names_of(scene.benchmarks)}
    mention, row = scene.benchmarks[0], tables.benchmarks[name]
    said = _DESCRIBES.search(scene.text, mention.span.end)
    if said is None:
        return []
    denies = tells_nothing(said[0]) or re.search(r"\bnot\b|n['\u2019]t\b", scene.text)
    known = _stems(row.is_not if denies else row.is_)
    shared = known & _stems(scene.text[said.start() :])
    if len(shared) < (1 if denies else _LEAST_SHARED):
        return []
    place = Span(mention.span.start, said.end())
    return [Trigger(span=place, topic="benchmark-scope", type="ability", benchmarks=(name,))]


def _stems(text: str) -> set[str]:
    """The beginnings of the longer words, so that "questions" and "question" are one."""
    return {word[:5] for word in re.findall(r"[a-z]{4,}", text.lower())} - {"that", "with", "when"}
