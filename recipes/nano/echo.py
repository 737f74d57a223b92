"""Words to be repeated: what nano learns to copy on, which is under most of its skills."""

from random import Random

from recipes.nano.dialogue import Dialogue, Effort, turn
from recipes.nano.words import ANIMALS, CITIES, COLOURS, PEOPLE, THINGS

_WORDS = [*ANIMALS, *PEOPLE, *CITIES, *THINGS, *COLOURS]
_REQUESTS = ("Repeat: {text}", "Say this again: {text}", "Echo: {text}")


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """Two to eight words or numbers, some as JSON strings."""
    words = [
        random.choice(_WORDS) if random.random() < 0.8 else str(random.randint(2, 99))
        for _ in range(random.randint(2, 8))
    ]
    text = ", ".join(f'"{word}"' if random.random() < 0.2 else word for word in words)
    reasoning = {"low": "Repeat.", "medium": "The user wants it again.", "high": "I repeat it all."}
    return Dialogue(turn(random.choice(_REQUESTS).format(text=text), reasoning[effort], text))
