"""Words that praise or belittle more than they inform, and whether a sentence bears them out.

The categories (importance, novelty, scale, quality, attitude) are those of N. Millar and others,
"Trends in the use of promotional language in abstracts", JAMA Network Open 5 (2022), e2228676; the
words are our own choice of those that stories about models use. A word with a number in the same
sentence informs; one that is denied says nothing.
"""

import re
from typing import Literal

Favour = Literal[1, 0, -1]  # for the models, neither, against them

_PRAISE = re.compile(
    r"\b(?:revolution(?:ary|i[sz]\w+)|unprecedented|unparalleled|unmatched|unrivall?ed|"
    r"ground[\s\-]?breaking|break[\s\-]?through|game[\s\-]chang\w+|transformative|world[\s\-]class|"
    r"cutting[\s\-]edge|state[\s\-]of[\s\-]the[\s\-]art|stunning|stunn(?:ed|ingly)|astonishing\w*|"
    r"amazing\w*|incredibl[ey]|remarkabl[ey]|extraordinar\w+|phenomenal|spectacular|sensational|"
    r"impressive(?:ly)?|outstanding|excellent|superb|brilliant|magnificent|landmark|historic|"
    r"milestone|monumental|pivotal|seismic|tectonic|watershed|quantum leap|giant leap|blazing\w*|"
    r"jaw[\s\-]dropping|mind[\s\-]blowing|next[\s\-]gen(?:eration)?|ultimate|powerhouse|"
    r"dazzl\w+|triumph\w*|game[\s\-]winner|formidable|superhuman|legendary|truly capable)\b",
    re.IGNORECASE,
)
_SCORN = re.compile(
    r"\b(?:nothing[\s\-]?burgers?|disaster\w*|catastroph\w+|flop(?:s|ped)?|fiasco|failure|"
    r"useless|worthless|pointless|garbage|trash|rubbish|junk|joke|laughable|pathetic|terrible|"
    r"awful|horrible|abysmal|dismal|atrocious|embarrass\w+|letdown|let[\s\-]down|underwhelm\w+|"
    r"disappoint\w+|mediocre|lousy|crippled|lobotomi[sz]ed|neutered|braindead|brain[\s\-]dead|"
    r"legit bad|unusable|dead on arrival|overhyped|over[\s\-]hyped|half[\s\-]baked|botched|"
    r"dud|snake oil|scam)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:not|hardly|never|no|n['\u2019]t|far from)\b[\w\s,]{0,20}$", re.I)
_NUMBER = re.compile(r"(?<![\w\-.])\d+(?:[.,]\d+)*\s?(?:%|percent|points?|GB|tokens?|x\b|times)")


def loaded_words(text: str, favour: Favour) -> list[str]:
    """The words of praise (1) or scorn (-1) in a text that are not denied, as they stand there."""
    pattern = _PRAISE if favour > 0 else _SCORN
    return [m[0] for m in pattern.finditer(text) if not _DENIED.search(text[: m.start()])]


def is_borne_out(sentence: str) -> bool:
    """Whether the sentence gives a quantity, so that a reader can judge its words by it."""
    return _NUMBER.search(sentence) is not None


def leaning(text: str) -> Favour:
    """What the loaded words of an opinion come to: for, against, or neither."""
    praise, scorn = (bool(loaded_words(text, sign)) for sign in _SIGNS)
    return 0 if praise == scorn else 1 if praise else -1


_SIGNS: tuple[Favour, Favour] = (1, -1)
