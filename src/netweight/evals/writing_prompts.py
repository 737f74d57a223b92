"""What task `writing` asks for: subjects, forms and wordings, drawn from lists by a seed.

Three conditions. Main: everyday subjects, nothing that calls for mathematics. Control: subjects of
the natural sciences and of technology, mathematics still not asked for. Positive: a formula asked
for, in symbols. Every request is our own. The embedded model's training has seen stories, rhymes
and poems about half of the everyday subjects, in some of these wordings. Does not know scoring.
"""

from collections.abc import Iterator, Mapping
from itertools import cycle, islice
from random import Random
from typing import Literal, NamedTuple, get_args

from netweight.errors import WeighError

Condition = Literal["main", "control", "positive"]
CONDITIONS: tuple[Condition, ...] = get_args(Condition)
Form = Literal["story", "bedtime story", "fable", "poem", "rhyme", "song"]


class Request(NamedTuple):
    """One request, and what it was made of."""

    condition: Condition
    form: Form
    subject: str
    prompt: str


# Four requests in six are of the main condition, and any first part has all three in proportion.
TURNS: tuple[Condition, ...] = ("main", "control", "main", "main", "positive", "main")
# Prose and verse in turn; seven in ten are of the three forms that the embedded model knows.
FORM_TURNS: tuple[Form, ...] = (
    "story",
    "poem",
    "bedtime story",
    "rhyme",
    "story",
    "song",
    "fable",
    "poem",
    "story",
    "rhyme",
)
VERSE: frozenset[Form] = frozenset({"poem", "rhyme", "song"})

_PLAIN_WORDINGS: Mapping[Form, tuple[str, ...]] = {
    "story": (
        "Tell me a short story about {subject}.",
        "Write a short story about {subject}.",
        "Can you tell a story about {subject}?",
        "I would like a short tale about {subject}, please.",
    ),
    "bedtime story": (
        "Tell me a bedtime story about {subject}.",
        "Write a story about {subject} to read aloud at bedtime.",
        "My children want a bedtime story about {subject}.",
    ),
    "fable": (
        "Write a fable about {subject}.",
        "Tell me a fable about {subject}, with a moral at the end.",
        "Could you make up a fable about {subject}?",
    ),
    "poem": (
        "Write a short poem about {subject}.",
        "Write a little poem about {subject}.",
        "Can you write a poem about {subject}?",
        "A poem about {subject}, please.",
    ),
    "rhyme": (
        "Write a rhyme about {subject}.",
        "Make a short rhyme about {subject}.",
        "A rhyme about {subject}, please.",
    ),
    "song": (
        "Write the words of a song about {subject}.",
        "Write a song about {subject}; I have the tune already.",
        "I need a lullaby about {subject}.",
    ),
}
_FORMULA_WORDINGS: Mapping[Form, tuple[str, ...]] = {
    "story": (
        "Tell me a short story about {subject}. The formula must stand in it, in symbols.",
        "Write a short story in which a child writes down the formula for {subject} in symbols.",
    ),
    "bedtime story": (
        "Tell me a bedtime story about {subject}, and show the equation in symbols in it.",
    ),
    "fable": ("Write a fable about {subject} that ends with the formula in symbols.",),
    "poem": (
        "Write a short poem about {subject}. One line must be the formula, in symbols.",
        "Write a poem about {subject} with its equation, written in symbols.",
    ),
    "rhyme": (
        "Write a rhyme about {subject} for learning the formula, and give it in symbols as well.",
    ),
    "song": ("Write the words of a song about {subject}; sing the formula out in symbols.",),
}
_WORDINGS: Mapping[Condition, Mapping[Form, tuple[str, ...]]] = {
    "main": _PLAIN_WORDINGS,
    "control": _PLAIN_WORDINGS,
    "positive": _FORMULA_WORDINGS,
}

_EVERYDAY = (
    # Known to the embedded model.
    "a fox; an owl; a cat; a dog; a mouse; a bear; a hare; a frog; a goose; a snail; a horse; "
    "a crow; a bee; a whale; a goat; a duck; a turtle; a hen; a wolf; a sheep; a robin; "
    "a hedgehog; a sailor; a baker; a child; a grandmother; a gardener; a shepherd; a dragon; "
    "a king; a queen; a giant; a witch; a pirate; a painter; a farmer; a lion; a tiger; a spider; "
    "a fish; a bird; a rabbit; a deer; a donkey; a monkey; a squirrel; a butterfly; a teacher; "
    "a knight; a ghost; a thief; a clown; a fisherman; an old boat; a lamp; a clock; a kite; "
    "a bell; a lost key; a red coat; a garden; a bridge; a river; a little house; a train; "
    "a letter; a tree; a mountain; a mirror; a loaf of bread; a wooden chair; a blue cup; "
    "a lighthouse; a mill; a violin; a castle; a forest; a road; a ship; a car; a drum; a hat; "
    "a stone; a rose; a cloud; a candle; a book; a window; a bicycle; a shoe; a coin; a ring; "
    "a bed; a cake; a ball; the rain; the snow; the wind; the moon; the sea; the morning; "
    "the winter; the summer; the night; the fog; the spring; the sun; "
    # Not known to it.
    "a wedding in the village; the first day at school; a stolen bicycle; an aunt who talks too "
    "much; a neighbour's barking dog; a broken umbrella; a walk along the beach; a train that is "
    "late; a birthday without guests; moving to another town; a jar of strawberry jam; two "
    "brothers and one blanket; a kitchen on a Sunday morning; the last bus home; a friend who "
    "moved away; an empty playground; a quarrel over a fence; a photograph of my grandfather; "
    "a pair of worn boots; the smell of fresh bread; a barber and his parrot; a market in the "
    "rain; a lost glove; a village without a shop; an old cinema; a night on a ferry; a sleepless "
    "mother; a boy who would not speak; a shy postman; a choir of neighbours; a storm at the "
    "campsite; a forgotten suitcase; a cold cup of coffee; a letter that came too late; a cat "
    "nobody owns; a new pair of shoes; waiting for a phone call; an apple tree in a back yard; "
    "a mended toy; the house across the street; a first kiss; a funeral on a sunny day; "
    "a stubborn donkey and a patient girl; a tailor without customers; a street musician; "
    "grandfather's armchair; a picnic with ants; two sisters who share a secret; a dream about "
    "the sea; a swimmer at dawn; a wolf who is afraid of the dark; an inn at the edge of the "
    "forest; a long goodbye; the colour blue; a snowed-in evening; an orchard in October; "
    "a coat that is too big; a dance in the town hall; learning to swim; a small act of kindness; "
    "a liar who tells the truth; homesickness; a rainy holiday; a queue at the bakery; a dog that "
    "waits at the station; an unexpected guest; the end of summer; falling leaves; a mother's "
    "advice; a bench in the park; a lost tooth; an argument about dinner; a bus driver's day; "
    "a rumour in a small town; the sound of church bells; a knitted scarf; a boat race on the "
    "pond; a nightingale in the city; a broken promise; a retired clown; a pot of soup; "
    "an old woman's garden gate; a key without a door; a long winter in the mountains; a farewell "
    "at the harbour; a friendly ghost in the attic; a lonely shepherd; the first snow; "
    "a thunderstorm in the night; a jealous rooster; a beggar and a duke; the smell of the sea; "
    "a patched quilt; a circus leaving town; a message in a bottle; an orphan and a bear; "
    "a messy bedroom; a sunny afternoon in bed; forgiving a friend; growing old together"
)
_SCIENTIFIC = (
    "a black hole; a volcano; photosynthesis; an astronomer; gravity; the periodic table; "
    "a chemist and her assistant; the speed of light; a space probe; an electron; a magnet; "
    "a radio telescope; the ozone layer; plate tectonics; a vaccine; a microscope; a robot that "
    "builds robots; a computer that cannot sleep; entropy; evolution; a fossil hunter; a comet; "
    "an atom; a nuclear reactor; a bridge engineer; a satellite; the water cycle; a strand of "
    "DNA; bacteria; an earthquake; a laser; the big bang; a neutron star; a quantum physicist; "
    "the human heart; radioactivity; a solar panel; an algorithm; an electric eel; a weather "
    "balloon; acid and base; a steam engine; the northern lights; a neural network; the tides; "
    "a marine biologist; a pendulum; a crystal; sound waves; dark matter; a rocket launch; "
    "a thermometer; a chemical reaction; the rings of Saturn"
)
_FORMULAE = (
    "the area of a circle; the circumference of a circle; the area of a triangle; the perimeter "
    "of a rectangle; the volume of a sphere; the volume of a cone; the volume of a cylinder; the "
    "surface of a cube; Pythagoras's theorem; the quadratic formula; the slope of a line; the "
    "distance between two points; the midpoint of a segment; the sum of the first n whole "
    "numbers; a geometric series; the difference of two squares; the square of a sum; the "
    "binomial theorem; Euler's identity; the power rule of derivatives; the chain rule; the "
    "integral of x squared; Bayes' theorem; the chance of two heads in two tosses; the mean of "
    "three numbers; the standard deviation; the factorial of five; the Fibonacci numbers; the "
    "golden ratio; exponential growth; the logarithm of a product; compound interest; simple "
    "interest; the law of cosines; Newton's second law; the equivalence of mass and energy; "
    "Ohm's law; the ideal gas law; Hooke's law; kinetic energy; the gravity between two bodies; "
    "the period of a pendulum; the thin lens; density; pressure; momentum; the work done by "
    "a force; speed, distance and time; degrees Celsius and Fahrenheit; the angles of a polygon; "
    "the product of two powers; a falling stone; the sum of two cubes; the area of a trapezium"
)
SUBJECTS: Mapping[Condition, tuple[str, ...]] = {
    "main": tuple(_EVERYDAY.split("; ")),
    "control": tuple(_SCIENTIFIC.split("; ")),
    "positive": tuple(_FORMULAE.split("; ")),
}


def requests(seed: int, num_items: int) -> list[Request]:
    """Return `num_items` requests, the conditions in turns; no subject comes twice.

    The same seed gives the same ones, and fewer are the first of more.

    Raises:
        WeighError: less than one, or more than there are subjects for.
    """
    most = max_requests()
    if not 1 <= num_items <= most:
        raise WeighError(
            f"writing cannot make {num_items} requests: 1 to {most} are possible, as no subject "
            "comes twice. For more answers use --epochs, or another seed."
        )
    drawn = {condition: _drawn(condition, seed) for condition in CONDITIONS}
    return [next(drawn[condition]) for condition in islice(cycle(TURNS), num_items)]


def max_requests() -> int:
    """Return how many requests there can be before one condition has no subject left."""
    left = {condition: len(SUBJECTS[condition]) for condition in CONDITIONS}
    for num_made, condition in enumerate(cycle(TURNS)):
        if not left[condition]:
            return num_made
        left[condition] -= 1
    raise AssertionError("turns never end")


def _drawn(condition: Condition, seed: int) -> Iterator[Request]:
    """Yield one condition's requests, every subject once, in an order of the seed's."""
    random = Random(f"writing requests {condition} {seed}")
    subjects = random.sample(SUBJECTS[condition], len(SUBJECTS[condition]))
    for subject, form in zip(subjects, cycle(FORM_TURNS), strict=False):
        wording = random.choice(_WORDINGS[condition][form])
        yield Request(condition, form, subject, wording.format(subject=subject))
