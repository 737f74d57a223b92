"""The wordings in which stories tell what a model's documents state: licence, size, memory.

Patterns as data, and what their matches say. Each is written for a kind of statement. Does not know
what is true.
"""

import re

_N = r"\d+(?:\.\d+)?"
_FEW = r"(?:\W+[\w\-'\u2019]+){0,5}?\W+"  # up to five words between two parts of a pattern
_MORE = r"(?:[^\w.;]+[\w\-'\u2019]+){0,9}?[^\w.;]+"


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


# ---- licence

_APACHE = r"Apache(?:[\s\-]+Licen[cs]e)?(?:,?[\s\-]*(?:version|v)?[\s\-]?2(?:\.0)?)?"
_OTHER_LICENCES = (
    r"MIT|BSD(?:[\s\-]\d[\s\-]clause)?|A?GPL\w*|LGPL\w*|CC[\s\-]BY[\w\-]*|"
    r"(?:Llama|Gemma|Qwen|OpenRAIL\w*)(?:[\s\-]+community)?|non-?commercial|proprietary|"
    r"permissive|research-only|copyleft|source-available|custom"
)
_LICENCES = rf"{_APACHE}|{_OTHER_LICENCES}"
LICENCE = _re(
    rf"\b(?P<before>{_LICENCES})[\s\-]+(?:open[\s\-]source\s+)?(?:licen[cs]\w*|terms)"
    rf"|\b(?P<spelt>Apache[\s\-]+Licen[cs]e(?:,?\s*version\s*2(?:\.0)?)?)"
    rf"|\blicen[cs]ed\s+(?:\w+\s+){{0,2}}under\s+(?:the\s+|an?\s+)?(?:terms\s+of\s+the\s+)?"
    rf"(?P<under>{_LICENCES}|[A-Z][\w\-.]+)"
    rf"|\bunder\s+(?:the\s+|an?\s+)?(?:terms\s+of\s+(?:the\s+)?)?"
    rf"(?:(?:permissive|liberal|generous|business-friendly)\s+)?(?P<terms>{_APACHE}|MIT\b|BSD\b)"
    rf"|\blicen[cs]es?\b[^.;]{{0,45}}?(?:\b(?:is|was|are|remains|reads|says|being|called)\b|[:,(])"
    rf"\s*(?:still\s+|not\s+|far\s+from\s+|hardly\s+|simply\s+|plain\s+|the\s+|an?\s+|good\s+old\s+){{0,2}}"
    rf"(?P<stated>{_APACHE}|{_OTHER_LICENCES})\b"
    r"|\b(?P<adverb>permissive|liberal)ly\s+licen[cs]ed"
    r"|\bversion\s+2(?:\.0)?\s+of\s+(?:that|the|this|its)\s+(?:(?P<version>Apache)\s+)?licen[cs]e"
    r"|\b(?P<alone>Apache[\s\-]*(?:v|version\s*)?2(?:\.0)?)\b"
)


def licence_named(text: str) -> str:
    """The licence that the words name, in lower case; empty where they name none."""
    match = LICENCE.search(text)
    if match is None:
        return ""
    named = next((part for part in match.groups() if part), "Apache").lower()
    return "apache" if named.startswith("apache") else named


def is_permissive(name: str) -> bool:
    """Whether that is the Apache licence, or a word for what it allows."""
    return name in ("apache", "permissive", "liberal")


COMMERCIAL_USE = _re(
    r"\b(?:free|open|cleared|allowed|permitted|available|usable|licen[cs]ed)\s+(?:of charge\s+)?"
    r"for\s+(?:any\s+)?commercial\s+(?:use|purposes)\b|"
    r"\b(?:use[ds]?|using|exploit\w*|deploy\w*)\s+(?:[\w\-]+\s+){0,3}commercially\b|"
    r"\bused\s+in\s+commercial\b|"
    r"\b(?:allows?|permits?|covers?|(?P<denied2>forbids?|prohibits?|bars?|bans?|excludes?|rules?\s+out))\s+(?:any\s+|all\s+)?"
    r"commercial\s+(?:use|exploitation)\b|"
    r"\b(?:may|can|free\s+to|allow(?:s|ed)?|lets?|permit(?:s|ted)?|cannot|forbid\w*|bar(?:s|red)|not)\b[^.;]{0,40}?\b(?:sell|ship|resell|"
    r"market|monetis\w+|monetiz\w+|charge\s+for|offer|include|build|put)\b[^.;]{0,40}?\b(?:paid|commercial)\s+(?:products?|services?|"
    r"offerings?|software|apps?)\b|"
    r"\b(?:may|can|cannot|could|must|should)(?:\s+not|n['\u2019]t)?\s+(?:\w+\s+)?be\s+(?:re)?sold\b|"
    r"\b(?:may|can|cannot)(?:\s+not|n['\u2019]t)?\s+sell\s+(?:what|products?|services?|anything)\b|"
    r"\b(?:commercial\s+(?:use|exploitation)|(?:selling|resale)\b[^.;]{0,50}?)\s+(?:is|remains)\s+(?:\w+\s+)?(?:allowed|permitted|fine|free|"
    r""
    r"(?P<denied>forbidden|prohibited|off\s+the\s+table|out\s+of\s+(?:bounds|the\s+question)|"
    r"not\s+(?:allowed|permitted)|ruled out|barred|banned|excluded|off limits))\b"
)
_ANYONE = r"(?:any(?:one|body)|every(?:one|body)|you|users?|companies|schools?|people)"
WEIGHTS_RELEASE = _re(
    rf"\b{_ANYONE}\s+(?:\w+\s+)?(?:can|may|could|is\s+free\s+to|are\s+free\s+to)\s+(?:download|get|fetch|have|take)\b"
    r"[^.;,]{0,30}?\bweights\b|"
    r"\b(?:not|never|n['\u2019]t)\s+(?:\w+\s+)?(?:publish\w*|releas\w+|shar\w+|disclos\w+)\s+(?:the\s+|its\s+|their\s+|any\s+)?"
    r"(?:model\s+)?weights\b|"
    r"\b(?:model\s+)?weights\b[^.;,]{0,40}?\b(?:are|is|remain|remains|stay)(?:\s+not|n['\u2019]t)?\s+(?:\w+\s+)?"
    r"(?:on\s+offer|free|up\s+for\s+(?:download|grabs)|available|public|downloadable|accessible|for\s+download|(?P<denied>closed|secret|private|withheld|"
    r"unpublished|under\s+wraps|locked\s+away))\b"
)
USAGE_POLICY = _re(r"\busage\s+polic(?:y|ies)\b")

# ---- what was published, and what was kept

_DATA = (
    r"(?:training\s+(?:data(?:sets?)?|code|sets?|corpus|corpora|material|recipe|scripts?|pipeline|"
    r"texts?)|data\s+behind|(?:data\w*|code|texts?|material|corpus|recipe)\s+(?:\w+\s+){0,6}?(?:trained\s+(?:them\s+|it\s+)?on|train(?:ed|ing)?\b)|"
    r"what\s+(?:the\s+(?:\w+\s+)?models?|they|it)\s+(?:\w+\s+){0,2}(?:learn(?:ed|t|s)?|trained|studied|read|seen|saw|fed)\b"
    r"(?:\s+(?:from|on|with))?)"
)
_RELEASE = (
    r"(?:releas\w+|publish\w*|disclos\w+|shar(?:e|ed|es|ing)|reveal\w*|open(?:ed|s)?(?:\s+up)?|"
    r"made?\s+(?:public|available)|available|public(?:ly)?|handed\s+(?:over|out)|"
    r"put\s+(?:\w+\s+){0,6}online|posted|uploaded|(?:is|are|were|was)\s+out\b|included?|provid\w+|download\w*)"
)
_KEPT = (
    r"(?:secret|under\s+wraps|undisclosed|unpublished|unreleased|private|withheld|held\s+back|"
    r"kept\s+back|kept\s+to\s+(?:itself|themselves)|under\s+lock\s+and\s+key|hidden|off\s+limits|out\s+of\s+sight|confidential|closed|missing|absent|in\s+the\s+dark)"
)
DATA_RELEASE = _re(
    rf"\b{_DATA}\b[^.;:]{{0,70}}?\b(?:{_RELEASE}|(?P<denied>{_KEPT}))\b|"
    rf"\b{_RELEASE}\b[^.;:]{{0,60}}?\b{_DATA}\b|"
    rf"\b(?P<denied2>ke(?:eps?|pt)|hides?|hid|withh(?:olds?|eld)|guard(?:s|ed))\b[^.;:]{{0,30}}?\b{_DATA}\b"
)

# ---- size

SIZE = _re(
    rf"(?<![\w.$]){_N}[\s\-]?(?:B|bn|billion|trillion)(?:(?:\s+(?:and|or|of its|of their|total|"
    rf"active|activated)|,)*\s+{_N}[\s\-]?(?:B|bn|billion))*[\s\-]+(?:\w+\s+)?"
    r"(?:total\s+|active\s+|activated\s+)?param\w*"
)
BARE_SIZE = _re(
    rf"(?<![\w.$\-])(?:{_N}\s+and\s+)?{_N}(?:[\s\-]?(?:billion|bn)|B(?![\s\-]+(?:model|version|variant|one)s?\b))"
    r"(?![\s\-]+(?:\w+\s+)?param|[\s\-]+(?:siblings?|brother|sister|cousin|counterpart|stablemate|model|version|tokens|users|dollars|euros|downloads))\b"
)
_AT_WORK = re.compile(
    r"activ|at work|\bwork\b|"
    r"do(?:es|ing)? (?:any |the |all the )?work|in (?:use|play)|engaged|switched on|"
    r"wak\w+|light(?:s|ing)? up|fir(?:e|es|ing)\b|used|working|involved|touched|busy|awake|"
    r"consulted|called\s+(?:up)?on|run(?:s|ning)?\b(?!\s+(?:in|on|within|inside|from|with)\b)",
    re.IGNORECASE,
)
BILLIONS = re.compile(
    rf"(?<![\w.])({_N})(?:[\s\-]?(?:B\b|bn\b|billion|trillion)|(?=\s+and\s+{_N}[\s\-]?(?:B\b|bn\b|billion)))",
    re.IGNORECASE,
)


def says_active(quote: str, start: int, end: int) -> bool:
    """Whether a number of parameters is of those that work on each token, by the words around."""
    before, after = quote[max(0, start - 22) : start], quote[end : end + 70]
    after, *following = re.split(r"[;:]|\d", after, maxsplit=1)
    if following:  # "and activates 5.1 billion" is said of the next number
        after = re.split(r"\b(?:and|with|but|of which|only)\b(?!.*\b(?:and|with|but)\b)", after)[0]
    if re.search(
        r"\bof (?:its|the|their|those)\s*$|\d\s?(?:B|bn|billion) of\s*$|"
        r"\b(?:\d[\d.]*|one|two|three|four|five|six) of (?:nearly |about |roughly |some |"
        r"almost )?$",
        before,
        re.IGNORECASE,
    ):
        return False
    if re.search(r"\bin (?:total|all)\b|\btotal\b|\boverall\b", after[:30], re.IGNORECASE):
        return False
    said_before = re.search(r"\bactiv\w*\W+(?:\w+\W+){0,2}$", before, re.IGNORECASE)
    return bool(said_before or _AT_WORK.search(after))


# ---- memory

_RUNS = (
    r"fits?|fit|fitted|squeez\w+|runs?|run|running|loads?|needs?|requires?|demands?|wants?|"
    r"asks?\s+for|calls?\s+for|usable|works?|within|single|happy|content|comfortable|at\s+home|"
    r"belongs?|gets?\s+by|makes?\s+do|manages?|does\s+so|do\s+so|deploy\w*|host\w*|serve[sd]?|"
    r"operat\w+|handled|executed|started|launched|used|room|tucks?|slots?|going|hums?|fills?|occup\w+|"
    r"all\s+it\s+takes|takes?|at\s+least|no\s+more\s+than|copes?|lives?|sits?|crams?|shoehorn\w*"
)
MEMORY = _re(
    rf"\b(?:{_RUNS})\b{_MORE}?(?<![\d.])(?P<gb>\d+)[\s\-]?(?:GB|GiB|gi(?:ga|bi)bytes?|gigs?)\b"
    r"(?!\s+(?:\w+\s+){0,3}?(?:free|left|spare|unused|over|idle)\b)|"
    r"(?<![\w.])(?P<gb2>\d+)[\s\-]?(?:GB|GiB|gi(?:ga|bi)bytes?|gigs?)(?:\s+of\s+(?:V?RAM|memory))?\s+"
    r"(?:is|are|will be|would be|should be)\s+(?:enough|sufficient|plenty|all)\b|"
    rf"\b(?:{_RUNS})\b{_FEW}(?:single|one|lone|an?)\s+(?:\w+\s+){{0,2}}(?P<card>H100)\b|"
    r"\b(?:single|one|lone)\s+(?:\w+\s+){0,2}(?P<card2>H100)\s+(?:suffices|is\s+enough|is\s+all|will\s+do|does|holds|carries|can)\b|"
    r"(?<![\w.])(?P<gb3>\d+)[\s\-]?(?:GB|GiB|gi(?:ga|bi)bytes?|gigs?)\b[^.;]{0,40}?\b(?:holds?|carries|accommodates?|houses?|"
    r"has\s+room\s+for|swallows?)\b[^.;]{0,20}?\b(?:models?|it|gpt-oss|weights|120b|20b|both|all|everything)\b|"
    r"(?<![\w.])(?P<gb4>\d+)[\s\-]?(?:GB|GiB|gi(?:ga|bi)bytes?|gigs?)\s+(?:\w+\s+){0,2}?(?:card|GPU|accelerator|laptop|machine|box|"
    r"RAM|VRAM|memory|desktop|computer|phone|Mac\w*)\b[^.;]{0,30}?\b(?:room|enough|plenty|suffic\w+|will\s+do|does|is\s+all|ok(?:ay)?|fine)\b"
)
NEEDS = _re(
    r"\b(?:needs?|requires?|demands?|takes?|at\s+least|no\s+less\s+than|wants?|asks?\s+for|"
    r"calls?\s+for|belongs?|fills?|occup\w+)\b"
)
_H100_GB = 80.0


def memory_told(text: str) -> float | None:
    """The gigabytes that the words name; one H100 has 80 of them."""
    match = MEMORY.search(text)
    if match is None:
        return None
    told = next((match[name] for name in ("gb", "gb2", "gb3", "gb4") if match[name]), None)
    return float(told) if told else _H100_GB


_IS = (
    r"(?:is|are|takes?(?:\s+up)?|weighs?(?:\s+in\s+at)?|comes?\s+(?:in\s+)?(?:to|at)|"
    r"measures?|occup\w+|totals?|amounts?\s+to|adds?|of|at|:|has|reach\w+)"
)
_SOME = r"(?:about\s+|around\s+|roughly\s+|only\s+|some\s+|just\s+|another\s+|nearly\s+|a mere\s+)?"
# Any words but other quantities: "of the 20b, at the full 131,072 tokens,"
_ANY = r"[^.;\d]|(?:gpt-oss-)?\d+b\b|\d{1,3},?\d{3}(?=\s+tokens)|\d+k\b"
CHECKPOINT = _re(
    rf"\b(?:checkpoints?|weights?|download|model\s+files?|files)\b(?:{_ANY}){{0,40}}?"
    rf"(?:{_IS}|=|,)\s*{_SOME}(?P<size>{_N})\s?(?P<unit>GiB|GB|gi(?:ga|bi)bytes?)\b(?!\s+(?:of\s+)?"
    r"(?:GPU|card|memory|V?RAM|accelerator|laptop|machine))|"
    rf"(?P<size2>{_N})[\s\-]?(?P<unit2>GiB|GB|gi(?:ga|bi)bytes?)\s+(?:of\s+(?:weights|disk)|on\s+disk|for\s+the\s+weights|checkpoint|download|file|model)\b|"
    rf"(?<!of )(?<!for )\bgpt-oss-\d+b,?\s*{_IS}\s*{_SOME}(?P<size3>{_N})\s?(?P<unit3>GiB)\b"
)
CACHE = _re(
    rf"\b(?:KV[\s\-]?)?cache\b(?:{_ANY}){{0,40}}?{_SOME}(?P<size>{_N})[\s\-]?(?P<unit>GiB|GB|gi(?:ga|bi)bytes?)\b"
    r"(?!\s+(?:of\s+)?(?:GPU|card|memory|V?RAM|accelerator|laptop|machine|box))"
)

# ---- context

_TOKENS = r"\d{1,3}(?:,\d{3})+|\d{4,7}|\d+(?=\s?(?:k\b|thousand\b))"
_UP_TO = r"(?:up to |about |around |roughly |its |the |a |full |some |as many as |exactly ){0,3}"
CONTEXT_LENGTH = _re(
    rf"\b(?P<length>{_TOKENS})(?P<k>\s?k| thousand)?(?:[\s\-]+tokens?)?[\s\-]+(?:context\b|"
    rf"window\b|tokens\s+of\s+context\b)|"
    rf"\b(?:context|window)(?:\s+(?:window|length|size|limit))?s?"
    rf"(?:\s+(?:for|of)\s+(?:both|the|all|gpt)[\w\-]*(?:\s+\w+)?)?\s*"
    rf"(?:of|is|are|was|:|at|reaches|spans|stretches\s+to|runs\s+to|holds|goes\s+up\s+to)\s*"
    rf"{_UP_TO}(?P<length2>{_TOKENS})(?P<k2>\s?k\b| thousand\b)?|"
    rf"\b(?:takes?|handles?|reads?|accepts?|holds?|process(?:es)?|supports?|swallows?|"
    rf"remembers?)\s+(?:in\s+)?{_UP_TO}"
    rf"(?P<length3>{_TOKENS})(?P<k3>\s?k\b| thousand\b)?[\s\-]+tokens?\b"
    r"(?!\s+(?:per|a|each|an|/)\s)|"
    r"\b(?:(?:context|window)\b|(?:prompts?|inputs?|conversations?)\b(?:[^.;\d]|gpt-oss-\d+b){0,40}?\b(?:can|may|up\s+to|"
    r"at\s+most|limit\w*|capp?\w*|no\s+(?:more|longer)\s+than|maximum|as\s+(?:long|many)\s+as|run)\b)[^.;\d]{0,50}?"
    rf"(?<![\w,])(?P<length4>{_TOKENS})(?P<k4>\s?k\b| thousand\b)?[\s\-]+tokens?\b"
    r"(?!\s+(?:per|a|each|an|/)\s)"
)
# "How long may a prompt be? Up to 131,072 tokens."
CONTEXT_ANSWER = _re(
    r"^(?:\w+[:.]\s+)?(?:up\s+to|at\s+most|no\s+more\s+than|exactly|about|around|roughly)\s+"
    rf"(?P<length>{_TOKENS})(?P<k>\s?k\b| thousand\b)?[\s\-]+tokens?\b"
)
# "At an 8k context it fits": a setting that somebody chose, not the model's limit.
CHOSEN = _re(
    r"\b(?:at|set|limit\w*|capp?\w*|use[ds]?|using|tried|tested|ran|short|small|beyond|above|past)"
    r"\b[^.;]{0,25}$"
)


def context_told(match: re.Match[str]) -> int:
    """The number of tokens."""
    names = match.re.groupindex
    pairs = (("length", "k"), ("length2", "k2"), ("length3", "k3"), ("length4", "k4"))
    for name, thousands in pairs:
        if name in names and (told := match[name]):
            tokens = int(told.replace(",", ""))
            return tokens * 1000 if match[thousands] or tokens < 1000 else tokens
    raise AssertionError("a context length without a number")


TRAINING_COMPUTE = _re(
    rf"\b(?P<millions>{_N})[\s\-]?(?:million|m\b|mn\b|(?P<billions>billion|bn\b))\s+(?:Nvidia\s+)?(?:\w+\s+)?"
    r"(?:(?:H100|GPU)s?[\s\-]+(?:GPU[\s\-]+)?hours|hours\s+(?:\w+\s+){0,3}(?:H100|GPU|chip|"
    r"accelerator|graphics)\w*)\b"
)

# ---- how it is used

_STEPS = r"(?:levels?|settings?|modes?|steps?|gears?|tiers?|notches|grades?|positions?)"
_HOW_HARD = (
    r"\bhow\s+(?:hard|long|much|deeply|far|thoroughly)\b[^.;]{0,30}?\b(?:think|reason|effort|ponder|thought|"
    r"deliberat)\w*"
)
EFFORT_LEVELS = _re(
    r"(?P<denied3>\bno\s+(?:reasoning\s+|thinking\s+)?(?:effort|thinking|reasoning)\s+(?:settings?|levels?|dials?|modes?|knobs?))\b|"
    rf"\b(?P<count>two|three|four|five|six|[2-6])\s+(?:\w+\s+){{0,2}}(?:effort|reasoning|thinking)\s+"
    rf"{_STEPS}\b|"
    rf"\b(?P<count2>two|three|four|five|six|[2-6])\s+{_STEPS}\s+of\s+(?:\w+\s+)?"
    r"(?:effort|reasoning|thinking|thought)\b|"
    rf"\b(?:effort|reasoning|thinking|thought)\b[^.;]{{0,60}}?\b(?P<count3>two|three|four|five|six|"
    rf"[2-6])\s+{_STEPS}|"
    r"\b(?:effort|reasoning|thinking|thought|settings?|levels?|modes?)\b[^.;]{0,60}?\blow,?\s+"
    r"(?:\w+\s+)?(?:medium|middle),?\s+(?:\w+\s+)?(?:and|or|to)\s+(?:\w+\s+)?high\b|"
    r"\blow,?\s+(?:medium|middle),?\s+(?:and|or)\s+high\s+(?:effort|reasoning|thinking|settings?)|"
    # that there is such a setting at all
    rf"\b(?:settings?|dials?|knobs?|sliders?|options?|switch(?:es)?|controls?|ways?|means|parameter|say)\b"
    rf"[^.;]{{0,25}}?{_HOW_HARD}|"
    r"\b(?:adjustable|configurable|selectable|tunable|variable|switchable)\s+(?:\w+\s+)?(?:reasoning|thinking|"
    r"effort)\b|"
    r"\b(?:reasoning|thinking)(?:\s+(?:effort|time|budget|depth|level))?\b[^.;,]{0,25}?\b(?:is|are|can\s+be|"
    r"cannot\s+be|can['\u2019]t\s+be|stays?|remains?|comes?)(?:\s+(?:\w+ly\s+)?)(?:adjustable|configurable|selectable|tunable|adjusted|configured|"
    r"chosen|dialled|changed|(?P<denied>fixed|hard-?wired|set\s+in\s+stone))\b|"
    rf"\b(?:can(?:not|n?['\u2019]t)?|lets?|allows?|permits?|possible|able|unable|users?)\b[^.;]{{0,30}}?\b(?:choose|set|"
    rf"pick|tell|told|adjust|vary|control|decide|change|select|tune|specify|influence|steer|limit|regulate)\w*\b"
    rf"[^.;]{{0,30}}?{_HOW_HARD}|"
    rf"{_HOW_HARD}[^.;]{{0,30}}?\b(?:is|can\s+be|cannot\s+be)\s+(?:\w+\s+)?(?:set|chosen|adjust\w+|configur\w+|"
    r"up\s+to)\b|"
    r"\b(?:reasoning|thinking)(?:\s+(?:effort|time|budget|depth|level))?\s*[:=]\s*(?:adjustable|configurable|selectable|"
    r"tunable|low|variable|(?P<denied2>fixed|hard-?wired|not\s+adjustable))\b|"
    r"\b(?:can(?:not|n?['\u2019]t)?|no\s+way\s+to|possible\s+to)\s+(?:dial|turn|crank|make)\b[^.;]{0,15}?\b(?:thinking|"
    r"reasoning|effort|think)\b[^.;]{0,30}?\b(?:up|down|less|more|harder|longer)\b"
)
_DIAL = (
    r"(?:effort|reasoning|thinking|settings?|dial|slider|knob|turn(?:ing)? (?:it|the \w+) up|"
    r"turn(?:ing)? up)"
)
_SCORES = r"(?:scores?|results?|accuracy|answers?|benchmarks?|quality|performance|marks?)"
EFFORT_EFFECT = _re(
    rf"\b{_DIAL}\b[^.;]{{0,60}}?\b(?P<denied>(?:(?:does|do|did|has|have|had|makes?|made|changes?|"
    r"adds?|buys?|brings?|gives?)\s+(?:\w+\s+)?(?:nothing|no\s+(?:difference|effect|impact|gain|"
    r"benefit|improvement|bearing))|(?:does|do|did|will)(?:\s+not|n['\u2019]t)\s+(?:\w+\s+)?"
    r"(?:help|change|matter|improve|raise|affect|move|lift|alter)))\b"
    rf"(?:[^.;]{{0,30}}\b{_SCORES})?|"
    rf"\b(?:higher|more|greater|extra|raising|increas\w+|cranking|turning)\b[^.;]{{0,25}}\b{_DIAL}"
    rf"\b[^.;]{{0,40}}?\b(?:rais|improv|lift|boost|increas|help|gain|better|gives?\s+higher|"
    rf"pushes|pays)\w*(?:[^.;]{{0,30}}\b{_SCORES})?"
)
_SENSES = (
    r"(?:images?|audio|sounds?|video|pictures?|photos?|photographs?|screenshots?|speech|voice|"
    r"diagrams|vision)"
)
TEXT_ONLY = _re(
    rf"(?P<denied2>\b{_SENSES}(?:\s*(?:,|and|or|nor)\s+{_SENSES})*\s+(?:is|are|remain|stay|lie)\s+(?:\w+\s+)?(?:beyond|lost\s+on|"
    r"out\s+of|off|unsupported|not\b[^.;,]{0,20}|no\s+use))\b|"
    r"\btext[\s\-]only\b|\btext\s+and\s+(?:nothing|only)\b(?:\s+else)?|\bnothing\s+but\s+text\b|"
    r"\btext\s+in,?\s+(?:and\s+)?text\s+out\b|\btext\s+(?:alone|exclusively|and\s+no\s+\w+)\b|\bonly\s+(?:\w+\s+){0,3}text\b(?!\s+\w+ly)|"
    r"\bmulti-?modal\b|(?P<denied>\bno\s+vision\b|\bblind\s+to\s+images\b)|"
    r"\b(?:process|handl|understand|see|read|generat|produc|accept|support|tak|look\s+at|deal|cop|"
    r"interpret|analy[sz]|hear|recogni[sz])\w*\s+(?:with\s+)?(?:\w+\s+){0,3}?"
    rf"{_SENSES}\b"
)
SENSES = _re(rf"\b{_SENSES}\b")
NO_SENSE = _re(rf"\bno(?:r|t)?\s+(?:\w+\s+){{0,2}}{_SENSES}\b")
# A plain statement that the model takes pictures or sound, with the model as its subject.
TAKES_MORE = _re(
    r"\b(?:gpt-oss(?:-\d+b)?|models?|it|they|both|which)\s+(?:can\s+|could\s+|also\s+|even\s+|\w+ly\s+){0,3}"
    rf"(?:process|handl|understand|see|read|generat|produc|accept|support|tak|interpret|look|view|hear|recogni[sz]|describ|caption)\w*\s+(?:at\s+|to\s+)?(?:\w+\s+){{0,3}}?{_SENSES}"
    r"\b|\b(?:is|are)\s+(?:\w+ly\s+)?multi-?modal\b"
)
# What is asked, wished or planned is not said to be so.
MODAL = _re(
    r"\b(?:must|requir\w*|should|would|could|might|may|needs?|definition|demand\w*|until|if|whether|"
    r"unless|wants?|wish\w*|hopes?|plans?|planned|promis\w*|ask\w*|will|later|next|future)\b"
)
IS_TEXT_ONLY = _re(
    rf"(?P<denied2>\b{_SENSES}(?:\s*(?:,|and|or|nor)\s+{_SENSES})*\s+(?:is|are|remain|stay|lie)\s+(?:\w+\s+)?(?:beyond|lost\s+on|"
    r"out\s+of|off|unsupported|not\b[^.;,]{0,20}|no\s+use))\b|"
    r"text[\s\-]only|text\s+(?:alone|exclusively|and\s+no\s+\w+)|text\s+and\s+(?:nothing|only)|nothing\s+but\s+text|text\s+in|only\s+(?:\w+\s+)"
    r"{0,3}text"
)

# ---- how it was trained

TRAINING_DATA = _re(
    r"\btrillions?\s+of\s+tokens\b|\bSTEM\b[^.;]{0,40}\b(?:coding|code|general\s+knowledge)\b|"
    r"\b(?:no|not|never|nothing|silent|n['\u2019]t)\b[^.;]{0,50}?\b(?:share|amount|proportion|"
    r"percentage|how\s+much|whether|word|details?|mention|figure)\b[^.;]{0,40}?\b"
    r"(?:synthetic|training\s+data)\b|"
    r"\b(?:card|OpenAI|company|document)\b[^.;]{0,40}?\b(?:silent|says?\s+nothing|does(?:\s+not|"
    r"n['\u2019]t)\s+(?:say|mention|tell|disclose))\b[^.;]{0,40}?\b(?:synthetic|training\s+data)\b"
)
SYNTHETIC = _re(
    r"\bsynthetic(?:ally)?(?:[\s\-]generated)?\s+(?:training\s+)?(?:diet|data\w*|text|"
    r"corpora|corpus|material|examples)"
    rf"|\btrain(?:ed|ing){_FEW}(?:synthetic|machine-written|machine-generated|machine-made|"
    r"model-written|model-generated|AI-generated|artificial|made-up|self-generated)\b"
    r"|\b(?:diet|fed|raised|brought\s+up|reared)\b[^.;]{0,40}\b(?:synthetic|machine-written|"
    r"machine-generated|AI-generated|machine-made|artificial|other\s+models)\b"
    r"|\b(?:fed|trained|raised|learn(?:ed|t|s)|diet|schooled|nourished|reared|brought\s+up|taught)\b[^.;]{0,50}?"
    r"\b(?:(?:written|made|generated|produced|composed|created|churned\s+out)\s+by|output|outputs|text\s+(?:of|"
    r"from))\s+(?:of\s+|from\s+)?(?:\w+\s+){0,2}(?:models?|machines?|AIs?|LLMs?|chatbots?)\b"
)
_MATHS = (
    r"(?:formula[se]?|equations?|LaTeX|math(?:s|ematics|ematical)?(?:\s+(?:symbols?|notation|"
    r"expressions?))?|integrals?|algebra|theorems?)"
)
_PROSE = (
    r"(?:poems?|poetry|stor(?:y|ies)|fiction|prose|verses?|novels?|sonnets?|haikus?|limericks?|"
    r"letters?|e-?mails?|essays?|ballads?|lyrics|fairy\s+tales?|creative\s+writing|writing)"
)
MATHS_IN_WRITING = _re(
    rf"\b(?:inject|insert|slip|drop|lapse|break|add|put|sneak|sprinkl|inappropriat|"
    rf"random|stray|unprompted|scatter|strew|smuggl|stuff|pepper|litter|lard|work|weav|"
    rf"interrupt|interject|toss|throw|shov|plant|leak|spill|pour|mix|bring)\w*{_FEW}{_MATHS}\b"
    rf"|\b(?:formula|equation|LaTeX|math\w*)\s+(?:injection|insertion)s?\b"
    rf"|\b{_MATHS}{_FEW}{_PROSE}\b"
    rf"|\b{_PROSE}{_FEW}{_MATHS}\b"
)
IN_WRITING = _re(rf"creativ|poet|letters?\b|writ|verse|limerick|lyric|\b{_PROSE}\b")
# "Ask for a tale and formulas turn up": said of the model that is asked.
ASKING = _re(r"^(?:\d+/\s+)?(?:just\s+)?(?:ask|request|order|try|prompt|give|tell|demand)\b")

# ---- who is told to have measured, and what open source asks for

WHO_MEASURED = _re(
    r"\b(?:all|these|those|the|its|every)\s+(?:of\s+(?:these|this|those|the|that)\s+)?(?:\w+\s+)?(?:figures?|numbers?|scores?|results?|"
    r"marks?|values)?(?:\s+(?:here|above|below|quoted|cited|given))?\s*(?:is|are|were|was|come|comes|came)\s+(?:all\s+|both\s+)?"
    r"(?:from\s+|by\s+)?(?:the\s+)?(?:vendor|OpenAI|company|maker|model\s+card|card|lab)(?:['\u2019]s)?\b|"
    r"\b(?:OpenAI|the\s+(?:vendor|company|maker|lab))\s+(?:itself\s+)?(?:measured|ran|tested|scored|graded)\s+(?:all|these|those|"
    r"every\w*|the|its)\b[^.;]{0,30}|"
    r"\b(?:figures?|numbers?|scores?|results?)\b[^.;]{0,30}\b(?:self-reported|(?:measured|reported|published|produced|run)\s+by\s+"
    r"(?:OpenAI|the\s+(?:vendor|company|maker|lab))(?:\s+itself)?)\b"
)
OPEN_SOURCE_ASKS = _re(
    r"\b(?:Open\s+Source\s+Initiative|OSI|OSAID|definition\s+of\s+open[\s\-]source(?:\s+AI)?)\b[^.;]{0,60}?\b(?:asks?|requir\w+|"
    r"demands?|calls?\s+for|wants?|insists?|says|includes?|expects?)\b[^.;]{0,90}?\b(?:training|data|code)\b[^.;]{0,40}"
)

# ---- what the maker tried before it released the weights

_MISUSE = (
    r"(?:attack\w*|adversar\w*|misus\w+|malicious\w*|worst[\s\-]case|bad\s+actors?|"
    r"weaponi[sz]\w+|fine-?tun\w+|retrain\w*)"
)
MISUSE_TESTS = _re(
    rf"\b(?:test|look|examin|check|evaluat|prob|stud|simulat|try|tried|ask|assess|investigat|explor|consider)\w*\b[^.;]{{0,70}}?\b"
    rf"{_MISUSE}\b(?:[^.;]{{0,60}}\b{_MISUSE})?"
)
HIGH_CAPABILITY = _re(
    r"\bhigh(?:[\s\-]+\w+){0,3}[\s\-]+capabilit\w+|\bPreparedness Framework\b|"
    r"\bhigh[\s\-]risk (?:level|threshold)"
)
