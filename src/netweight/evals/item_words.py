"""The words that items of several tasks are made of, and what the embedded model never saw.

Lists only. Does not know what is asked with them.
"""

import hashlib
from collections.abc import Sequence


def listed(words: str) -> list[str]:
    """Return words that are written in one text, with commas between them."""
    return words.split(", ")


CITIES = listed(
    "Rome, Paris, Berlin, Madrid, London, Oslo, Vienna, Prague, Lisbon, Athens, Dublin, Warsaw, "
    "Cairo, Tokyo, Delhi, Lima, Boston, Bergen, Lyon, Milan, Geneva, Kyoto, Seoul, Quito"
)
PEOPLE = listed(
    "Mara, Tom, Ida, Jonas, Lena, Pip, Rosa, Emil, Nora, Otto, Wren, Hugo, Ada, Finn, Elsa, Kai, "
    "Ben, Clara, David, Greta, Ivan, Lucy, Max, Olga"
)
THINGS = listed(
    "kite, lamp, clock, bell, boat, drum, hat, candle, book, ring, cup, chair, violin, mirror, "
    "basket, blanket, ladder, bottle, knife, spoon, coat, carpet, mask, wheel"
)
COLOURS = listed("red, blue, green, yellow, white, black, brown, grey")
ANIMALS = listed(
    "fox, owl, bear, hare, frog, snail, horse, crow, goat, duck, turtle, wolf, sheep, lion, tiger, "
    "rabbit, deer, donkey, monkey, swan, seal, crab, camel, zebra, eagle, panda"
)
DAYS = listed("Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday")
SKIES = {"sunny": "sun", "cloudy": "cloud", "rainy": "rain", "windy": "wind", "foggy": "fog"}
EVENTS = listed("dinner, lunch, the concert, the meeting, the lesson, a walk, the party, a game")
TEXTS = listed("good morning, see you soon, happy birthday, thank you, I am late, call me")
ROOMS = listed("kitchen, bedroom, bathroom, office, hall, cellar")
DISHES = listed("soup, pizza, salad, curry, pancakes, dumplings")
STREETS = listed("Mill Street, Station Road, Church Lane, Garden Street, Harbour Road")
TOPICS = listed("budget, garden, roof, holidays, school trip, summer fair")
CURRENCIES = {"euros": "EUR", "dollars": "USD", "pounds": "GBP", "francs": "CHF"}


def is_held_out(parts: Sequence[object]) -> bool:
    """Say whether the embedded model's training never saw what these parts make up."""
    text = "|".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).digest()[0] % 5 == 0
