"""The protocol against a scripted model and scripted tests; no sandbox, no Inspect."""

import asyncio
import itertools

import pytest

from netweight.evals.measure import REFUSED, TRUNCATED
from netweight.evals.polyglot.exercises import Exercise
from netweight.evals.polyglot.protocol import MAX_OUTPUT, Checked, Reply, shortened, work_through

EXERCISE = Exercise(
    language="python",
    slug="one",
    instructions="# Instructions\n\nReturn 1.\n",
    files={"one.py": b"def one():\n    pass\n", "one_test.py": b"secret\n"},
    editable=("one.py",),
    tests=("one_test.py",),
    reference={"one.py": b"def one():\n    return 1\n"},
)
RIGHT = "one.py\n```\ndef one():\n    return 1\n```\n"
WRONG = "one.py\n```\ndef one():\n    return 2\n```\n"
MALFORMED = "one.py\n```\n<<<<<<< SEARCH\n    pass\n"
UNMATCHED = "one.py\n```\n<<<<<<< SEARCH\nno such line\n=======\nx\n>>>>>>> REPLACE\n```\n"
RIGHT_BLOCK = "one.py\n```\n<<<<<<< SEARCH\n    pass\n=======\n    return 1\n>>>>>>> REPLACE\n```\n"


class Scripted:
    """A model that gives its replies in turn, and tests that want `return 1`."""

    def __init__(self, *replies, is_timeout=False):
        self.replies = list(replies)
        self.is_timeout = is_timeout
        self.asked = []
        self.runs = []

    async def ask(self, turns):
        self.asked.append(turns)
        reply = self.replies.pop(0)
        return reply if isinstance(reply, Reply) else Reply(reply)

    async def test(self, files):
        self.runs.append(dict(files))
        if self.is_timeout:
            return Checked(False, "Tests timed out!", is_timeout=True)
        passed = "return 1" in files["one.py"]
        return Checked(passed, "1 passed" if passed else "E   assert one() == 1\n1 failed in 0.12s")

    def work(self, edit_format="whole", **settings):
        course = asyncio.run(work_through(EXERCISE, edit_format, self.ask, self.test, **settings))
        assert not self.replies, "it was asked less often than it should have been"
        return course


def test_right_at_once_is_right_first_after_one_request():
    model = Scripted(RIGHT)
    course = model.work()
    assert (course.outcome, course.num_replies, course.num_malformed) == ("right_first", 1, 0)
    assert model.runs == [{"one.py": "def one():\n    return 1\n"}]


def test_right_after_seeing_the_failure_is_right_second():
    model = Scripted(WRONG, RIGHT)
    assert model.work().outcome == "right_second"
    told = model.asked[1][-1].text
    assert told.startswith("E   assert one() == 1\n1 failed \n")
    assert "one.py" in told


def test_never_right_is_wrong_after_two_tries():
    course = Scripted(WRONG, WRONG).work()
    assert (course.outcome, len(course.tries)) == ("wrong", 2)


def test_a_malformed_reply_is_answered_within_the_try_and_may_still_be_right_first():
    model = Scripted(MALFORMED, UNMATCHED, RIGHT_BLOCK)
    course = model.work("diff")
    assert (course.outcome, course.num_replies, course.num_malformed) == ("right_first", 3, 2)
    assert "`=======` was expected" in model.asked[1][-1].text
    assert "no such line" in model.asked[2][-1].text
    assert len(model.runs) == 1


def test_a_try_has_three_reflections_and_then_the_tests_run_all_the_same():
    model = Scripted(*[MALFORMED] * 4, *[UNMATCHED] * 4)
    course = model.work("diff")
    assert (course.outcome, course.num_replies, course.num_malformed) == ("malformed", 8, 8)
    assert model.runs == [EXERCISE.stub] * 2


def test_malformed_in_the_first_try_and_wrong_in_the_second_is_wrong():
    course = Scripted(*[MALFORMED] * 4, RIGHT_BLOCK.replace("1", "2")).work("diff")
    assert (course.outcome, course.num_malformed) == ("wrong", 4)


def test_a_reply_without_an_edit_is_told_apart_from_a_wrong_one():
    assert Scripted("Which files?", "I do not know.").work().outcome == "no_edits"
    refusing = Scripted("No.", "No.").work(is_refusal=lambda text: text == "No.")
    assert refusing.outcome == REFUSED


def test_a_reply_that_is_cut_short_is_not_applied_and_not_answered():
    cut = Reply(RIGHT, TRUNCATED)
    model = Scripted(cut, cut)
    assert model.work().outcome == TRUNCATED
    assert model.runs == [EXERCISE.stub] * 2
    assert Scripted(cut, RIGHT).work().outcome == "right_second"


def test_tests_that_take_too_long_are_told_apart_from_failed_ones():
    model = Scripted(RIGHT, RIGHT, is_timeout=True)
    assert model.work().outcome == "tests timed out"
    assert model.asked[1][-1].text.startswith("Tests timed out!")


@pytest.mark.parametrize("edit_format", ["whole", "diff"])
def test_the_model_sees_the_instructions_and_the_stub_and_no_test(edit_format):
    model = Scripted("?", "?")
    model.work(edit_format)
    text = "\n".join(turn.text for turn in model.asked[0])
    assert EXERCISE.instructions.strip() in text
    assert "one.py\n```\ndef one():\n    pass\n```" in text
    assert "secret" not in text
    assert [turn.role for turn in model.asked[0]][:3] == ["system", "user", "assistant"]


def test_the_files_are_shown_as_the_edits_have_left_them():
    model = Scripted(WRONG, RIGHT)
    model.work()
    (shown,) = [turn.text for turn in model.asked[1] if turn.text.startswith("These are the files")]
    assert "return 2" in shown
    roles = [turn.role for turn in model.asked[1]]
    assert all(one != other for one, other in itertools.pairwise(roles))


def test_a_test_cannot_be_edited():
    model = Scripted("one_test.py\n```\nmine\n```\n", RIGHT)
    course = model.work()
    assert course.outcome == "right_second"
    assert all("one_test.py" not in run for run in model.runs)
    assert course.tries[0].edited == ["one_test.py"]


def test_a_new_file_joins_the_others():
    model = Scripted(RIGHT + "\ntwo.py\n```\nx = 2\n```\n")
    model.work()
    assert model.runs[0]["two.py"] == "x = 2\n"


def test_very_long_output_is_cut_in_the_middle_which_is_said():
    output = shortened("a" * MAX_OUTPUT + "b" * MAX_OUTPUT)
    assert f"[{MAX_OUTPUT} characters cut here]" in output
    assert output.startswith("a") and output.endswith("b")
