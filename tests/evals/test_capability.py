"""The capability task: items solved again from their text alone, and how answers are read."""

import re
from itertools import permutations, product
from random import Random

import pytest
from inspect_ai import eval as inspect_eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model

from netweight.errors import WeighError
from netweight.evals import capability_arithmetic, capability_reading
from netweight.evals.capability import MAX_ITEMS, MEASURE, capability, items
from netweight.evals.capability_answers import judge, read
from netweight.evals.capability_item import KINDS, Item
from netweight.evals.measure import Scored
from recipes.nano import problems as taught_problems
from recipes.nano import sums as taught_sums
from recipes.nano import world as taught_world
from recipes.nano.dialogue import is_held_out
from recipes.nano.words import COLOURS, THINGS

ITEMS = list(items(seed=3, num_items=360))


def of(kind, words=""):
    found = [item for item in ITEMS if item.kind == kind and words in item.question]
    assert len(found) >= 20
    return found


def test_the_same_seed_gives_the_same_items_and_another_seed_others():
    assert list(items(1, 30)) == list(items(1, 30)) != list(items(2, 30))


def test_the_kinds_come_in_turns_and_no_item_comes_twice():
    assert [item.kind for item in ITEMS[:6]] == [*KINDS, *KINDS]
    assert len({(item.facts, item.question) for item in ITEMS}) == len(ITEMS)


def test_every_kind_has_items_of_several_lengths():
    for kind, fewest in (("arithmetic", 2), ("logic", 1), ("reading", 1)):
        lengths = {item.num_steps for item in of(kind)}
        assert len(lengths) >= 3 and min(lengths) == fewest


@pytest.mark.parametrize("num_items", [0, MAX_ITEMS + 1])
def test_a_number_of_items_that_cannot_be_had_is_refused(num_items):
    with pytest.raises(WeighError, match=f"items, not {num_items}"):
        capability(num_items=num_items)


# Arithmetic, worked out from the words.

STEPS = (
    (r"has (\d+) times as many|, and has (\d+) times as many", lambda value, n: value * n),
    (r"among (\d+) boxes|makes (\d+) equal heaps", lambda value, n: value / n),
    (r"(\d+) more", lambda value, n: value + n),
    (r"gets (\d+) from", lambda value, n: value + n),
    (r"(?:loses|gives|sells|takes|Then) (\d+)(?! more)", lambda value, n: value - n),
)


def worked_out(question):
    """The result, and the number of steps, of a problem in words."""
    sentences = re.split(r"(?<=[.?])\s", question)
    value, num_steps = int(re.search(r"\d+", sentences[0]).group()), 0
    for sentence in sentences[1:-1]:
        for pattern, step in STEPS:
            if found := re.search(pattern, sentence):
                value = step(value, int(next(filter(None, found.groups()))))
                num_steps += 1
                break
    return value, num_steps


def test_every_problem_has_the_result_and_the_steps_that_its_words_give():
    for item in of("arithmetic"):
        assert worked_out(item.question) == (int(item.answer), item.num_steps), item


def test_half_of_the_problems_are_of_the_embedded_models_kind_and_never_in_its_training():
    taught = of("arithmetic")[::2]
    endings = {re.sub(r"\{\w+\}", "", text) for text in taught_problems._QUESTIONS}
    for item in taught:
        first, second, _ = (int(number) for number in re.findall(r"\d+", item.question))
        assert taught_sums.is_never_shown(first, second)
        assert 0 < int(item.answer) < 100 and item.num_steps == 2
        question = re.split(r"(?<=\.)\s", item.question)[-1]
        name, things = re.search(r"[A-Z]\w+", item.question).group(), question.split()[2]
        assert question.replace(things, "").replace(name, "") in endings or name not in question


def test_the_wordings_of_taught_problems_are_those_of_the_training():
    assert capability_arithmetic._BEGINNINGS == taught_problems._BEGINNINGS
    assert capability_arithmetic._QUESTIONS == taught_problems._QUESTIONS
    for sign in "+-":
        assert capability_arithmetic._CHANGES[sign] == taught_problems._CHANGES[sign]


def facts_of(told):
    """The sentences after an introduction of the training's."""
    introduction = next(i for i in taught_world.INTRODUCTIONS if told.startswith(i))
    return tuple(re.findall(r"[^.]+\.", told.removeprefix(f"{introduction} ").replace(". ", ".")))


def test_the_facts_of_taught_readings_are_told_and_asked_for_as_in_the_training():
    random, taught = Random(1), set()

    def form(text):
        """A text without what is drawn: the names, jobs, colours and things."""
        drawn = [*taught_world.FOLK, *taught_world.TOWNS, *taught_world.JOBS, *COLOURS, *THINGS]
        return re.sub(rf"\b(?:{'|'.join(drawn)})\b", "_", text)

    for _ in range(300):
        item = taught_world.enquiry(random, held_out=True)
        taught.add((form(item.answer.partition(": ")[2]), form(item.question)))
    assert capability_reading._INTRODUCTIONS == taught_world.INTRODUCTIONS
    for item in (item for item in ITEMS if item.facts is not None):
        (answering,) = (each for each in facts_of(item.facts) if is_asked_of(item, each))
        assert (form(answering), form(item.question)) in taught


def is_asked_of(item, fact):
    asked = item.question.partition(" ")[2]
    (key,) = re.findall(r"[A-Z]\w+", asked) or re.findall(r"(\w+ \w+)\?", asked)
    return key in fact


# Logic, by trying out every possibility that the text leaves.


def possible_winners(question):
    """Who can be at the place that is asked for, whatever order fits the text."""
    names = re.findall(r"\w+", question.partition(" ran a race")[0].replace(" and ", ", "))
    ordinals = ("first", "second", "third", "fourth", "fifth")
    place = ordinals.index(re.search(r"Who came in (\w+)\?", question)[1])

    def fits(order):
        at = order.index
        return (
            all(at(a) < at(b) for a, b in re.findall(r"(\w+) came in before (\w+)\.", question))
            and all(
                at(a) == at(b) + 1
                for a, b in re.findall(r"(\w+) came in right after (\w+)\.", question)
            )
            and all(
                order[ordinals.index(where)] != name
                for name, where in re.findall(r"(\w+) was not (\w+)\.", question)
            )
        )

    return {order[place] for order in permutations(names) if fits(order)}


def test_every_race_has_exactly_one_answer_and_no_clue_to_spare():
    for item in of("logic", "ran a race"):
        assert possible_winners(item.question) == {item.answer}
        clues = re.findall(r"\w+ (?:came in (?:before|right after)|was not) \w+\. ", item.question)
        assert len(clues) == item.num_steps
        for clue in clues:
            assert len(possible_winners(item.question.replace(clue, ""))) > 1


def possible_knights(question):
    names = re.findall(r"[A-Z]\w+", question.split("lie. ")[1].partition(" live there")[0])
    said = re.findall(r'(\w+) says: "(.+?)"', question)

    def is_true(claim, knight):
        named = [name for name in names if re.search(rf"\b{name}\b", claim)]
        negated = "knave" in claim or "Neither" in claim
        return (knight in named) != negated

    return {
        knight
        for knight in names
        if all(is_true(claim, knight) == (speaker == knight) for speaker, claim in said)
    }


def test_every_island_has_exactly_one_possible_knight():
    for item in of("logic", "knights always"):
        assert possible_knights(item.question) == {item.answer}
        spoken = re.search(r'"(.+?)"', item.question)[1]
        assert item.question.count("says:") == item.num_steps and spoken


def deduced(question):
    """Whether the being must be, cannot be, or may be one of those that are asked about."""
    own = re.match(r"\w+ is one of the (\w+)\.", question)[1]
    asked = re.search(r"whether \w+ is one of the (\w+)\?", question)[1]
    rules = re.findall(r"(All|No) (\w+) are (\w+)\.", question)
    kinds = sorted({own, asked, *(kind for rule in rules for kind in rule[1:])})
    verdicts = set()
    for values in product((False, True), repeat=len(kinds)):
        world = dict(zip(kinds, values, strict=True))
        if world[own] and all(not world[a] or world[b] == (how == "All") for how, a, b in rules):
            verdicts.add(world[asked])
    assert verdicts, "the rules contradict each other"
    return {(True,): "yes", (False,): "no", (False, True): "unknown"}[tuple(sorted(verdicts))]


def test_every_deduction_has_the_answer_that_trying_all_worlds_gives():
    found = of("logic", "Does it follow")
    for item in found:
        assert deduced(item.question) == item.answer, item
    assert {item.answer for item in found} == {"yes", "no", "unknown"}


def test_the_solvers_see_a_puzzle_with_a_wrong_answer():
    race = of("logic", "ran a race")[0]
    turned = race.question.replace("right after", "before")
    assert possible_winners(turned) != {race.answer} or "right after" not in race.question
    assert deduced("Tom is one of the a. All b are a. Is it? whether Tom is one of the b?") == (
        "unknown"
    )
    claims = (
        'always lie. Al, Bo and Cy live there; Al says: "Bo is a knave." Bo says: "Al is a knave."'
    )
    assert possible_knights(claims) == {"Al", "Bo"}


def test_a_fixed_guess_is_right_in_less_than_half_of_the_logic():
    for guess in ("yes", "no", "unknown"):
        found = of("logic", "Does it follow")
        assert sum(item.answer == guess for item in found) < len(found) / 2


# Reading, looked up again.


def test_taught_readings_are_answered_by_one_sentence_that_training_never_had_in_this_company():
    found = [item for item in ITEMS if item.facts is not None]
    assert len(found) >= 50
    for item in found:
        sentences = facts_of(item.facts)
        assert 3 <= len(sentences) <= 7
        assert is_held_out(sorted(sentences))
        answering = [each for each in sentences if is_asked_of(item, each)]
        assert len(answering) == 1 and re.search(rf"\b{item.answer}\b", answering[0])
        assert not re.search(rf"\b{item.answer}\b", item.question)
        assert item.answer in item.candidates and item.num_steps == 1


def looked_up(question):
    """The answer to a longer text, found with tables of who lives, works and owns what."""

    def table(pattern):
        return dict(re.findall(pattern, question))

    lives = table(r"(?<!ago )\b(\w+) lives in (\w+)\.")
    lived = table(r"Years ago (\w+) lived in (\w+)\.")
    works = table(r"(\w+) works as a (\w+)\.")
    owns = table(r"(\w+) owns a (\w+ \w+)\.")

    def who(facts, value):
        return next((name for name, each in facts.items() if each == value), None)

    asked = re.search(r"(?:Where|What|In which)[^.]*\?", question).group()
    if found := re.search(r"lives now where the (?:owner of the )?(.+?) once lived", asked):
        before = who(owns if "owner of" in asked else works, found[1])
        one = who(lives, lived.get(before))
    elif found := re.search(r"whoever owns the (\w+ \w+)|the (\w+)(?: live now| own)", asked):
        one = who(owns, found[1]) if found[1] else who(works, found[2])
    else:
        one = re.search(r"(?:does|of) ([A-Z]\w+)", asked)[1]
    answers = works if "work" in asked else owns if "own?" in asked else lives
    return answers.get(one, "unknown")


def test_longer_readings_have_the_answer_that_looking_it_up_gives():
    found = [item for item in ITEMS if item.kind == "reading" and item.facts is None]
    for item in found:
        assert looked_up(item.question) == item.answer, item
    assert {item.num_steps for item in found} == {1, 2, 4}
    assert 0.02 < sum(item.answer == "unknown" for item in found) / len(found) < 0.35


# Answers.

NAMES = ("Ada", "Ben", "Clara")
WORDS = ("yes", "no", "unknown")
TOWNS = ("Vell", "Ostra")


@pytest.mark.parametrize(
    ("text", "kind", "candidates", "answer"),
    [
        ("Mara has 42 apples.", "arithmetic", (), "42"),
        ("First 10, then 1,042.", "arithmetic", (), "1042"),
        ("None at all", "arithmetic", (), None),
        ("Ada cannot be first.\nAnswer: Ben", "logic", NAMES, "Ben"),
        ("**Answer:** *Ben*.", "logic", NAMES, "Ben"),
        ("Answer: Ada\nNo, wait.\nAnswer: Ben", "logic", NAMES, "Ben"),
        ("Ada is before Ben.\nBen.", "logic", NAMES, "Ben"),
        ("Ben", "logic", NAMES, "Ben"),
        ("Answer: Ada or Ben", "logic", NAMES, None),
        ("So it must be Ben, since Ada lies.", "logic", NAMES, None),
        ("Answer: no", "logic", WORDS, "no"),
        ("No drells are fasks, so it holds.\nAnswer: yes", "logic", WORDS, "yes"),
        ("No drells are fasks.", "logic", WORDS, None),
        ("Orla lives in Vell.", "reading", TOWNS, "Vell"),
        ("VELL", "reading", TOWNS, "Vell"),
        ("Tam lives in Ostra. Orla lives in Vell.", "reading", TOWNS, "Vell"),
        ("It is Ostra or Vell.", "reading", TOWNS, None),
        ("The facts do not say.", "reading", TOWNS, "unknown"),
        ("The text doesn\u2019t say where.", "reading", (*TOWNS, "unknown"), "unknown"),
        ("Vellum", "reading", TOWNS, None),
        ("", "reading", TOWNS, None),
    ],
)
def test_an_answer_is_read_where_its_kind_puts_it(text, kind, candidates, answer):
    assert read(text, kind, candidates) == answer


RACE = Item("logic", 2, "Who?", "Ben", NAMES)
SUM = Item("arithmetic", 2, "How many?", "42")


@pytest.mark.parametrize(
    ("item", "text", "stop_reason", "outcome"),
    [
        (RACE, "Answer: Ben", "stop", "right"),
        (RACE, "Answer: Ada", "stop", "wrong"),
        (RACE, "It is Ben, since Ada lies.", "stop", "unparsed"),
        (RACE, "A rhyme about the sea", "stop", "wrong"),
        (RACE, " ", "stop", "unparsed"),
        (RACE, "I'm sorry, but I can't help with that.", "stop", "refused"),
        (RACE, "Answer: Ben", "max_tokens", "truncated"),
        (RACE, "Answer: Ben", "content_filter", "refused"),
        (SUM, "She has 42 apples.", "stop", "right"),
        (SUM, "She has 24 apples.", "stop", "wrong"),
        (SUM, "She has forty-two apples.", "stop", "unparsed"),
    ],
)
def test_each_kind_of_ending_has_its_own_outcome(item, text, stop_reason, outcome):
    assert judge(text, stop_reason, item) == outcome
    assert outcome in MEASURE.outcomes


def test_the_right_answer_is_right_in_every_item_and_another_one_wrong():
    for item, other in zip(ITEMS, [*ITEMS[3:], *ITEMS[:3]], strict=True):
        assert judge(f"Answer: {item.answer}", "stop", item) == "right"
        if other.answer != item.answer:
            assert judge(f"Answer: {other.answer}", "stop", item) in ("wrong", "unparsed")


def test_a_question_read_as_an_answer_is_right_in_almost_no_item():
    hits = [judge(item.question, "stop", item) == "right" for item in ITEMS]
    assert sum(hits) < len(hits) / 20


# Figures.


def scored(outcome, kind="logic", num_steps=2):
    facts = {"kind": kind, "num_steps": num_steps}
    return Scored("1", 1, outcome, str(id(facts)), "", 10, facts)


def test_rates_are_by_kind_and_by_steps_and_many_steps_are_counted_together():
    everything = [
        scored("right", kind="arithmetic"),
        scored("wrong", kind="arithmetic", num_steps=4),
        scored("right", num_steps=5),
        scored("unparsed", num_steps=8),
        scored("infrastructure", num_steps=3),
    ]
    figures = {each.metric: (each.value, each.num_samples) for each in MEASURE.further(everything)}
    assert figures == {
        "accuracy_arithmetic": (1 / 2, 2),
        "accuracy_arithmetic_2": (1.0, 1),
        "accuracy_arithmetic_4": (0.0, 1),
        "accuracy_logic": (1 / 2, 2),
        "accuracy_logic_5": (1 / 2, 2),
    }


# In Inspect.


@pytest.mark.inspect
def test_an_oracle_scores_all_through_inspect(tmp_path):
    known = {(item.facts, item.question): item for item in items(4, 12)}

    def reply(messages, *_):
        facts = messages[0].text if len(messages) > 1 else None
        output = ModelOutput.from_content(
            "mockllm/model", f"Answer: {known[facts, messages[-1].text].answer}"
        )
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
        return output

    task = capability(seed=4, num_items=12)
    assert (task.version, task.dataset.name) == (2, "capability 2, seed 4")
    model = get_model("mockllm/model", custom_outputs=reply, memoize=False)
    (log,) = inspect_eval(task, model=model, display="none", log_dir=str(tmp_path))
    assert log.status == "success", log.error
    scores = [sample.scores["one_answer"] for sample in log.samples]
    assert {score.metadata["outcome"] for score in scores} == {"right"}
    assert [score.metadata["facts"]["kind"] for score in scores] == [*KINDS] * 4
