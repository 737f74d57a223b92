"""Classes of words that several propositions of the catalogue name. Data only."""

from collections.abc import Mapping

CLASSES: Mapping[str, str] = {
    "TRAIN": (
        r"train\w*|learn\w*|rais(?:ed|ing)|fed\b|feed\w*|school\w*|taught|teach\w*|diet|nurtur\w*|bred\b|reared|nourish\w*|cramm\w*|built\s+on|made\s+on"
    ),
    "DATA": (
        r"(?:training|train\w*)\s+(?:data\w*|set\w*|text\w*|code|corp\w+|material\w*|recipe\w*|mix\w*|diet|scripts?|pipeline)|datasets?\b|data\s?sets?\b|corpus|corpora|recipes?\b|the\s+data\b|what\s+(?:\w+\s+){1,4}?(?:trained|learn\w*|read|fed|raised|taught)|(?:data|texts?|material|code)\s+(?:\w+\s+){0,4}?(?:train\w*|learn\w*|behind|underneath|fed\b)"
    ),
    "KEPT": (
        r"secret\w*|under\s+wraps|undisclosed|unpublished|unreleased|private|withh\w+|held\s+back|kept|keeps?\b|keeping|lock\w*|hid\w*|hidden|off\s+limits|confidential|closed|missing|absent|in\s+the\s+dark|in-house|to\s+(?:itself|themselves)|behind\s+closed|mystery|sealed|unknown|unavailable|silent|guard\w*"
    ),
    "GIVEN": (
        r"releas\w*|publish\w*|disclos\w*|shar(?:e|es|ed|ing)\b|reveal\w*|open\w*|public\w*|available|hand(?:ed|s|ing)?\b|posted|upload\w*|includ\w*|provid\w*|download\w*|online|list(?:s|ed)?\b|g[ai]ve[sn]?\b|came\s+with|comes?\s+with|let\s+out|out\s+in\s+the\s+open|see\b|seen\b|inspect\w*|look\b|ships?\b|shipped|bundled|attached|supplied|handed\s+over|repo\w*"
    ),
    "SENSES": (
        r"images?|pictures?|photo\w*|audio|sound\w*|video\w*|speech|voices?|vision|screenshots?|diagrams?|drawings?|music|multi-?modal\w*"
    ),
    "TAKES": (
        r"understand\w*|process\w*|reads?\b|reading|see[sn]?\b|look\w*|handl\w*|accept\w*|tak(?:e|es|ing)\b|generat\w*|describ\w*|support\w*|input\w*|hear\w*|draw\w*|produc\w*|interpret\w*|deal\w*|work\w*|analy\w*|recogni\w*|blind|deaf|view\w*|caption\w*|paint\w*|mak(?:e|es|ing)|multi-?modal\w*|eyes?|ears?"
    ),
    "MAY": (
        r"may|can\w*|allow\w*|let(?:s|ting)?\b|permit\w*|free\w*|right\s+to|entitle\w*|forbid\w*|forbad\w*|bar(?:s|red)\b|ban(?:s|ned)\b|prohibit\w*|rule[sd]?\s+out|licen[cs]\w*|terms|without\s+(?:paying|a\s+fee|asking|permission)"
    ),
    "FORBIDS": (
        r"forbid\w*|forbad\w*|forbidden|bar(?:s|red)\b|ban(?:s|ned)?\b|prohibit\w*|rules?\s+out|ruled\s+out|off\s+limits|research[\s\-]only|non-?commercial|only\s+for\s+research|restrict\w*"
    ),
    "USE": (
        r"sell\w*|sold|resell\w*|resale|commercial\w*|products?|business\w*|for\s+profit|paid\s+(?:service|product|app)\w*|modif\w*|redistribut\w*|monetis\w*|monetiz\w*|charge\b|royalt\w*"
    ),
    "SAYS": (
        r"card|paper|OpenAI|company|document\w*|report|maker|vendor|firm|lab|developer|it\b|they\b"
    ),
    "POLITICS": (
        r"politic\w*|contentious|controvers\w*|contested|governments?|sensitive|taboo|criticis\w*|criticiz\w*|touchy|divisive|delicate|hot-button|state\s+leaders"
    ),
    "REFUSES": (
        r"refus\w*|declin\w*|balk\w*|won['\u2019]t|will\s+not|prud\w*|shy\w*|dodg\w*|censor\w*|unwilling\w*|reluctan\w*|clams?\b|sanitis\w*|sanitiz\w*|squeamish|tight-?lipped|avoid\w*|evad\w*|steers?\s+clear|turns?\s+(?:down|away)|timid|mealy|coy|preach\w*|lectur\w*|wriggl\w*|duck\w*"
    ),
    "WRITES": (
        r"writ\w*|answer\w*|compl(?:y|ies|ied)\w*|willing\w*|oblig\w*|fulfil\w*|outspoken|frank\b|uncensored|happy\s+to|ready\s+to|discuss\w*"
    ),
    "RISK": (
        r"high\b|threshold|danger\w*|preparedness|risk\w*|tier|category|bar\b|alarm|cutoff|red\s+line|capabilit\w*|limit|level"
    ),
    "MISUSE": (
        r"fine-?tun\w*|tun(?:ed|ing)|retrain\w*|adversar\w*|malicious\w*|attack\w*|misus\w*|bad\s+actors?|weapon\w*|biolog\w*|cyber\w*|abus\w*|worst[\s\-]case|villain\w*|harmful\w*|do\s+harm|trained\s+(?:\w+\s+){0,3}harm"
    ),
    "THINK": (
        r"think\w*|reason\w*|effort|ponder\w*|deliberat\w*|mull\w*|thought\w*|chew\w*|work\s+(?:on|through)|how\s+(?:hard|long)"
    ),
    "LEVELS": (
        r"up\s+(?:or|and)\s+down|levels?|settings?|modes?|steps?|gears?|notches|tiers?|grades?|positions?|speeds?|low,|dial|knob|slider|switch|options?"
    ),
    "HOSTS": (
        r"wherever|whoever|rent\w*|(?:from\s+)?one\s+\w+\s+to\s+(?:another|the\s+next)|hosts?\b|hosting|providers?|servers?\b|suppliers?|endpoints?|vendors?\b|who\s+(?:serves|runs|hosts)|where\s+(?:it|they)\s+(?:run|is|are)|inference\s+\w+"
    ),
    "VARIES": (
        r"wander\w*|fluctuat\w*|differ\w*|var(?:y|ies|ied|iation|iable)\b|swing\w*|rang\w*|depend\w*|hang\w*\s+on|spread\w*|gap\w*|matters?\b|inconsisten\w*|uneven\w*|from\b|scatter\w*|apart\b|disagree\w*|anywhere"
    ),
    "SAME": (
        r"same\b|identical\w*|alike|uniform\w*|equal\w*|no\s+(?:difference|matter)|consisten\w*|regardless|irrelevant|whichever|whoever"
    ),
    "BIG_IRON": (
        r"racks?\b|clusters?|data\s?cent(?:er|re)s?|server\s+farms?|super-?computers?|several\s+(?:GPUs|cards|accelerators)|multiple\s+(?:GPUs|cards)|fleet\s+of|dozens?\s+of\s+(?:GPUs|cards)|mainframe\w*"
    ),
    "SMALL_IRON": (
        r"laptops?|desktops?|(?:single|one|lone|solitary)\s+(?:\w+\s+){0,3}(?:cards?|GPUs?|accelerators?|H100|chip|box)\b|consumer\s+\w+|home\s+\w*|gaming\s+(?:PCs?|rigs?|machines?|cards?)|notebooks?|MacBooks?|Macs?\b|own\s+(?:machine|computer|hardware|PC)|workstations?|phones?\b"
    ),
    "NEEDS": (
        r"run\w*|ran\b|fit\w*|load\w*|host\w*|hold\w*|deploy\w*|need\w*|requir\w*|take[sn]?\b|squeez\w*|work\w*|serv\w*|operat\w*|liv(?:e|es|ing)\b|happy|content"
    ),
}
