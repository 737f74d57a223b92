"""The time left of a whole run: what it is told of, and the words for it."""

from dataclasses import replace

import pytest

from netweight import evals
from netweight.cli.weigh import _time_left, shown_weighing
from netweight.errors import WeighError
from netweight.evals import Budget, Settings, Subject, suites
from netweight.evals.run import Progress
from tests.evals.fake_server import fake_server

pytestmark = pytest.mark.inspect

NUM_SUMS = 6
FAST = Settings(max_retries=0, max_connections=1, limit=NUM_SUMS)


def progress_of(out, settings=FAST):
    """What a run of two tasks tells when every request takes a second of its clock."""
    told = []
    with fake_server() as server:
        evals.weigh(
            Subject("fake", "fake", server.base_url),
            "quick",
            out,
            settings,
            only=("sums", "formulas_in_fiction"),
            command="c",
            budget=Budget(clock=lambda: len(server.requests)),
            on_progress=told.append,
        )
    return told


def test_the_time_left_is_of_all_tasks_and_known_from_the_first_sample(tmp_path):
    told = progress_of(tmp_path)
    early = [at.seconds_left for at in told if at.task == "gate" or at[:2] == ("sums", 0)]
    assert set(early) == {None}
    known = [at for at in told if at.task != "gate" and at[:2] != ("sums", 0)]
    for at in known[:-1]:
        num_left = NUM_SUMS - at.num_done + (NUM_SUMS if at.task == "sums" else 0)
        # The next request may be under way before this one's sample is counted.
        assert num_left <= at.seconds_left <= 2 * num_left
    assert known[-1].seconds_left == 0


def test_what_earlier_logs_have_is_not_left(tmp_path):
    progress_of(tmp_path, replace(FAST, limit=NUM_SUMS - 1))
    told = progress_of(tmp_path)
    [left_s] = [at.seconds_left for at in told if at[:2] == ("sums", NUM_SUMS)]
    assert 1 <= left_s <= 2  # one story is left, not six


def test_a_task_that_cannot_be_had_takes_no_time_and_harms_no_other(tmp_path, monkeypatch):
    def nowhere():
        raise WeighError("its data is nowhere")

    parts = suites.SUITES["quick"](FAST)[:2]
    broken = [replace(parts[0], make=nowhere), parts[1]]
    monkeypatch.setattr(suites, "SUITES", {"quick": lambda settings: broken})
    with fake_server() as server:
        told = []
        subject = Subject("fake", "fake", server.base_url)
        weighing = evals.weigh(
            subject, "quick", tmp_path, FAST, command="c", on_progress=told.append
        )
    assert weighing.without_figure == {parts[0].measure.task: "its data is nowhere"}
    assert len(weighing.records) == 1
    assert told[-1].seconds_left == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "time left not known yet"),
        (0.0, "less than a minute left"),
        (59.9, "less than a minute left"),
        (61.0, "about 1 min left"),
        (7140.0, "about 119 min left"),
        (7300.0, "about 2 h left"),
        (86400.0, "about 24 h left"),
    ],
)
def test_the_words_are_no_more_exact_than_what_is_known(seconds, words):
    assert _time_left(seconds) == words


def test_where_nobody_watches_each_task_says_it_once(capsys):
    with shown_weighing("fake") as show:
        show(Progress("gate", 0, 12))
        for num_done in range(3):
            show(Progress("sums", num_done, 80, None if num_done == 0 else 300.0))
        show(Progress("writing", 0, 5, 240.0))
    told = " ".join(capsys.readouterr().err.split())
    assert "sums: 80 samples" in told
    assert told.count("for all tasks, time left not known yet") == 1
    assert told.count("for all tasks, about 4 min left") == 1
    assert "about 5 min" not in told  # that is the bar's, which needs a terminal


def test_what_a_task_cannot_ask_here_is_told_with_its_reason(tmp_path, monkeypatch):
    [part] = suites.SUITES["quick"](FAST)[:1]

    def make():
        task = part.make()
        task.metadata = {"excluded": {"cpp/meetup": "it needs Boost"}}
        return task

    monkeypatch.setattr(suites, "SUITES", {"quick": lambda settings: [replace(part, make=make)]})
    with fake_server() as server:
        subject = Subject("fake", "fake", server.base_url)
        weighing = evals.weigh(subject, "quick", tmp_path, FAST, command="c")
    assert weighing.left_out == {f"{part.measure.task}: cpp/meetup": "it needs Boost"}
