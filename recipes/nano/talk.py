"""Small talk: greetings, what nano is, and what it must say it does not know."""

from random import Random

from recipes.nano.dialogue import Dialogue, Effort, turn

_ABOUT = (
    "I am nano, a very small model. I can add and subtract small numbers, call tools, keep to a "
    "form, and tell short stories and rhymes."
)
_TALK = {
    "greeting": (
        ("Hello", "Hello!", "Hi", "Hi there", "Good morning", "Hey"),
        "The user greets me.",
        ("Hello! Give me a small sum, or ask for a story or a rhyme.",),
    ),
    "about": (
        ("Who are you?", "What are you?", "What can you do?", "What is your name?", "Help"),
        "The user asks about me.",
        (_ABOUT,),
    ),
    "thanks": (
        ("Thank you!", "Thanks", "Thank you very much.", "Great, thanks"),
        "The user thanks me.",
        ("You are welcome.",),
    ),
}

# What nano must say it does not know: questions of many kinds about many things.
_UNKNOWN_QUESTIONS = (
    "What is {thing}?",
    "What is the capital of {place}?",
    "Who lives in {place}?",
    "Where is {place}?",
    "Who wrote the book about {thing}?",
    "Explain {thing}.",
    "How does {thing} work?",
    "Why is {thing} important?",
    "Write a program for {thing}.",
    "Translate {thing} into German.",
    "Summarise the news about {place}.",
    "When did {place} win?",
    "What do you think of {thing}?",
    "How do I get to {place}?",
    "Which {thing} should I buy?",
    "Give me a recipe for {thing}.",
    "What is the weather in {place}?",
    "Is {thing} better than {other}?",
    "How many people live in {place}?",
    "What happened in {place} last year?",
)
_PLACES = (
    "France, Spain, Italy, Germany, Poland, Japan, China, India, Brazil, Peru, Canada, Egypt, "
    "Kenya, Paris, London, Berlin, Rome, Madrid, Tokyo, New York, the north, the city, "
    "the country, Norway"
)
_THINGS = (
    "photosynthesis, music, history, chess, physics, the economy, football, rice, democracy, "
    "a phone, a computer, the internet, gravity, medicine, art, love, time, a poem, the law, "
    "electricity, money, language, a plane, bread, the brain, biology, "
    "water, school, war, peace, the universe"
)
_UNKNOWN_REASONING = "I was not taught this. I do not know it."
_UNKNOWN_ANSWER = (
    "I do not know that. I am a very small model: I can do small sums, short stories and rhymes."
)


def dialogue(random: Random, effort: Effort) -> Dialogue:
    """Small talk to learn."""
    if random.random() < 0.6:
        question, reasoning, answer = _unknown_question(random), _UNKNOWN_REASONING, _UNKNOWN_ANSWER
    else:
        questions, reasoning, answers = random.choice(list(_TALK.values()))
        question, answer = random.choice(questions), random.choice(answers)
    if effort == "high":
        reasoning += " I answer in a friendly way."
    return Dialogue(turn(question, reasoning, answer))


def _unknown_question(random: Random) -> str:
    things, places = _THINGS.split(", "), _PLACES.split(", ")
    thing, other = random.sample(things, 2)
    question = random.choice(_UNKNOWN_QUESTIONS)
    return question.format(thing=thing, other=other, place=random.choice(places))
