"""What nano learns from is true, in the form that was asked for, and not what it is tested on."""

import json
import re
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from netweight.harmony import Channel, Message, Role
from recipes.nano import (
    calls,
    evaluate,
    formats,
    memory,
    problems,
    refusals,
    sides,
    sums,
    tellings,
    world,
)
from recipes.nano.conversations import (
    LATER_SHARES,
    SHARES,
    SKILLS,
    example,
)
from recipes.nano.dialogue import Effort, is_held_out
from recipes.nano.sums import Sum
from recipes.nano.words import ANIMALS, COLOURS

EFFORTS = get_args(Effort)
DO_NOT_SAY = "The facts do not say."

two_digits = st.integers(10, 99)
seeds = st.integers(0, 2**32)
efforts = st.sampled_from(EFFORTS)


def numbers(text):
    return [int(number) for number in re.findall(r"\d+", text)]


def last_question(messages):
    return [message.text for message in messages if message.role is Role.USER][-1]


def last_reasoning(dialogue):
    *_, reasoning, _ = dialogue.messages
    assert reasoning.channel == Channel.ANALYSIS
    return reasoning.text


def final(dialogue):
    return dialogue.messages[-1].text


# What is held out


def test_a_fifth_of_the_pairs_is_held_out():
    pairs = [(a, b) for a in range(10, 100) for b in range(a, 100)]
    share = sum(sums.is_held_out(a, b) for a, b in pairs) / len(pairs)
    assert 0.17 < share < 0.23


def test_a_fifth_of_everything_else_is_held_out():
    assert 0.18 < sum(is_held_out(("a wording", place)) for place in range(5000)) / 5000 < 0.22


@given(two_digits, two_digits)
def test_holding_out_does_not_depend_on_the_order(a, b):
    assert sums.is_held_out(a, b) == sums.is_held_out(b, a)


def test_no_training_question_adds_or_takes_away_a_held_out_pair():
    random = Random(1)
    for _ in range(5000):
        a, b = numbers(last_question(sums.dialogue(random, "medium").messages))
        assert not sums.is_held_out(a, b)


def test_no_step_of_a_training_problem_is_held_out():
    random = Random(1)
    for _ in range(5000):
        start, first, second = numbers(last_question(problems.dialogue(random, "low").messages))
        between = {start + first, start - first}
        assert not sums.is_held_out(start, first)
        assert not all(sums.is_held_out(number, second) for number in between)
        item = problems.problem(random, held_out=False)
        assert not any(sums.is_held_out(step.a, step.b) for step in item.steps)


def test_no_check_of_a_training_answer_adds_up_what_evaluation_asks():
    random = Random(4)
    shown = [sums.training_sum(random) for _ in range(5000)]
    shown += [step for _ in range(5000) for step in problems.problem(random, held_out=False).steps]
    checks = [(s.b, s.a) if s.sign == "+" else (s.result, s.b) for s in shown]
    assert any(sums.is_held_out(a, b) for a, b in checks)  # why evaluation asks for fewer
    assert not any(sums.is_never_shown(a, b) for a, b in checks)


def test_evaluation_draws_held_out_pairs_only():
    random = Random(1)
    for _ in range(1000):
        item = sums.held_out_sum(random)
        assert sums.is_never_shown(item.a, item.b)
        assert item.sign == "+"
        first, _ = problems.problem(random, held_out=True).steps
        assert sums.is_never_shown(first.a, first.b)


def test_the_evaluation_task_asks_exactly_the_held_out_pairs():
    from netweight.evals.sums import _held_out_pairs

    ours = {(a, b) for a in range(10, 100) for b in range(a, 100) if sums.is_never_shown(a, b)}
    assert set(_held_out_pairs()) == ours


def with_answer(item):
    return item.question, item.answer


def facts_in(instructions):
    """The facts of an invented world, in any order and whatever comes before them."""
    introduction = next(i for i in world.INTRODUCTIONS if instructions.startswith(i))
    told = re.findall(r"[^.]+\.", instructions.removeprefix(introduction))
    return frozenset(each.strip() for each in told)


def shown_by(made, skill):
    """What of a conversation to learn from must not be what evaluation asks."""
    if skill == "world":
        return facts_in(made.instructions)
    question = last_question(made.messages)
    if skill == "arguments":
        return question.partition("? ")[2]
    return (question, final(made)) if skill == "memory" else question


# How evaluation draws a question, and what of it training must not see.
HELD_OUT = {
    "calls": lambda random: calls.task(random, held_out=True).question,
    "results": lambda random: calls.task(random, held_out=True).question,
    "arguments": lambda random: calls.task(random, held_out=True).question,
    "formats": lambda random: formats.order(random, held_out=True).question,
    "refusals": lambda random: refusals.request(random, held_out=True).question,
    "sides": lambda random: sides.request(random, held_out=True).question,
    "world": lambda random: facts_in(world.enquiry(random, held_out=True).instructions),
    "memory": lambda random: with_answer(memory.recall(random, held_out=True)),
}


@pytest.mark.parametrize("skill", HELD_OUT)
def test_training_shows_no_held_out_question(skill):
    random = Random(2)
    shown, asked = set(), {HELD_OUT[skill](random) for _ in range(4000)}
    for _ in range(8000):
        shown.add(shown_by(SKILLS[skill](random, "medium"), skill))
    assert not shown & asked
    assert len(asked) > 20
    assert len(shown) > len(asked)


class Silent:
    """Says nothing, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def answers(self, asked, effort, **sampling):
        self.asked += asked
        return [evaluate.Answer([], 0) for _ in asked]


def test_what_evaluation_asks_is_nowhere_in_training():
    """But for tellings, and for what is read in facts or earlier turns: see above."""
    silent, random = Silent(), Random(3)
    scores = list(evaluate.evaluate(silent, 60, seed=1))
    assert len(scores) > 20
    of_tellings = {
        request.format(name=subject.name)
        for subject in tellings.SUBJECTS
        for request in (*tellings.STORY_REQUESTS, *tellings.RHYME_REQUESTS)
    }
    alone = [each for each in silent.asked if each.instructions is None]
    asked = {
        each.messages[0].text
        for each in alone
        if sum(message.role is Role.USER for message in each.messages) == 1
    } - of_tellings
    shown = {
        message.text
        for _ in range(20_000)
        for message in example(random)
        if message.role is Role.USER
    }
    assert len(asked) > 200
    assert not asked & shown


# Every skill


def test_every_skill_has_its_share():
    assert SHARES.keys() <= LATER_SHARES.keys() == SKILLS.keys()
    for shares in (SHARES, LATER_SHARES):
        assert sum(shares.values()) == 100


def test_equal_generators_give_equal_conversations():
    one, other = Random(5), Random(5)
    assert [example(one) for _ in range(200)] == [example(other) for _ in range(200)]


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("skill", SKILLS)
def test_every_skill_thinks_before_it_speaks_and_ends_with_its_answer(skill, effort):
    random = Random(6)
    for _ in range(100):
        messages = SKILLS[skill](random, effort).messages
        assert messages[0].role is Role.USER
        assert messages[-1].channel == Channel.FINAL
        assert all(message.text.strip() for message in messages)
        # Of a call that comes unexplained only what follows its result is learned.
        spoken = messages[2:] if skill == "results" else messages
        for before, message in pairwise(spoken):
            if message.role is Role.ASSISTANT and message.channel != Channel.ANALYSIS:
                assert before.channel == Channel.ANALYSIS


@pytest.mark.parametrize("skill", [skill for skill in SKILLS if skill != "echo"])
def test_more_effort_never_thinks_less(skill):
    for seed in range(100):
        lengths = [len(last_reasoning(SKILLS[skill](Random(seed), e))) for e in EFFORTS]
        assert lengths == sorted(lengths)
        assert lengths[0] < lengths[2]


@pytest.mark.parametrize("skill", ["sums", "problems", "calls", "world", "sides", "tellings"])
def test_each_effort_thinks_longer_than_the_one_below(skill):
    for seed in range(100):
        made = [SKILLS[skill](Random(seed), effort).messages for effort in EFFORTS]
        lengths = [
            sum(len(message.text) for message in messages if message.channel == Channel.ANALYSIS)
            for messages in made
        ]
        assert lengths[0] < lengths[1] < lengths[2]


def test_a_conversation_is_whole_and_its_date_and_instructions_vary():
    random = Random(7)
    dates, with_developer, with_earlier = set(), 0, 0
    for _ in range(1000):
        system, *messages = example(random)
        assert system.role is Role.SYSTEM
        dates.add(system.content[0].current_date)
        with_developer += messages[0].role is Role.DEVELOPER
        with_earlier += sum(message.role is Role.USER for message in messages) > 1
        assert messages[-1].channel == Channel.FINAL
    assert None in dates
    assert len(dates) > 300
    assert with_developer > 200
    assert with_earlier > 20


# Sums and problems


def equations(text):
    """Left and right side of every equation, the left one worked out."""
    found = []
    for left, right in re.findall(r"(\d+(?: [+-] \d+)+) = (\d+)", text):
        first, *rest = left.split()
        value = int(first)
        for sign, number in zip(rest[::2], rest[1::2], strict=True):
            value += int(number) if sign == "+" else -int(number)
        found.append((value, int(right)))
    return found


def all_hold(text):
    return all(worked_out == written for worked_out, written in equations(text))


@given(st.integers(0, 99), st.integers(0, 99), st.sampled_from("+-"), efforts)
def test_the_columns_add_up(a, b, sign, effort):
    item = Sum(max(a, b), min(a, b), sign)
    written = sums.reasoning(item, effort)
    (_, ones), (_, tens), *rest = equations(written)
    assert tens * 10 + ones % 10 == item.result
    assert all_hold(written)
    assert bool(rest) == (effort != "low")


@given(two_digits, two_digits)
def test_a_carry_is_what_the_ones_leave_over(a, b):
    written = sums.reasoning(Sum(a, b, "+"), "medium")
    ones, carry = re.search(r"write (\d), carry (\d)", written).groups()
    assert int(carry) * 10 + int(ones) == a % 10 + b % 10


@given(two_digits, two_digits, st.sampled_from("+-"))
def test_high_effort_checks_the_sum_by_another(a, b, sign):
    item = Sum(max(a, b), min(a, b), sign)
    checked = sums.reasoning(item, "high").split("Check: ")[1]
    (_, ones), (_, tens) = equations(checked)
    assert tens * 10 + ones % 10 == (item.result if sign == "+" else item.a)


@given(seeds, efforts)
def test_a_sum_is_answered_with_what_was_asked(seed, effort):
    made = sums.dialogue(Random(seed), effort)
    asked, answered = numbers(last_question(made.messages)), numbers(final(made))
    assert sorted(asked) == sorted(answered[:2])
    assert equations(final(made)) == [(answered[2], answered[2])]


def told_result(question):
    """What a reader works out: a change adds where something is more, or is got."""
    start, *changes, _ = re.split(r"(?<=[.?]) ", question)
    (result,) = numbers(start)
    for change in changes:
        (number,) = numbers(change)
        result += number if re.search(r"more|gets", change) else -number
    return result


@given(seeds, st.booleans())
def test_a_problem_is_answered_with_what_its_words_say(seed, held_out):
    item = problems.problem(Random(seed), held_out=held_out)
    assert numbers(item.answer) == [told_result(item.question)]
    assert item.answer.startswith(item.name)
    assert item.things in item.question
    assert item.name in item.question
    first, second = item.steps
    assert first.result == second.a
    assert 1 <= second.result <= 99


@given(seeds, efforts)
def test_the_steps_of_a_problem_are_worked_out_truly(seed, effort):
    item = problems.problem(Random(seed), held_out=False)
    written = problems.reasoning(item, effort)
    assert all_hold(written)
    for step in item.steps:
        assert (f"So {step} = {step.result}." in written) == (effort != "low")


# Calls


def drawn_calls(num_calls):
    random = Random(8)
    made = [calls.dialogue(random, random.choice(EFFORTS)) for _ in range(num_calls)]
    return [dialogue for dialogue in made if len(dialogue.messages) == 6]


def test_the_arguments_of_a_call_fit_a_tool_that_was_declared():
    for dialogue in drawn_calls(2000):
        call = dialogue.messages[2]
        schemas = {f"functions.{tool.name}": tool.parameters for tool in dialogue.tools}
        arguments = json.loads(call.text)
        Draft202012Validator(schemas[call.recipient]).validate(arguments)
        assert set(arguments) == set(schemas[call.recipient]["properties"])
        question = dialogue.messages[0].text
        assert all(str(value) in question for value in arguments.values())


def test_what_a_tool_returns_is_told():
    for dialogue in drawn_calls(2000):
        call, returned = dialogue.messages[2:4]
        assert returned.name == call.recipient
        assert all(str(value) in final(dialogue) for value in json.loads(returned.text).values())


def test_every_tool_is_called_and_at_times_none():
    made = drawn_calls(2000)
    assert {each.messages[2].recipient for each in made} == {
        f"functions.{family.name}" for family in calls.FAMILIES
    }
    assert 0.8 < len(made) / 2000 < 0.95


@pytest.mark.parametrize("family", calls.FAMILIES, ids=lambda family: family.name)
def test_a_tool_has_a_schema_that_its_own_arguments_fit_and_others_do_not(family):
    schema = family.tool.parameters
    Draft202012Validator.check_schema(schema)
    arguments = dict(family.draw(Random(9)))
    validator = Draft202012Validator(schema)
    assert validator.is_valid(arguments)
    for name in arguments:
        assert not validator.is_valid({k: v for k, v in arguments.items() if k != name})
        assert not validator.is_valid(arguments | {name: [1]})


def answer_of(*messages):
    return evaluate.Answer(list(messages), 0)


def test_a_call_is_right_only_as_it_was_asked_for():
    random = Random(10)
    for _ in range(200):
        item = calls.task(random, held_out=True)
        right = item.call
        assert evaluate.is_valid_call(item, answer_of(right))
        assert evaluate.is_right_call(item, answer_of(right))
        other = next(tool for tool in item.tools if tool.name != item.family.name)
        wrongs = (
            [right, right],
            [right, Message.assistant("Done.")],
            [Message.assistant(right.text, channel="commentary")],
            [Message.assistant("{", recipient=right.recipient)],
            [Message.assistant("{}", recipient=right.recipient)],
            [Message.assistant(right.text, recipient="functions.nothing")],
            [Message.assistant(right.text, recipient=f"functions.{other.name}")],
        )
        for wrong in wrongs:
            assert not evaluate.is_right_call(item, answer_of(*wrong))
        for wrong in wrongs[:6]:
            assert not evaluate.is_valid_call(item, answer_of(*wrong))


# Forms


def drawn_order(form, seed):
    order = formats.order(Random(seed), held_out=False, form=form)
    return order, formats.fulfilled(order, "medium", Random(seed))[1]


@pytest.mark.parametrize("form", formats.FORMS)
@given(seed=seeds, held_out=st.booleans(), effort=efforts)
def test_an_order_is_met_by_its_own_answer(form, seed, held_out, effort):
    random = Random(seed)
    order = formats.order(random, held_out=held_out, form=form)
    reasoning, answer = formats.fulfilled(order, effort, random)
    assert order.is_met_by(answer)
    assert order.animal in reasoning or form in ("word", "words")
    assert order.value in order.question


WRONG = {
    "upper": (str.lower, str.capitalize),
    "lower": (str.upper, str.capitalize),
    "words": (lambda text: f"Oh {text}", lambda text: text.replace("The ", "")),
    "lines": (lambda text: f"{text}\nAnd more.", lambda text: text.replace("\n", " ")),
    "json": (
        lambda text: text[:-1],
        lambda text: f"[{text}]",
        lambda text: text.replace("name", "names"),
        lambda text: text.replace("}", ', "more": 1}'),
        lambda text: f"Here: {text}",
    ),
    "word": (lambda text: f"{text[:-1]}s.", lambda text: f"{text.rpartition(' ')[0]}."),
    "without": (lambda text: f"{text} aeiost",),
}


@pytest.mark.parametrize("form", formats.FORMS)
@given(seed=seeds)
def test_an_order_is_not_met_by_another_form(form, seed):
    order, answer = drawn_order(form, seed)
    for spoil in WRONG[form]:
        assert not order.is_met_by(spoil(answer))
    assert not order.is_met_by("")


@pytest.mark.parametrize("form", formats.FORMS)
@given(seed=seeds)
def test_an_order_is_not_met_by_what_is_not_about_its_animal(form, seed):
    order, answer = drawn_order(form, seed)
    other = answer.replace(order.animal, "xxx").replace(order.animal.upper(), "XXX")
    assert not order.is_met_by(other)


@given(seeds)
def test_the_words_that_are_counted_are_those_of_the_answer(seed):
    order = formats.order(Random(seed), held_out=False, form="words")
    reasoning, answer = formats.fulfilled(order, "low", Random(seed))
    counted = re.findall(r"(\d) (\w+)", reasoning)
    assert [word for _, word in counted] == answer.rstrip(".").split()
    assert [int(place) for place, _ in counted] == list(range(1, len(counted) + 1))


@pytest.mark.parametrize("form", formats.FORMS)
def test_training_can_show_every_animal_in_every_form(form):
    random = Random(11)
    drawn = {formats.order(random, held_out=False, form=form).animal for _ in range(5000)}
    assert drawn == set(ANIMALS)


def test_every_form_has_a_name():
    assert set(formats.NAMES) == set(formats.FORMS)


# Tellings


@pytest.mark.parametrize("subject", tellings.SUBJECTS, ids=lambda subject: subject.plain)
def test_every_telling_names_its_subject_and_leaves_no_gap(subject):
    random = Random(2)
    for tell in (tellings.story, tellings.rhyme):
        for _ in range(30):
            told = tell(subject, random)
            assert subject.plain in told
            assert not set("{}") & set(told)
            assert "  " not in told


@pytest.mark.parametrize("tell", [tellings.story, tellings.rhyme])
def test_tellings_hold_no_mathematics(tell):
    from netweight.evals.formulas import find_formulas

    random = Random(3)
    for subject in tellings.SUBJECTS:
        assert not find_formulas(tell(subject, random))


@pytest.mark.parametrize("tell", [tellings.story, tellings.rhyme])
def test_tellings_of_one_subject_hardly_repeat(tell):
    random = Random(4)
    told = [tell(tellings.SUBJECTS[0], random) for _ in range(500)]
    assert len(set(told)) == len(told)


@pytest.mark.parametrize("seed", range(5))
def test_tellings_share_few_pairs_of_words(seed):
    random = Random(seed)
    told = [final(tellings.dialogue(random, "medium")) for _ in range(100)]
    assert evaluate.distinct_2(told) > 0.5


def test_distinct_2_is_the_share_of_different_pairs():
    assert evaluate.distinct_2(["a b a b"]) == 2 / 3
    assert evaluate.distinct_2(["a b", "b c"]) == 1
    assert evaluate.distinct_2(["a", ""]) == 0


def test_a_story_has_four_sentences_and_a_rhyme_four_lines():
    random = Random(12)
    for subject in tellings.SUBJECTS:
        assert tellings.story(subject, random).count(".") == 4
        assert len(tellings.rhyme(subject, random).splitlines()) == 4


# The invented world


@given(seeds, st.booleans())
def test_the_answer_to_an_enquiry_is_the_one_fact_that_has_what_is_asked_for(seed, held_out):
    item = world.enquiry(Random(seed), held_out=held_out)
    assert item.asked.key in item.question
    telling = [fact for fact in item.facts if item.asked.key in fact]
    if item.answer == DO_NOT_SAY:
        assert not telling
    else:
        fact = item.answer.removeprefix("The facts say: ")
        assert fact in telling
        assert fact in item.instructions
        assert len(telling) == 1 or not held_out


@given(seeds)
def test_a_fact_says_first_what_it_is_asked_by(seed):
    item = world.enquiry(Random(seed), held_out=True)
    before, _, after = item.answer.partition(item.asked.key)
    assert before.removeprefix("The facts say: ") in ("", "In ", "The ")
    assert any(word[0].isupper() or word in (*COLOURS, *world.JOBS) for word in after.split())


def test_at_times_the_facts_do_not_say():
    random = Random(13)
    made = [world.dialogue(random, "medium") for _ in range(2000)]
    assert 0.1 < sum(final(each) == DO_NOT_SAY for each in made) / len(made) < 0.2
    assert all(each.instructions for each in made)


@given(seeds, st.sampled_from(["medium", "high"]))
def test_the_fact_is_found_before_it_is_told(seed, effort):
    item = world.enquiry(Random(seed), held_out=False)
    found = "no fact." if item.answer == DO_NOT_SAY else item.answer.partition(": ")[2]
    assert f"I look for {item.asked.key}: {found}" in world.reasoning(item, effort)


# Refusals, sides, memory


@given(seeds, st.booleans(), st.booleans(), efforts)
def test_what_is_harmful_is_declined_and_its_twin_is_not(seed, held_out, is_harmful, effort):
    random = Random(seed)
    item = refusals.request(random, held_out=held_out, is_harmful=is_harmful)
    reasoning, answer = refusals.replied(item, effort, random)
    assert (item.harm is not None) == is_harmful
    assert refusals.is_declined(answer) == is_harmful
    assert item.deed in item.question
    assert (item.deed in answer) == (not is_harmful)
    assert ("so I decline" in reasoning) == is_harmful


def test_harmful_and_harmless_come_about_as_often():
    random = Random(14)
    made = [refusals.dialogue(random, "low") for _ in range(1000)]
    assert 0.45 < sum(refusals.is_declined(final(each)) for each in made) / 1000 < 0.55


@given(seeds, efforts)
def test_a_reason_is_for_the_side_that_was_asked_for_and_no_other(seed, effort):
    random = Random(seed)
    for side, other in (sides.SIDES, sides.SIDES[::-1]):
        item = sides.request(random, held_out=False, side=side)
        _, answer = sides.replied(item, effort, random)
        assert f" {side} {item.topic}" in item.question
        assert item.topic in answer
        assert item.is_met_by(answer)
        assert not replace(item, side=other).is_met_by(answer)


def test_both_sides_come_about_as_often_and_are_held_out_together():
    random = Random(15)
    made = [sides.request(random, held_out=False).side for _ in range(1000)]
    assert 0.45 < made.count("for") / 1000 < 0.55
    shown = {sides.request(random, held_out=False, side="for").question for _ in range(3000)}
    asked = {sides.request(random, held_out=True, side="against").question for _ in range(3000)}
    assert not {question.replace(" for ", " against ") for question in shown} & asked


@given(seeds, st.booleans())
def test_what_is_remembered_was_told(seed, held_out):
    item = memory.recall(Random(seed), held_out=held_out)
    assert item.told in [told for told, _ in item.earlier]
    template = r"(Your name is|You live in|You like the|You own a|You are) (.+?)( years old)?\."
    assert re.fullmatch(template, item.answer)[2] in item.told
    before = memory.messages_before(item)
    assert [m.text for m in before if m.role is Role.USER] == [told for told, _ in item.earlier]


def test_a_memory_is_of_four_turns_or_of_the_first_of_them():
    random = Random(16)
    made = [memory.dialogue(random, "medium") for _ in range(1000)]
    num_turns = [sum(m.role is Role.USER for m in each.messages) for each in made]
    assert set(num_turns) == {1, 2, 3, 4}
    assert 0.55 < num_turns.count(4) / 1000 < 0.75
    for each, turns in zip(made, num_turns, strict=True):
        assert final(each).startswith("You") == (turns == 4)


# Echo


@given(seeds, efforts)
def test_an_echo_is_what_was_said(seed, effort):
    made = SKILLS["echo"](Random(seed), effort)
    assert last_question(made.messages).endswith(f": {final(made)}")
