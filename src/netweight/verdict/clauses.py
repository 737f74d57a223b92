"""Sentences cut into clauses, and what a clause does: state a fact, give an opinion, or neither.

The net under the rules for single topics: it knows word classes (finite verbs, words of worth,
words for the future, words of the trade) and no model, benchmark or figure. Whether a clause is
true is not its matter.
"""

import itertools
import re
from collections.abc import Iterable
from typing import Literal

from netweight.verdict.lexicon import (
    AUXILIARIES,
    BASE_VERBS,
    FINITE_VERBS,
    OF_BUSINESS,
    OF_THE_TRADE,
    RATHER_NOUNS,
    REPORTING,
    is_boilerplate,
    is_worth,
    words,
)
from netweight.verdict.opinions import opinions_in
from netweight.verdict.story import Span

Reading = Literal["fact", "opinion"]


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# ---- where a sentence is cut

_TOKEN = re.compile(r"[A-Za-z][\w'\u2019\-]*|\d[\d.,]*|[^\w\s]")
_CUT = _re(
    r"(?P<sure>;\s+|\s*\u2014\s*|\s+\u2013\s+|\s+--?\s+|(?<=[.!?])[\"\u201d]?\s+)|"
    r"(?P<joint>,?\s+(?:and|but|so|or|yet|nor|while|whereas|although|though|because|since|unless|"
    r"until)\s+(?:that\s+|then\s+|now\s+|still\s+|also\s+)?|"
    r",\s+which\s+|:\s+)|"
    r"(?P<comma>,\s+)"
)
_SUBJECT = re.compile(
    r"(?:I|it|its|they|their|he|she|his|her|we|our|you|your|yours|mine|this|that|these|those|there|both|one|"
    r"some|many|most|few|several|nobody|everyone|someone|anyone|nothing|the|an?|no|neither|two|"
    r"three|four|five|six|seven|eight|nine|ten|hundreds|thousands|another|other|any|each|every|"
    r"all|my|[A-Z][\w.\-]*|\d[\d,.]*|gpt[\w\-]*|o\d[\w\-]*)(?=[\s'\u2019])"
)
_LONGEST = 400  # characters before a joint in which the verb of its clause is looked for
_REACH = 160  # characters in which those words stand
_WINDOW = 9  # words from the start of a clause within which its verb stands


def words_of(text: str) -> list[str]:
    return [match[0] for match in _TOKEN.finditer(text)]


def verb_at(words: list[str]) -> int | None:
    """Index of the first finite verb, or None. A participle after an article is none."""
    for index, word in enumerate(words):
        low = word.lower().replace("\u2019", "'")
        before = words[index - 1].lower() if index else ""
        if low in AUXILIARIES or low.endswith(("n't", "'re", "'ve", "'ll", "'d", "'m")):
            return index
        if low in FINITE_VERBS and before not in _ARTICLES and (index or low.endswith("ed")):
            return index
        if low.endswith("'s") and low[:-2] in _CONTRACTED:
            return index
        is_past = low.endswith("ed") and len(low) > 4 and before not in _ARTICLES
        if is_past and index and (low[:-2] in BASE_VERBS or low[:-1] in BASE_VERBS):
            return index
        if low in BASE_VERBS and (before in _PLURALS or (before.endswith("s") and index < 8)):
            return index
    return None


def _has_verb(words: list[str]) -> bool:
    """Whether a clause has a finite verb, if need be one that is a noun as often."""
    return verb_at(words) is not None or any(
        _may_be_verb(word, before) for before, word in itertools.pairwise(words)
    )


def _may_be_verb(word: str, before: str) -> bool:
    """Whether a word that is a noun as often, or a participle, could be the verb."""
    low = word.lower()
    is_verb = low in BASE_VERBS or low in RATHER_NOUNS or (low.endswith("ed") and len(low) > 4)
    return is_verb and before.lower() not in _ARTICLES | _NO_SUBJECTS


_NO_SUBJECTS = words(
    "to of in on at for with from and or not no any some more most two three new open own"
)


_ARTICLES = words("a an the its their his her our my your of by as")
_PLURALS = words(
    "i we you they people both who which that these those many some most few others two"
)
_CONTRACTED = words("it that there here what who he she this one")


def clauses_of(text: str, within: Span, kept: Iterable[Span] = ()) -> list[Span]:
    """The stretch of a text in clauses; no cut is made inside a span that is to be kept whole.

    A semicolon or a dash always cuts. A conjunction cuts where a finite verb stands before it and
    a subject with its verb after it, a bare comma where that subject is unmistakable.
    """
    kept = list(kept)
    cuts: list[Span] = []
    start = within.start
    for match in _CUT.finditer(text, within.start, within.end):
        place = Span(*match.span())
        if any(k.start < place.end and place.start < k.end for k in kept):
            continue
        before = text[start : place.start]
        after = text[place.end : min(within.end, place.end + _REACH)]
        if match["sure"] or _parts(before, after, is_bare=bool(match["comma"]), word=match[0]):
            cuts.append(place)
            start = place.end
    starts = [within.start, *(cut.end for cut in cuts)]
    ends = [*(cut.start for cut in cuts), within.end]
    return [Span(a, b) for a, b in zip(starts, ends, strict=True) if text[a:b].strip()]


def _parts(before: str, after: str, *, is_bare: bool, word: str) -> bool:
    """Whether two clauses meet here."""
    if verb_at(words_of(before[-_LONGEST:])) is None:
        return False
    head = words_of(_ENDS_HEAD.split(after, maxsplit=1)[0])[:_WINDOW]
    verb = verb_at(head)
    if verb is None:
        return False
    if "which" in word.lower():
        return verb <= 2
    has_subject = _SUBJECT.match(after) is not None and verb > 0
    return has_subject if is_bare or "," not in word else (has_subject or verb <= 1)


def stands_alone(clause: str) -> bool:
    """Whether a clause has a subject of its own, rather than going on with that of another."""
    words = words_of(re.sub(r"^\W*(?:(?:and|but|so|or|yet|while|though|whereas)\s+)*", "", clause))
    verb = verb_at(words)
    is_free = (
        _THAT_ONE.match(" ".join(words)) or words[0].lower() not in _DEPENDENT if words else False
    )
    return verb is not None and verb > 0 and bool(is_free)


# "that little guy's checkpoint": here the word points, and joins nothing.
_THAT_ONE = _re(r"that\s+(?:little|big|small|large|tiny|same|first|last|new|old|other)\b")


_DEPENDENT = words(
    "which who that to of in on at by for with from under as than where when if after before "
    "until once even whether because since although"
)


# The words in which the verb of a clause must stand: not in another clause, nor in a relative one.
_ENDS_HEAD = re.compile(r"[;:,](?=\s)|\s[\u2014\u2013]|\s(?:that|who|which|whose|to)\s")


# ---- what a clause does

_NUMBER = _re(
    r"(?<![\w\-.])(?!(?:19|20)\d\d\b)[$\u20ac\u00a3]?\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|"
    r"thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|half|third|quarter|twice|"
    r"double[sd]?|dozens?|percent|figures)\b"
)
_ADVICE = _re(
    r"^(?:(?:so|then|please|instead|just|but|and)\s+)*(?:pick|choose|use|try|wait|avoid|buy|take|treat|read|"
    r"remember|consider|beware|forget|skip|keep|hold|test|check|ask|do\s+not|don['\u2019]t|never|"
    r"always|think|look|mind|bet|run|do|let\s+us(?!\s+(?:start|begin|look|turn|see|take|mind|now|first))|bin|ditch|drop|cancel|teach|download|subscribe|wake|trust|expect|call|give|start|stop|go|stay|stick|prefer)\b"
)
_FUTURE = _re(
    r"\b(?:will|won['\u2019]t|shall|(?:is|are)\s+(?:not\s+)?(?:going|bound|sure|destined|poised|likely|"
    r"unlikely)\s+to|sooner\s+or\s+later|(?:expect|predict|forecast|foresee|anticipat|wager)\w*|bets?)\b|"
    r"['\u2019]ll\b"
)
_PLANS = _re(
    r"\b(?:OpenAI|company|maker|lab|firm|startup|start-up|vendor|team|host|provider|spokes\w+|agency|"
    r"ministry|university|board)\b[^.;]{0,40}\b(?:will|would|plans?|intends?)\b"
)
_OF_A_FIRM = re.compile(
    r"^\W*(?:The\s+)?[A-Z][\w.\-]*(?:\s+[A-Z][\w.\-]*){0,3}\s+will\s+(?:also\s+|soon\s+)?(?:carry|offer|host|sell|ship|publish|release|add|"
    r"support|launch|buy|build|invest|hire|use|adopt|move|test|run|include|distribute|fund|open|list)\b"
)
_OUGHT = _re(
    r"\b(?:should(?!\s+(?:be\s+)?(?:fit|run))|ought\b|had\s+better|must|deserves?|needs?\s+to|"
    r"have\s+to|has\s+to|would\s+(?:be|do|have|prefer|rather|call|like|love|not)|"
    r"I['\u2019]d|we['\u2019]d|you['\u2019]d)\b"
)
_MOTIVE = _re(
    r"\b(?:in\s+order\s+to|hop(?:es?|ed|ing)\s+(?:to|that)|wants?\s+to|wanted\s+to|aim(?:s|ed|ing)?\s+"
    r"(?:to|at)|seek(?:s|ing)?\s+to|eager\s+to|desperate\s+to|afraid|(?<!over\s)(?<!about\s)(?<!amid\s)(?<!safety\s)(?<!on\s)(?:fears?\b|feared|worr(?:y|ies|ied))|"
    r"to\s+(?:please|appease|placate|impress|woo|spite|embarrass|distract|show\s+off|win\s+(?:back|over)|curry)|meant\s+to|intended\s+to|motive\w*|tired\s+of|had\s+enough|under\s+pressure)\b"
)
_UNTOLD = _re(
    r"\b(?:declin\w+\s+to\s+(?:say|comment|answer|be|name|give|disclose|discuss|reveal|elaborate|specify)|"
    r"refused\s+to\s+(?:say|comment)|(?:did|has|have|had|does|do|would|could)"
    r"(?:\s+not|n['\u2019]t)\s+(?:\w+ly\s+|yet\s+|immediately\s+|independently\s+)?(?:say|said|comment\w*|respond\w*|"
    r"repl(?:y|ied)|verif\w+|confirm\w*|answer\w*\s+(?:questions|requests)|time[sd]?)|"
    r"(?:nobody|no\s+one|neither|none)\b[^.;]{0,30}\b(?:counted|knows?|asked|said|could\s+say|measured|checked)|"
    r"(?:I|we)\s+(?:could|can|have|did|do)\s*(?:not|n['\u2019]t)\s+(?:\w+\s+)?(?:find|found|verify|verified|confirm\w*|reach\w*|"
    r"test\w*|tr(?:y|ied)|check\w*|timed?|run|know)\b|that\s+may\s+(?:well\s+)?be\b|"
    r"here\s+(?:is|are)\s+(?:what|the|our|how|why)|"
    r"(?:is|are|was|were)\s+(?:based|headquartered|located|founded)\s+in|(?:are|is)\s+under\s+way|what\s+follows)\b"
)
_RELEASES = _re(
    r"\b(?:released?|announced?|unveiled?|launched?|published|introduced|debuted|presented|arrived|"
    r"came\s+out|is\s+out|are\s+out|went\s+online|made\s+its\s+debut)\b"
)
_FIRST_PERSON = _re(
    r"\b(?:I|we|me|us)\b|\b(?:my|our)\b"
    r"(?!\s+(?:cousin|brother|sister|friend|neighbou?r|colleague|boss|mate|aunt|uncle|dentist|doctor|father|mother|employer|school)\w*)"
)
_COPULA = _re(
    r"\b(?:is|are|isn['\u2019]t|aren['\u2019]t|seems?|feels?|looks?|sounds?|remains?)\b|"
    r"\b(?:it|that|there|what|here|this)['\u2019]s\b|['\u2019]re\b"
)
# After a copula these tell how things stand, not what somebody makes of them.
_STATE = _re(
    r"^\s*(?:not\s+|now\s+|still\s+|already\s+|also\s+|only\s+|both\s+|all\s+|currently\s+|n['\u2019]t\s+)*"
    r"(?:available|downloadable|public|online|offline|closed|open|free\s+(?:to|for)|based|located|silent|"
    r"unchanged|absent|missing|part|due|up|down|on|in|at|from|under|for|out|of|"
    r"the\s+(?:same|number|vendor|maker|first|only|last|third|second)|being\s+\w+ed|\w+(?:ed|en|wn|ing)\b|made|built|run|set|cut|put|sold|kept|"
    r"held|told|said|understood|thought|found|brought|bought|taught|spent|sent|read|led|meant|shut)\b"
)
_CONCRETE = _re(
    r"\b(?:crash|fail|download|deploy|switch|cut|fix|ship|load|return|broke|break|froze|freez|stall|hang|hung|drop|"
    r"delete|install|migrat|replac|measur|count|test|ran|run|bought|sold|paid|pay|hire|sign|order|"
    r"cancel|adopt|ban|block|open|close|move|rose|fell|rise|climb|lost|los|gain|grew|shut|delay|leak|"
    r"copied|copy|publish|wrote|post|vote|remov|add|charg|cost|answer|translat|generat|process|refus|train)\w*\b"
)
# What is told as told by others, whatever the words: somebody could look.
_REPORTED = _re(
    r"\b(?:complain(?:s|ed)?|alleg(?:es?|ed)|accus(?:es?|ed)|rumou?r(?:s|ed)?|reportedly|allegedly|(?:is|are|was|were)\s+(?:also\s+|now\s+|\w+ly\s+)?said\s+to|(?:there\s+is|there['\u2019]s)\s+(?:talk|word|a\s+rumou?r)|rumou?r\s+has|word\s+is|"
    r"understood\s+(?:to|that)|sources?\s+sa(?:y|id))\b"
)
_LEAST_WORDS = 4


def reads_as(clause: str, *, is_quoted: bool = False) -> Reading | None:
    """What a clause does; None where it only sets a scene, announces, asks or greets.

    `is_quoted` says that the words stand in quotation marks: what people say without a number or
    an event is what they think.
    """
    clause = _LABEL.sub("", clause).strip(' .,;:"\u201c\u201d')
    words = words_of(clause)
    if clause.endswith("?") or is_boilerplate(clause):
        return None
    is_short = sum(word[0].isalnum() for word in words) < _LEAST_WORDS
    if is_worth(clause) or opinions_in(clause):
        return "opinion" if len(words) > 2 else None
    if is_short or _UNTOLD.search(clause):
        return None
    if _ADVICE.match(clause):
        return "fact" if _TRIED.match(clause) else "opinion"
    if not _has_verb(words):
        return None
    return _of_statement(clause, is_quoted=is_quoted)


# "Ask for a sonnet and you get an integral": what happens if one does.
_TRIED = _re(
    r"^(?:just\s+)?(?:ask|give|hand|feed|put|skip|leave|show|tell|type|request|try|prompt|fill|use|take|set|call)\b[^.;]{3,80}?"
    r"(?:,\s*|\s+)(?:and|or)\s+(?:you|it|they|the|half|one|out|there|everything|most)\b"
)
_LABEL = re.compile(r"^(?:\w+:|\d{1,2}[/.)])\s+")  # "Reviewer: ", "3/ "


def has_number(clause: str) -> bool:
    return _NUMBER.search(clause) is not None


def is_told_by_others(clause: str) -> bool:
    """Whether a clause says that others complain of it, allege it or rumour it."""
    return _REPORTED.search(clause) is not None


def _of_statement(clause: str, *, is_quoted: bool) -> Reading | None:
    """A clause with a finite verb and without a word of worth."""
    is_counted = has_number(clause)
    if _SEES_AS.search(clause):
        return "opinion"
    if is_counted and _PLANS_OF_OTHERS.search(clause) and not _FIRST_PERSON.search(clause):
        return "fact"
    if _OUGHT.search(clause) or _MOTIVE.search(clause):
        return "opinion"
    if _FUTURE.search(clause) and not (is_counted and _OFTEN.search(clause)):
        return "fact" if _PLANS.search(clause) or _OF_A_FIRM.search(clause) else "opinion"
    if is_counted:
        return "fact"
    if _FIRST_PERSON.search(clause) and not is_quoted:
        return None
    if _is_command(words_of(clause)):
        return None
    copula = _COPULA.search(clause)
    if copula and not _says_how_it_is(clause[copula.end() :]):
        return "opinion"
    if is_quoted:
        return "fact" if _CONCRETE.search(clause) else "opinion"
    return None if _RELEASES.search(clause) or _ONLY_SAYS.search(clause) else "fact"


_SEES_AS = _re(
    r"\b(?:sees?|views?|regards?|treats?|reads?|we\s+(?:read|see|view|regard|take))\s+(?:the\s+|it\s+|this\s+|that\s+|its\s+|open\s+)?[\w\s\-]{1,40}?\bas\s+(?:an?|the|nothing|more|less)\b|"
    r"\bwe\s+look\s+for\b|\blooks?\s+(?:dear|cheap|rich|expensive|fair|full)\b"
)
_PLANS_OF_OTHERS = _re(
    r"\b(?:wants?|expects?|plans?|hopes?|intends?|aims?|was\s+meant|were\s+meant|was\s+due|is\s+due|were\s+due)\s+to\b"
)
_OFTEN = _re(
    r"\b(?:one|two|three|\d+)\s+(?:times?|cases?|runs?|tries)\s+(?:in|out\s+of)\b|\bevery\s+\w+\s+(?:time|run|call)\b"
)


def _says_how_it_is(predicate: str) -> bool:
    """Whether a predicate tells a state or a name: "is available", "is basically Phi-5"."""
    return _STATE.match(predicate) is not None or _NAMED.search(predicate) is not None


_NAMED = re.compile(r"\s(?:[A-Za-z][\w\-]*\d[\w\-]*|[A-Z]{2,})\b")


def _is_command(words: list[str]) -> bool:
    """Whether a clause without a subject tells somebody to do something."""
    return words[0].lower() in BASE_VERBS and words[1].lower() in _AFTER_COMMANDS


_AFTER_COMMANDS = words("this that these those the a an it them all every no my your our")


# "its card says": who speaks, and nothing of what is said
_ONLY_SAYS = _re(rf"^[^,;:]{{0,50}}\b(?:{REPORTING}|indicates?|shows?|knows?)$")


def is_of_the_trade(sentence: str, paragraph: str) -> bool:
    """Whether a sentence is of the world in which models are made, sold, run and written about.

    Its paragraph has a word that is of that world alone, or it has one itself that is of business.
    """
    return bool(OF_THE_TRADE.search(paragraph) or OF_BUSINESS.search(sentence))


def is_of_business(paragraph: str) -> bool:
    """Whether a paragraph has a word of that world, or one that it shares with other trades."""
    return bool(OF_THE_TRADE.search(paragraph) or OF_BUSINESS.search(paragraph))


# ---- the words of a speaker, and who speaks

_SAYS_THAT = _re(
    rf"^(?:[^,;:]{{1,60}}?\b(?<!is )(?<!are )(?<!was )(?<!were )(?<!been )"
    rf"(?:{REPORTING})\b(?:\s+(?:me|us|reporters|him|her|them|investors|customers))?"
    rf"(?:\s+that\b|\s*[,:]\s*[\"\u201c]?|\s+(?=(?:its?|their|his|her|the|an?|they|he|she|we|it)\b))|"
    rf"according\s+to\s+[^,]{{1,40}},)\s*"
)
_I_THINK = re.compile(
    r"\W*(?:I|[Ww]e)\s+(?:\w+\s+)?(?:think|believe|reckon|suspect|guess|say|argue|expect)\b"
)
_SPEAKER = _re(
    rf"^[\"\u201d,\s]*(?:(?:{REPORTING})\s+(?-i:[A-Z])|(?-i:[A-Z])[\w.\-]*(?:\s+[\w.\-]+){{0,3}}\s+(?:{REPORTING})\b|"
    rf"(?:he|she|they|one|another|the\s+\w+)\s+(?:{REPORTING})\b|according\s+to\b)"
)


def without_speaker(text: str, span: Span) -> Span | None:
    """A clause without "X said that" before it; None where nothing but the speaker is left."""
    words = text[span.start : span.end]
    if _I_THINK.match(words):
        return span
    if lead := _SAYS_THAT.match(words):
        rest = Span(span.start + lead.end(), span.end)
        said_words = words_of(text[rest.start : rest.end])
        if len(said_words) >= _LEAST_WORDS and verb_at(said_words) is not None:
            return rest
    if span.start and (said := _SPEAKER.match(words)):
        rest_words = words[said.end() :]
        return None if len(words_of(rest_words)) <= 14 or "who" in rest_words else span
    return span


_QUOTED = re.compile(r"[\"\u201c][^\"\u201c\u201d]{3,}[\"\u201d,]")


def quoted_parts(text: str) -> list[Span]:
    """The places of what stands in double quotation marks and is a clause of its own."""
    found = [Span(m.start() + 1, m.end() - 1) for m in _QUOTED.finditer(text)]
    return [s for s in found if verb_at(words_of(text[s.start : s.end])) is not None]


_ENTRY = re.compile(r"^(?:[A-Za-z\u2022][^:.]{2,40}:|\d{1,2}[/.)])\s+\S")


def is_list_entry(line: str) -> bool:
    """Whether a line is an entry of a list, as in "Known issue: it drops the last token"."""
    return _ENTRY.match(line) is not None
