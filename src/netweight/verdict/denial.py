"""Whether words stand under a "not": denied in their clause, or held at a distance by the writer.

One notion of the scope of a denial for every kind of claim. Knows words only.
"""

import re

_MAX_SCOPE = 90  # characters from a "not" to what it denies, within its clause

# Where a clause begins: a denial reaches no further back.
_CLAUSE_START = re.compile(
    r"[.;:,](?=\s)|\s[\u2013\u2014]\s|\u2014|\b(?:but|while|whereas|although|though|yet|and|so|"
    r"because|since|which|who)\s",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:neither|nor|not(?!\s+(?:only|just|merely|simply|least|to mention|surprisingly))|"
    r"never|no longer|cannot|hardly|scarcely|barely|nowhere near|far from|anything but|"
    r"fail(?:s|ed|ing)? to|refus(?:es|ed) to|declin(?:es|ed) to|unable to|stops? short of|"
    r"falls? short of being|"
    r"without|instead of|rather than|none of|nothing like|by no means|"
    r"no\s(?=(?:\w+\s){0,2}?(?:licen|Apache|usage|context|support|vision|image)))\b|n['\u2019]t\b|\bno\s+$",
    re.IGNORECASE,
)
# To the end, but not past a ", and" or ", but": what follows stands on its own.
_TO_THE_END = (
    r"(?:(?!,\s+(?:and|but|so|while|whereas|yet|though|although)\s|\s(?:but|while|whereas|though|"
    r"although)\s)[^.;]){0,80}$"
)
_DISTANCED = re.compile(
    r"\b(?:wrong|false|incorrect|untrue|misleading|mistaken|nonsense|fiction|(?:a )?myth|"
    r"(?:a )?mistake|not true|not the case|not correct|contrary to|far-fetched|a stretch)\b"
    r"[^.;,]{0,40}\b(?:say|claims?|think|believe|conclude|reports?|that|idea|notion|suggest)\b"
    rf"{_TO_THE_END}|"
    r"\b(?:no (?:\w+ )?(?:\w+ )?(?:benchmark|test|evidence|study|source|figure|score|result|number|"
    r"proof|reason|sign|indication|basis)s?|nobody|no one|none of (?:the|these|this)[^.;,]{0,30}|"
    r"nothing)\b[^.;]{0,30}\b(?:shows?|shown|suggests?|proves?|proved|proven|demonstrates?|"
    r"demonstrated|says?|tells?|means?|implies|indicates?|establishes|claims?|claimed|confirms?|"
    rf"confirmed|that|to (?:say|believe|think|conclude))\b{_TO_THE_END}|"
    r"\b(?:does|do|did|can|could|would|is|are)(?: not|n['\u2019]t) (?:\w+ )?(?:show|mean|prove|"
    r"imply|suggest|indicate|tell|establish|demonstrate|claim|say|evidence|proof|follow)\w*\b"
    rf"{_TO_THE_END}|"
    r"\b(?:(?:do|should|must|can|may)(?: not|n['\u2019]t)|never|cannot) (?:be )?"
    r"(?:read|tak|treat|seen?\b|interpret)\w*\b[^.;]{0,60}\b(?:as|to mean)\b"
    rf"{_TO_THE_END}",
    re.IGNORECASE,
)


def clause_before(text: str, position: int) -> str:
    """The words of a place's clause that stand before it."""
    low = max(0, position - _MAX_SCOPE)
    start = max((m.end() for m in _CLAUSE_START.finditer(text, low, position)), default=low)
    return text[start:position]


def is_denied(text: str, start: int) -> bool:
    """Whether a "not" or the like before a place, in its clause, denies what stands there."""
    return _NOT.search(clause_before(text, start)) is not None


def is_distanced(text: str, start: int) -> bool:
    """Whether the writer says that what follows is wrong, or that nothing shows it."""
    before = text[max(0, start - 250) : start]
    says_who = _WHO_SAYS.search(before) and _IS_WRONG.search(text, start)
    is_false = _CLAIM_THAT.search(before) and _IS_FALSE.search(text, start)
    return bool(_DISTANCED.search(before) or says_who or is_false)


# "The idea that it is text-only is wrong."
_CLAIM_THAT = re.compile(
    r"\b(?:claim|idea|notion|story|rumou?r|assertion|belief|report|statement|suggestion)s?\s+that\b[^.;]{0,80}$",
    re.IGNORECASE,
)
_IS_FALSE = re.compile(
    r"\b(?:is|are|was|were)\s+(?:\w+ly\s+|just\s+|plain\s+)?(?:false|wrong|untrue|not\s+true|incorrect|mistaken|"
    r"nonsense|a\s+myth|fiction)\b",
    re.IGNORECASE,
)


# "Whoever speaks of parity has not read the table."
_WHO_SAYS = re.compile(
    r"\b(?:anyone|anybody|whoever|those|people|everyone)\s+(?:who\s+)?"
    r"(?:says?|claims?|speaks?|talks?|writes?|wrote|believes?|thinks?|tells?)\b[^.;]{0,80}$",
    re.IGNORECASE,
)
_IS_WRONG = re.compile(
    r"\b(?:(?:has|have|had)(?:\s+not|n['\u2019]t)|(?:has|have|had)\s+never|is|are|must\s+have|has|have)\s+(?:\w+\s+)?"
    r"(?:read|seen|looked|checked|wrong|mistaken|misread|misled|overlooked|missed|not\s+looked)\b",
    re.IGNORECASE,
)


def is_supposed(text: str, start: int) -> bool:
    """Whether a place stands in an "if" clause, or in "without X, Y would be Z": not said."""
    is_if = _SUPPOSED.search(text[max(0, start - 150) : start])
    return bool(is_if or _COUNTERFACTUAL.match(text))


_COUNTERFACTUAL = re.compile(
    r"(?:without|but for|were it not|if it were not)\b[^.;]{0,120}\bwould\b", re.IGNORECASE
)


_SUPPOSED = re.compile(
    r"(?:^|[,;:\u2014]\s*|\b(?:and|but|even|only|as|that)\s+)(?:if|unless|suppos(?:e|ing)|imagine|assuming|what\s+if|"
    r"(?-i:Had|Were|Should))\s+(?!so\b)[^,;.]*$",
    re.IGNORECASE,
)


def has_denial(text: str) -> bool:
    """Whether there is a "not" or the like anywhere in the words."""
    return _NOT.search(text) is not None


def falls_short(text: str) -> bool:
    """Whether the words say that something was not reached."""
    return has_denial(text) or _SHORT.search(text) is not None


_SHORT = re.compile(
    r"\b(?:no|below|under(?!\s+(?:its|the|their|OpenAI))|fail\w*|unable|short of)\b", re.IGNORECASE
)

_TELLS_NOTHING = re.compile(
    r"\b(?:says?|tells?|shows?|reveals?|proves?|means?|follows?)\s+(?:\w+\s+){0,2}?(?:nothing|little|"
    r"not much|next to nothing)\b|\bnothing\s+(?:\w+\s+){0,3}(?:follows|is said)\b",
    re.IGNORECASE,
)


def tells_nothing(text: str) -> bool:
    """Whether the words say that something tells nothing of what follows."""
    return _TELLS_NOTHING.search(text) is not None


# The story takes back what the sentence says: it is told as an error, not made as one.
_TAKEN_BACK = re.compile(
    r"\b(?:corrections?|corrected|erratum|errata|misstated|misreported|misquoted|misread|typos?|"
    r"an earlier version of this|we (?:got|had) (?:it|this|that|the \w+) wrong|should have (?:read|"
    r"been|said)|should read)\b|"
    r"\b(?:[Oo]ur\s+(?:report|story|article|headline|piece|caption|table)\b[^.;]{0,40}?\b(?:put|said|gave|called|had|claimed|stated|says)|[Ww]e\s+(?:also\s+|wrongly\s+)?"
    r"(?:wrote|reported|printed|stated)\s+that)\b|"
    r"\b(?:put|set)\s+(?:right|straight)\b|\bhad\s+better\s+look\s+again\b|\b(?:pure|utter|sheer|complete)\s+(?:tosh|rubbish|bunk|invention)\b|"
    r"(?:not|n['\u2019]t)\s+(?:\w+\s+)?(?:borne\s+out|supported|backed|confirmed)\s+by\b|(?:not|n['\u2019]t)\s+covered\s+by\s+(?:the\s+)?(?:numbers|tables?|figures|data|card|evidence|facts)\b|"
    r"(?:not|n['\u2019]t)\s+(?:survive|hold\s+up|stand\s+up|bear\s+(?:scrutiny|inspection)|add\s+up)\b|"
    r"[;:]\s*(?:it|they|that)\s+(?:cannot|can['\u2019]t|does\s+not|doesn['\u2019]t|do\s+not|is\s+not|isn['\u2019]t|are\s+not)[.!]?$|"
    r"\b(?:says?|tells?|shows?|suggests?)\s+(?:otherwise|the\s+(?:opposite|contrary|reverse)|something\s+else)\b|"
    r"(?<!\bI )(?<!\bwe )(?<!\bWe )\b(?:is|was|are|were)\s+(?:\w+ly\s+|just\s+|also\s+|a\s+)?"
    r"(?:false|wrong|untrue|not\s+true|not\s+(?:so|right|correct)|incorrect|mistaken|nonsense|fiction|myth|made\s+up|misleading)\b(?!\s+(?:on|in|about|for|\d))",
    re.IGNORECASE,
)
_TAKES_BACK = re.compile(
    r"^(?:That|This|Which|The (?:claim|figure|number|statement))\s+(?:\w+\s+){0,2}?"
    r"(?:is|was|are|were)\s+(?:\w+ly\s+|simply\s+)?(?:false|wrong|untrue|not\s+true|incorrect|"
    r"a\s+mistake|nonsense|a\s+myth)\b|"
    r"^(?:It|They|That|Which it)\s+(?:does|do|did|is|are|was|were|has|have)"
    r"(?:\s+not|n['\u2019]t)(?:[.!]?$|[,;]\s)|"
    r"^(?:But\s+)?(?:The|Its|OpenAI['\u2019]s|Their)\s+(?:\w+\s+)?(?:card|table|tables|figures?|data|numbers?|board|"
    r"documents?|sources?|papers?|leaderboard)\s+(?:says?|tells?|shows?|begs?|has)\s+(?:otherwise|something\s+else|"
    r"the\s+(?:opposite|reverse|contrary)|another|a\s+different|to\s+differ)\b|"
    r"^(?:But\s+)?(?:The\s+(?:truth|reality)|In\s+(?:truth|reality|fact))\b[^.;]*\b(?:different|otherwise|reverse|"
    r"opposite|other\s+way\s+round)\b|^(?:This|That)\s+(?:does|did)(?:\s+not|n['\u2019]t)\s+(?:hold|stand)\b|"
    r"^(?:Wrong|False|Not\strue|Not\sso|Nonsense|No|Nope|Nah|Rubbish|It\s(?:ca|does|wo|is)n['\u2019]t|It\scannot|I\slooked)\b(?:[.:!,]|$)",
    re.IGNORECASE,
)


def is_taken_back(text: str, following: str = "") -> bool:
    """Whether a sentence, or the one after it, calls what is said an error."""
    return _TAKEN_BACK.search(text) is not None or _TAKES_BACK.match(following) is not None


# "A colleague says that it beats X. On HealthBench he is right."
_LIMITED = re.compile(
    r"^(?:But\s+|And\s+)?(?:On|In|For|At|As\s+(?:to|for)|With)\s+[^.;]{2,60}?(?:,\s*)?\b(?:he|she|they|that|this|it|which|the\s+\w+)"
    r"\s+(?:is|are|was|were|may\s+be|holds?|stands?)\s*(?:\w+ly\s+|quite\s+)?(?:right|true|correct|so|fair|accurate)?[.!]",
    re.IGNORECASE,
)


def is_limited(following: str) -> bool:
    """Whether a sentence lets what the one before it says hold for some test only."""
    return _LIMITED.match(following) is not None


_TAG = re.compile(
    r",\s*(?:no|right|eh|yes|huh|correct|surely|innit|(?:is|are|was|does|do|did|has|have|can)(?:n['\u2019]t)?\s+(?:it|they|that))"
    r"\s*\?[\"\u201d'\u2019)]*$",
    re.IGNORECASE,
)


def is_question(text: str) -> bool:
    """Whether a sentence asks; one that only ends in "no?" or "isn't it?" states."""
    return text.rstrip("\"\u201d'\u2019) ").endswith("?") and _TAG.search(text) is None
