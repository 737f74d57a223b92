"""Short stories and rhymes about everyday things, composed from parts.

A story is five sentences that share a subject, a place and a helper; a rhyme is two couplets. The
parts multiply to far more tellings than training ever draws.
"""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Subject:
    """What a telling is about, and how to speak of it."""

    name: str  # as a user says it: "a fox"
    plain: str  # "fox"
    kind: str  # creature, thing or weather


def _subjects(kind: str, names: str) -> list[Subject]:
    found = []
    for name in names.split(", "):
        plain = name.split(" ", 1)[1]
        found.append(Subject(name, plain, kind))
    return found


SUBJECTS = (
    _subjects(
        "creature",
        "a fox, an owl, a cat, a dog, a mouse, a bear, a hare, a frog, a goose, a snail, a horse, "
        "a crow, a bee, a whale, a goat, a duck, a turtle, a hen, a wolf, a sheep, a robin, "
        "a hedgehog, a sailor, a baker, a child, a grandmother, a gardener, a shepherd, a dragon, "
        "a robot, a king, a queen, a giant, a witch, a pirate, a painter, a farmer, a lion, "
        "a tiger, a spider, a fish, a bird, a rabbit, a deer, a donkey, a monkey, a squirrel, "
        "a butterfly, a teacher, a knight, a ghost, a thief, a clown, a fisherman",
    )
    + _subjects(
        "thing",
        "an old boat, a lamp, a clock, a kite, a bell, a lost key, a red coat, a garden, a bridge, "
        "a river, a little house, a train, a letter, a tree, a mountain, a mirror, "
        "a loaf of bread, a wooden chair, a blue cup, a lighthouse, a mill, a violin, a castle, "
        "a forest, a road, a ship, a car, a drum, a hat, a stone, a rose, a cloud, a candle, "
        "a book, a window, a bicycle, a shoe, a coin, a ring, a bed, a cake, a ball",
    )
    + _subjects(
        "weather",
        "the rain, the snow, the wind, the moon, the sea, the morning, the winter, the summer, "
        "the night, the fog, the spring, the sun",
    )
)

_NAMES = (
    "Mara, Tom, Ida, Jonas, Lena, Pip, Rosa, Emil, Nora, Otto, Wren, Hugo, Ada, Finn, Elsa, Kai"
)
_PLACES = (
    "by the harbour, at the edge of the wood, behind the old mill, in a quiet village, "
    "under the hill, "
    "near the stone bridge, in a town of narrow streets, beside the lake, "
    "at the end of a long road, "
    "in a valley full of orchards, close to the sea, above the bakery"
)
_HELPERS = (
    "a kind neighbour, an old sailor, the baker's daughter, a tired traveller, a small girl, "
    "a grey cat, the postman, a boy with a lantern, two sparrows, a stranger in a green hat, "
    "the keeper of the gate, a sleepy dog"
)
_FINDS = (
    "a silver button, a map with one corner torn, a warm blanket, a song that nobody knew, "
    "a basket of pears, a door that had always been locked, an empty nest, "
    "a letter without a name, "
    "a path between the reeds, a small brass bell, a window with a light in it, a pair of red shoes"
)
_FEELINGS = (
    "lonely, curious, tired, cold, proud, restless, hungry, afraid, hopeful, bored, shy, sad"
)
_LESSONS = (
    "being patient is a kind of courage, small kindnesses travel far, "
    "every road leads home in the end, "
    "a friend makes any night shorter, some things are better shared, "
    "quiet voices can be heard too, "
    "it is never too late to begin again, what is lost may only be waiting, "
    "the best songs are made together, nobody is too small to help"
)
_WEATHERS = (
    "One evening the wind came up, One morning everything was white with frost, "
    "After three days of rain, On the first day of spring, When the lamps were being lit, "
    "Late one night, Just before the market opened, On the longest day of the year, "
    "While the whole village slept, As the leaves began to fall"
)

_OPENINGS = {
    "creature": (
        "There was once {name} who lived {place} and was always {feeling}.",
        "{Place} lived {name} called {person}, who felt {feeling} that year.",
        "Nobody {place} knew how {feeling} the {plain} had become.",
        "{person} was {name}, and {person} lived {place}.",
    ),
    "thing": (
        "There was once {name} that stood {place}, and people said it was {feeling}.",
        "{person} kept {name} {place} and never told anyone why.",
        "Long ago somebody left {name} {place}.",
        "{Place} there was {name} that everybody had forgotten except {person}.",
    ),
    "weather": (
        "Everybody {place} was waiting for {name}, and {person} most of all.",
        "{person} lived {place} and was never {feeling} when {name} came.",
        "There was a year when {name} stayed away, and {person} felt {feeling}.",
        "{Place}, {person} used to listen to {name} through an open window.",
    ),
}
_TURNS = (
    "{weather}, {helper} came by and asked for help.",
    "{weather}, {helper} knocked three times and brought {find}.",
    "{weather}, {person} met {helper} and followed along without a word.",
    "{weather}, {helper} pointed at {find} and smiled.",
)
_MIDDLES = (
    "Together they found {find}, and it was not what anyone had expected.",
    "They walked until they came to {find}.",
    "It took them the whole day, but at last they saw {find}.",
    "They shared what little they had and talked about {find}.",
    "Nobody had ever seen {find} there before.",
)
_CHANGES = (
    "From then on the {plain} was never {feeling} again.",
    "{person} laughed for the first time in weeks.",
    "The {plain} stayed the same, but everything around it seemed a little brighter.",
    "Even {helper} had to admit that it was a good day.",
    "When they came back, the whole street was awake and singing.",
)
_CLOSINGS = (
    "And that is how {person} learned that {lesson}.",
    "They say {place} to this day that {lesson}.",
    "In the end it was simple: {lesson}.",
    "{person} wrote it on the wall so that nobody would forget: {lesson}.",
)


def _pick(random: Random, parts: str) -> str:
    return random.choice(parts.split(", "))


def story(subject: Subject, random: Random) -> str:
    """Five sentences about `subject`."""
    place = _pick(random, _PLACES)
    values = {
        "name": subject.name,
        "plain": subject.plain,
        "person": _pick(random, _NAMES),
        "place": place,
        "Place": place[0].upper() + place[1:],
        "helper": _pick(random, _HELPERS),
        "feeling": _pick(random, _FEELINGS),
        "weather": _pick(random, _WEATHERS),
        "lesson": _pick(random, _LESSONS),
        "find": _pick(random, _FINDS),
    }
    parts = (_OPENINGS[subject.kind], _TURNS, _MIDDLES, _CHANGES, _CLOSINGS)
    return " ".join(random.choice(part).format(**values) for part in parts)


# Couplets by rhyme: the first line names the subject, the second answers it.
_FIRST_LINES = {
    "night": ("I saw {the} {plain} in the night", "{The} {plain} sat still in fading light"),
    "day": ("{The} {plain} came by to me one day", "I thought {the} {plain} had gone away"),
    "sea": ("{The} {plain} was all I hoped to see", "I dreamt {the} {plain} went down to sea"),
    "hill": ("I found {the} {plain} upon the hill", "{The} {plain} was waiting, calm and still"),
    "rain": ("I heard {the} {plain} beyond the rain", "I called {the} {plain} and called again"),
    "stone": ("I met {the} {plain} beside a stone", "{The} {plain} was there, but not alone"),
}
_SECOND_LINES = {
    "night": ("and all the world was warm and bright", "and every star came into sight"),
    "day": ("and would not let me go to play", "and asked if it could please just stay"),
    "sea": ("and nothing there was lost to me", "and brought a song back home to me"),
    "hill": ("and if I look, I see it still", "with flowers on the window sill"),
    "rain": ("and nothing felt the same again", "and someone waited for the train"),
    "stone": ("and made the quiet house its own", "and sang the only tune I've known"),
}


def rhyme(subject: Subject, random: Random) -> str:
    """Four lines about `subject`: two couplets of different rhymes."""
    lines = []
    for sound in random.sample(sorted(_FIRST_LINES), 2):
        first = random.choice(_FIRST_LINES[sound]).format(the="the", The="The", plain=subject.plain)
        lines += [first + ",", random.choice(_SECOND_LINES[sound]) + "."]
    return "\n".join(line[0].upper() + line[1:] for line in lines)


STORY_REQUESTS = (
    "Tell me a short story about {name}.",
    "Write a short story about {name}.",
    "Tell me a story about {name}",
    "Can you tell a story about {name}?",
    "I would like a short tale about {name}, please.",
    "Write a few sentences about {name}.",
)
RHYME_REQUESTS = (
    "Write a rhyme about {name}.",
    "Make a short rhyme about {name}.",
    "Write a little poem about {name}.",
    "Can you write a poem about {name}?",
    "A rhyme about {name}, please.",
    "Write a short poem about {name}",
)
