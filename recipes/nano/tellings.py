"""Short stories and rhymes about everyday things, composed from parts.

A story is four sentences that share a subject and a person; a rhyme is two couplets. The parts are
single words, so that tellings differ in nearly all of theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from recipes.nano.dialogue import Dialogue, Effort, turn
from recipes.nano.words import PEOPLE, article, listed

Kind = Literal["story", "rhyme"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Subject:
    """What a telling is about, and how to speak of it."""

    name: str  # as a user says it: "a fox"
    plain: str  # "fox"
    kind: str  # creature, thing or weather


def _subjects(kind: str, names: str) -> list[Subject]:
    found = []
    for name in listed(names):
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

ADJECTIVES = listed(
    "old, small, quiet, silver, wooden, golden, crooked, gentle, brave, tired, curious, narrow, "
    "sleepy, green, rusty, bright, lonely, shy, proud, hungry, clever, patient, cold, warm, red, "
    "blue, tall, round, soft, strange, merry, wild, dusty, empty, forgotten, gloomy, noisy, "
    "pale, sunny, tiny"
)
_PLACES = listed(
    "harbour, wood, mill, village, hill, bridge, town, lake, road, orchard, beach, bakery, tower, "
    "market, meadow, station, valley, garden, island, well, barn, church, school, square, river, "
    "cellar, attic, kitchen, stable, cave, pond, fence, gate, chimney, field, theatre, library, "
    "canal, ferry, palace"
)
_PREPOSITIONS = listed("near, behind, beside, beyond, under, above, inside, outside, past, around")
_TIMES = listed(
    "At dawn, One evening, Last winter, Before breakfast, After the storm, Late at night, "
    "Long ago, On Sunday, In spring, During the fair, At noon, Next morning, Once, "
    "On a Tuesday, In autumn, After supper"
)
_JOBS = listed(
    "baker, sailor, postman, teacher, painter, miller, shepherd, tailor, fisherman, gardener, "
    "carpenter, doctor, musician, cook, clockmaker, weaver, traveller, neighbour, student"
)
_TRANSITIVE = listed(
    "brought, carried, found, lost, mended, painted, hid, borrowed, saw, followed, touched, "
    "wanted, kept, dropped, watched, remembered"
)
_THINGS = listed(
    "button, map, blanket, song, basket, door, nest, letter, path, bell, window, shoe, lantern, "
    "ladder, kite, drum, mirror, spoon, candle, picture, umbrella, whistle, ribbon, bottle, "
    "hammer, pillow, flute, wheel, feather, stone"
)
_PLURALS = listed(
    "pears, stars, shells, leaves, bells, songs, clouds, stones, boats, birds, candles, letters, "
    "flowers, shadows, footprints, children, cousins, lanterns, feathers, windows, apples, mice, "
    "waves, coins, stories, berries, drums, ribbons, acorns, bees, dreams, houses, trees, kites, "
    "plums, snowflakes, sparrows, tunes, wheels, roses"
)
_ADVERBS = listed(
    "slowly, quietly, happily, twice, again, together, softly, bravely, all day, at last, gladly, "
    "for hours, at once, alone, carefully, in silence, in vain, suddenly, forever, once more"
)
_FEELINGS = listed(
    "glad, calm, curious, tired, proud, restless, hopeful, afraid, bored, shy, sad, lucky, "
    "grateful, puzzled, cheerful, homesick"
)
_VERBS = {
    "creature": listed(
        "wandered, waited, sang, hurried, rested, hid, danced, listened, trembled, dreamed, slept, "
        "laughed, wept, played, worked, walked"
    ),
    "thing": listed(
        "stood, lay, rested, waited, shone, slept, hid, trembled, stayed, glittered, creaked"
    ),
    "weather": listed(
        "came, lingered, whispered, passed, settled, drifted, rested, waited, returned, hid, sang, "
        "wandered"
    ),
}


class _Parts:
    """Draws the words of one telling."""

    def __init__(self, subject: Subject, random: Random) -> None:
        self.subject = subject
        self.random = random

    def one(self, words: Sequence[str]) -> str:
        return self.random.choice(words)

    @property
    def verb(self) -> str:
        """What the subject did."""
        return self.one(_VERBS[self.subject.kind])

    @property
    def adjective(self) -> str:
        return self.one(ADJECTIVES)

    @property
    def somewhere(self) -> str:
        return f"{self.one(_PREPOSITIONS)} the {self.adjective} {self.one(_PLACES)}"

    @property
    def something(self) -> str:
        return f"{article(self.adjective)} {self.one(_THINGS)}"

    @property
    def several(self) -> str:
        return f"{self.adjective} {self.one(_PLURALS)}"


def story(subject: Subject, random: Random) -> str:
    """Four sentences about `subject`: where it was, who came, what they saw and how it ended."""
    parts = _Parts(subject, random)
    person, plain = parts.one(PEOPLE), subject.plain
    first = f"{parts.one(_TIMES)} {subject.name} {parts.verb} {parts.somewhere}."
    second = parts.one(
        (
            f"{person} the {parts.one(_JOBS)} {parts.one(_TRANSITIVE)} {parts.something}.",
            f"There {person} {parts.one(_TRANSITIVE)} {parts.something} {parts.somewhere}.",
            f"{article(parts.adjective).capitalize()} {parts.one(_JOBS)} named {person} "
            f"{parts.one(_TRANSITIVE)} {parts.something}.",
        )
    )
    third = parts.one(
        (
            f"They {parts.one(_TRANSITIVE)} {parts.several} and {parts.several}.",
            f"{person} showed the {plain} {parts.several}.",
            f"Then {parts.several} came {parts.somewhere}.",
            f"The {plain} {parts.one(_TRANSITIVE)} {parts.several} {parts.one(_ADVERBS)}.",
        )
    )
    fourth = parts.one(
        (
            f"{person} felt {parts.one(_FEELINGS)}, and the {plain} {parts.verb} "
            f"{parts.one(_ADVERBS)}.",
            f"So {person} grew {parts.one(_FEELINGS)} and {parts.one(_FEELINGS)}.",
            f"In the end the {plain} {parts.verb} {parts.one(_ADVERBS)} with {parts.several}.",
        )
    )
    return f"{first} {second} {third} {fourth}"


# How lines may end, by rhyme.
_ENDINGS = (
    "in the night, without a light, all warm and bright, far out of sight, dressed up in white, "
    "beside a kite, with all its might",
    "on market day, so far away, beside the bay, in fields of hay, in early May, along the way, "
    "where children play, under skies of grey",
    "beside the sea, beneath a tree, alone and free, till half past three, in time for tea, "
    "for you and me, as glad as could be",
    "upon the hill, when all was still, behind the mill, of its own will, near the window sill, "
    "in the autumn chill",
    "out in the rain, along the lane, beside a train, across the plain, again and again, "
    "behind the pane, with might and main",
    "upon a stone, but not alone, near a golden throne, to lands unknown, in a gentle tone, "
    "by the telephone",
    "under the moon, one day in June, this afternoon, and none too soon, to a silver tune, "
    "with a wooden spoon, by a red balloon, on a sandy dune",
    "beside the door, along the shore, and asked for more, on the wooden floor, as once before, "
    "by the village store, at half past four, for evermore",
    "in the snow, row by row, to and fro, long ago, down below, soft and slow",
)


def rhyme(subject: Subject, random: Random) -> str:
    """Four lines about `subject`: two couplets of different rhymes."""
    parts = _Parts(subject, random)
    first, second = (random.sample(listed(sound), 2) for sound in random.sample(_ENDINGS, 2))
    other, link = parts.one(_VERBS["creature"]), parts.one(("And", "But", "So", "While"))
    return "\n".join(
        (
            f"The {parts.adjective} {subject.plain} {parts.verb} {first[0]},",
            f"And {parts.several} {parts.one(_VERBS['weather'])} {first[1]}.",
            f"{parts.one(PEOPLE)} the {parts.one(_JOBS)} {other} {second[0]},",
            f"{link} the {subject.plain} {parts.verb} {second[1]}.",
        )
    )


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
_REQUESTS: dict[Kind, tuple[str, ...]] = {"story": STORY_REQUESTS, "rhyme": RHYME_REQUESTS}
_SHAPES: dict[Kind, str] = {
    "story": "Four short sentences.",
    "rhyme": "Four lines that rhyme in pairs.",
}


def request(subject: Subject, kind: Kind, random: Random) -> str:
    """One way to ask for a telling."""
    return random.choice(_REQUESTS[kind]).format(name=subject.name)


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """A story or a rhyme to learn."""
    kind = random.choice(KINDS)
    subject = random.choice(SUBJECTS)
    told = story(subject, random) if kind == "story" else rhyme(subject, random)
    plan = f"The user wants a {kind} about {subject.name}."
    if effort != "low":
        plan += f" {_SHAPES[kind]}"
    if effort == "high":
        plan += f" It begins with {subject.name} and ends well."
    return Dialogue(turn(request(subject, kind, random), plan, told))
