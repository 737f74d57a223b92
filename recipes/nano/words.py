"""Words that the skills share. One list each, so that a word is the same tokens everywhere."""


def listed(words: str) -> list[str]:
    """Words written one after the other."""
    return words.split(", ")


ANIMALS = listed(
    "fox, owl, cat, dog, mouse, bear, hare, frog, gull, snail, horse, crow, bee, whale, goat, "
    "duck, turtle, hen, wolf, sheep, robin, lion, tiger, spider, fish, bird, rabbit, deer, donkey, "
    "monkey, ant, cow, pig, swan, seal, crab, camel, zebra, eagle, panda"
)
PEOPLE = listed(
    "Mara, Tom, Ida, Jonas, Lena, Pip, Rosa, Emil, Nora, Otto, Wren, Hugo, Ada, Finn, Elsa, Kai, "
    "Ben, Clara, David, Greta, Ivan, Lucy, Max, Olga"
)
CITIES = listed(
    "Rome, Paris, Berlin, Madrid, London, Oslo, Vienna, Prague, Lisbon, Athens, Dublin, Warsaw, "
    "Cairo, Tokyo, Delhi, Lima, Boston, Bergen, Lyon, Milan, Geneva, Kyoto, Seoul, Quito"
)
THINGS = listed(
    "kite, lamp, clock, bell, boat, drum, hat, candle, book, ring, cup, chair, violin, mirror, "
    "basket, blanket, ladder, bottle, knife, spoon, coat, carpet, mask, wheel"
)
COLOURS = listed("red, blue, green, yellow, white, black, brown, grey")


def article(noun: str) -> str:
    """The noun with `a` or `an` before it."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
