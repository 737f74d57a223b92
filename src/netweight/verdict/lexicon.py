"""Word lists: finite verbs, words of the trade, and a site's talk of itself.

Data, and nothing of any story. The lists are of general English; a word that is missing makes a
clause fall out of the net, and none of them decides what is true.
"""

import re


def words(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


def _re(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


AUXILIARIES = words(
    "is are was were ought am has have had does did do will would can could may might must "
    "shall should cannot isn't aren't wasn't weren't hasn't haven't hadn't doesn't didn't don't "
    "won't wouldn't can't couldn't shouldn't ain't"
)
# Past forms that no rule gives; present forms follow from the stems below.
_IRREGULAR = (
    "became began bet bought brought broke built came caught chose cost cut drew drove fell "
    "felt fought found flew froze gave got grew went heard held hit hung kept knew laid led "
    "left lent lost made meant met paid put quit ran read rose said sat saw sent set shook shot "
    "shrank shut sold sought spent split spread stood stole stuck struck swore swept swung took "
    "taught threw told thought understood upset won wore woke wrote"
)
_REGULAR = (
    "absorb accelerate accept accompany accuse acquire act adapt add address adjust admit adopt "
    "advise affect afford agree aid aim allow amount analyse analyze announce answer apologise "
    "appear apply appoint approve argue arrive ask assemble assess assign assist assume assure "
    "attach attack attend attract average avoid await award back ban bar base bear beat become "
    "begin behave believe belong benchmark bill blame blend block boast book boost borrow "
    "bounce breach break bring budget build burn buy calculate call cancel carry catch cause "
    "caution cease challenge change charge chase check choke choose circulate cite claim clear "
    "climb close code collapse collect combine come commit compare compete compile complain "
    "complete compose compress concede conclude conduct confirm connect consider constitute "
    "consume contact contain continue contradict contribute control convert convince cool cope "
    "copy correct cost count cover crash crawl create credit criticise criticize cross crush "
    "cut deal debate decide declare decline decrease dedicate defeat defend define deliver "
    "demand demonstrate deny depart depend deploy derive describe deserve design destroy detect "
    "determine develop devote diagnose dictate differ digest disable disagree disappear "
    "disappoint disclose discover discuss dismiss display distil distill distribute disturb "
    "divide dominate double doubt download draw drive drop dub dwarf earn ease eat eclipse edit "
    "eliminate embarrass embed embrace emerge emphasise employ emulate enable encounter "
    "encourage end endorse engage enhance enjoy ensure entail enter equip erode establish "
    "estimate evaluate evolve examine exceed excel exclude execute exhaust exist expand expect "
    "explain explore export expose express extend face fail fall favour feature feed feel fetch "
    "fight file fill find finish fire fit fix flag flood flow focus follow forbid force forget "
    "frame freeze frustrate fuel fulfil function fund gain gather gauge generate get give go "
    "govern grade grant greet grow guarantee guard guess guide hallucinate halve hamper handle "
    "hang happen harm hate haunt have head hear help hesitate highlight hint hire hit hold hope "
    "host hurt identify ignore illustrate imagine import impose impress improve include "
    "incorporate increase indicate infer inform inherit inject innovate insert inspire install "
    "integrate intend interact interpret introduce invent invest invite involve issue join "
    "judge jump justify keep kill know lack lag laid land lapse last laugh launch lead leak "
    "lean learn leave lend let license lie lift like limit linger link list listen load lock "
    "log look loop lose love lower maintain make manage mark market match matter mean measure "
    "meet mention merge migrate mimic mirror mislead miss mix modify monitor mount move name "
    "narrow need negotiate nod note notice notify obey oblige obtain occupy occur offend offer "
    "omit open operate oppose order organise outclass outdo outnumber outpace outperform "
    "outrank outscore outshine outweigh overheat overlook overtake owe own pack park parse "
    "participate pass patch pause pay perform permit persuade pick pitch place plan plant play "
    "pledge plot plummet point poke possess post postpone pour power practise praise predict "
    "prefer prepare present preserve press pretend prevail prevent price print prioritise "
    "proceed process produce prohibit promise promote prompt pronounce propel propose protect "
    "prove provide provoke publish pull punish purchase push put qualify quantise quantize "
    "query question quit quote raise rally ramble rank rate reach react read realise realize "
    "recall receive recite recognise recognize recommend reconsider record recover recruit "
    "redirect reduce refer reflect refrain refuse regain register regret regulate reinforce "
    "reject relate relax release rely remain remember remind remove render renew rent repair "
    "repeat replace reply report represent request require rescue resell resemble reserve "
    "reshape reside resign resist resolve respond rest restart restore restrain restrict resume "
    "retain rethink retire retrain retreat return reveal review revise reward rewrite ride rise "
    "risk rival roll rule run rush satisfy save say scale scan scatter schedule score scrap "
    "scrape scream screen search secure see seek seem sell send separate serve set settle shake "
    "shape share shave shift shine ship shout show shrink shrug shuffle shut sign signal "
    "simulate sit skip sleep slide slip slow slump smash smell snap soar solve sound speak "
    "specify speed spend spill spin split spread squeeze stack stagger stall stand start state "
    "stay steal steer stem stick stop store strengthen stretch strike strip struggle study "
    "stuff stumble stun stutter submit subscribe succeed suffer suffice suggest suit summarise "
    "summarize supply support suppose surge surpass surprise surrender surround survive suspect "
    "suspend swap swear sweep swell switch tackle take talk tally target teach tell tempt tend "
    "terminate test testify thank think threaten thrive throw tie tinker tolerate touch tower "
    "track trade trail train transfer transform translate travel treat trigger trim trip triple "
    "trust try tumble tune turn type undercut undergo underline undermine underscore understand "
    "unlock unveil update upgrade uphold upload urge use utilise vanish vary vet visit voice "
    "vote vow wait walk want warn warrant waste watch waver weaken wear weigh welcome widen win "
    "wipe wish withdraw wonder work worry wreck write yield"
)
BASE_VERBS = frozenset(_REGULAR.split())


def _third_person(verb: str) -> str:
    if verb.endswith(("s", "x", "z", "ch", "sh", "o")):
        return verb + "es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"


def _past(verb: str) -> str:
    if verb.endswith("e"):
        return verb + "d"
    return verb[:-1] + "ied" if verb.endswith("y") and verb[-2] not in "aeiou" else verb + "ed"


# As nouns these stand where a verb could: only a subject before them makes them verbs.
RATHER_NOUNS = words(
    "benchmarks tests scores costs claims points results questions answers models weights uses "
    "runs reports reviews prices shares works marks rates states ranks charges orders plans "
    "notes records changes calls needs designs edits files hosts issues links lists loads looks "
    "markets places plays posts prompts quotes requests rules searches sounds stores studies "
    "talks targets tracks trades types updates visits votes walks wants watches times heads "
    "bills cards builds backs books increases releases downloads uploads purchases supports "
    "switches turns upgrades demands drops interests fires fits fixes guesses hits jumps lies "
    "limits moves offers patches returns rises"
)
FINITE_VERBS = frozenset(
    _IRREGULAR.split()
    + [_past(v) for v in BASE_VERBS]
    + [s for v in BASE_VERBS if (s := _third_person(v)) not in RATHER_NOUNS]
) | words(
    "runs costs works needs claims uses charges drops fits fails wants holds posts notches nets"
)


# ---- where the verb of a clause is

_TOKEN = re.compile(r"[A-Za-z][\w'\u2019\-]*|\d[\d.,]*|[^\w\s]")
_ARTICLES = words("a an the its their his her our my your of by as")
_PLURALS = words(
    "i we you they people both who which that these those many some most few others two"
)
_CONTRACTED = words("it that there here what who he she this one")


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


REPORTING = (
    r"says?|said|sa(?:id|ys)\s+that|claims?|claimed|reports?|reported|argues?|argued|notes?|noted|wrote|writes|states|"
    r"stated|told|tells|warns?|warned|insists?|insisted|maintains?|maintained|believes?|believed|"
    r"thinks?|adds?|added|admits?|admitted|estimates?|estimated|concludes?|concluded|explains?|explained|"
    r"replied|joked|complain(?:s|ed)?|posted|reckons?|alleges?|alleged|denie[sd]|confirmed|confirms|"
    r"announced|suggest(?:s|ed)?|contends?|asserts?|asserted|quipped|predict(?:s|ed)|understood"
)

# ---- words of the trade

OF_THE_TRADE = _re(
    r"\b(?:OpenAI|AI|models?|weights|open[\s\-](?:source|weights?)|"
    r"start-?ups?|developers?|programmers?|chip(?:s|makers?)?|GPUs?|graphics\s+cards?|laptops?|servers?|"
    r"clouds?|data\s+cent(?:er|re)s?|self-host\w*|download\w*|software|apps?|cod(?:e|ing)|programming|tokens?|"
    r"tokenizers?|prompts?|chatbots?|benchmark\w*|leaderboards?|repositor\w+|GitHub|Hugging\s+Face|Nvidia|"
    r"Microsoft|Google|Anthropic|Meta|Amazon|Apple|DeepSeek|Alibaba|Mistral|Moonshot|xAI|fine-tun\w+|quanti[sz]\w+|"
    r"inference|latency|hallucinat\w+|parameters|synthetic|API|plugins?|preview|bugs?|builds|engineering|"
    r"machine\s+learning|pull\s+requests?|commits?|outages?|uptime|throughput|batch(?:es|ing)|quer(?:y|ies)|algorithm\w*|data|tech|technolog\w+|digital|IT|tok/s|open[\s\-]weight)\b"
)
# What these have in common with other trades: enough only in the sentence itself.
OF_BUSINESS = _re(
    r"\b(?:licen[cs]e\w*|releases?|compan(?:y|ies)|firms?|labs?|vendors?|rivals?|competitors?|engineers?|"
    r"researchers?|users?|customers?|clients?|buyers?|investors?|analysts?|consultan\w+|host(?:ed|ing)|assistants?|"
    r"scores?|subscription\w*|adopt\w*|deploy\w*|effort|switching|regulators?|privacy|trained|reasoning|ratings?|"
    r"hardware|enterprise\w*|patch\w*|nightly|"
    r"(?:the|this)\s+(?:\w+\s+)?(?:publication|announcement|decision|move|step|launch))\b"
)

# ---- what a site says of itself

_BOILERPLATE = _re(
    r"^\W*(?:please\s+)?(?:ignore|disregard|forget)\s+(?:all|any|the|everything|your|previous)\b|"
    r"^\W*(?:and\s+)?mark\s+(?:this|every|all|each|it|the)\b[^.;]*\bas\b|"
    r"^(?:higher|lower|more|less)\s+is\s+(?:better|worse)$|\b(?:subscri(?:be|ption\s+(?:offer|required))|newsletter\s+(?:sign|delivered)|sign\s+up|cookies?|all\s+rights\s+reserved|"
    r"copyright|privacy\s+policy|terms\s+of\s+(?:use|service)|follow\s+us|(?:writes|covers|reports\s+on|edits)\s+[^.;]{0,40}\bfor\s+(?:this|the)\s+(?:paper|newspaper|site|magazine|newsletter|Times|Post)|"
    r"(?:staff\s+writer|contributing\s+editor|can\s+be\s+reached\s+at)|share\s+this|advertis(?:ement|ing)|"
    r"sponsored\s+(?:by|content)|affiliate\s+(?:links?|commission)|read\s+more|click\s+here|contact\s+us|"
    r"about\s+(?:us|the\s+author)|log\s+in|leave\s+a\s+comment|powered\s+by|unsubscribe|our\s+(?:editorial|"
    r"methodology|newsroom|privacy)|this\s+(?:article|story|page|site|newsletter)\s+(?:was|is|may|uses|contains|"
    r"first|originally))\b|\u00a9|"
    r"\b(?:we|our\s+\w+)\s+(?:\w+ly\s+)?(?:evaluat|rat|scor|review|cover|assess|grad|publish|aggregat|summari[sz]|"
    r"analy[sz]|collect|track|strive|aim)\w*\s+(?:\w+\s+){0,2}?(?:each|every|all|news|stories|articles|products)\b"
)


def is_boilerplate(text: str) -> bool:
    """Whether a site speaks of itself there, and not of its subject."""
    return _BOILERPLATE.search(text) is not None
