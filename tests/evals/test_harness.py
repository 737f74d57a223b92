"""What becomes of a sample whose scorer fails: told by name, never scored, and asked again."""

import pytest
from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.event import ModelEvent, SpanBeginEvent
from inspect_ai.log import EvalError, EvalSample, read_eval_log
from inspect_ai.model import GenerateConfig, ModelOutput
from inspect_ai.scorer import Scorer, accuracy, scorer
from inspect_ai.solver import generate, solver

from netweight.errors import WeighError
from netweight.evals import Settings, Subject, fiction, weigh
from netweight.evals.failures import (
    SCORER,
    failure_of,
    has_failed_scorer,
    is_settled,
    kind_of_failure,
    scorer_failures,
)
from netweight.evals.harness import num_answered, run_task
from netweight.evals.measure import INFRASTRUCTURE, TIMEOUT
from netweight.evals.pairs import read_run
from netweight.evals.scoring import judged
from tests.evals.fake_server import Reply, always, fake_server

pytestmark = pytest.mark.inspect

one = always(Reply("One."))
SETTINGS = Settings(max_retries=0, max_connections=1)


class Judging:
    """A scorer's judgement: `right`, unless `raising` has something left to raise."""

    def __init__(self, *raising):
        self.raising = list(raising)
        self.num_asked = 0

    def __call__(self, *_):
        self.num_asked += 1
        if self.raising and (error := self.raising.pop(0)):
            raise error
        return "right"


def scored_by(judging) -> Scorer:
    @scorer(metrics=[accuracy()], name="ours")
    def scoring():
        async def score(state, target):
            outcome = judging(state.output.completion)
            return judged(outcome, hit=outcome == "right", answer="", explanation=outcome)

        return score

    return scoring()


def task_of(judging, num_samples=8, solving=None):
    samples = [Sample(id=f"n{n}", input=f"Say {n}.", target="x") for n in range(num_samples)]
    return Task(
        dataset=MemoryDataset(samples, name="numbers 1"),
        solver=solving or generate(),
        scorer=scored_by(judging),
        name="numbers",
    )


@pytest.fixture
def ask(tmp_path):
    """A function that runs a task on a scripted server, again and again in one folder."""

    def run(task, script=one, settings=SETTINGS):
        with fake_server(script) as server:
            subject = Subject("fake", "fake", server.base_url)
            try:
                return run_task(task, subject, settings, tmp_path, lambda num_done: None)
            finally:
                run.num_requests = len(server.requests)

    return run


def logged(folder):
    """Every sample of every log in a folder, the oldest log first."""
    return [
        sample for path in sorted(folder.glob("*.eval")) for sample in read_eval_log(path).samples
    ]


def test_a_scorer_that_fails_once_is_told_with_sample_and_exception_and_only_that_is_asked_again(
    ask, tmp_path
):
    judging = Judging(None, None, ValueError("no such word"))
    with pytest.raises(WeighError) as raised:
        ask(task_of(judging))
    told = str(raised.value)
    assert "the scorer failed on 1 of 8 answers: n2 with ValueError('no such word')." in told
    assert f"in {tmp_path}. Repeat the command" in told
    (failed,) = [sample for sample in logged(tmp_path) if sample.error]
    assert kind_of_failure(failed) == SCORER and not failed.scores
    assert failed.output.completion == "One."
    assert num_answered(task_of(judging), tmp_path) == 7
    run = ask(task_of(judging))
    assert (ask.num_requests, judging.num_asked) == (1, 9)
    assert +run.counts == {"right": 8} and len(run.scored) == 8


def test_a_scorer_that_always_fails_never_gives_a_figure_and_is_tried_anew_each_time(ask, tmp_path):
    for _ in range(2):
        with pytest.raises(WeighError, match=r"the scorer failed on 2 of 2 answers: n0 with Key"):
            ask(task_of(Judging(*[KeyError("word")] * 99)))
        assert ask.num_requests == 2  # a quarter of eight has failed, so the rest is not asked
    assert not any(sample.scores for sample in logged(tmp_path))
    assert num_answered(task_of(Judging()), tmp_path) == 0
    run = ask(task_of(Judging()))  # once the scorer is mended
    assert +run.counts == {"right": 8} and ask.num_requests == 8


def test_each_sample_is_named_and_of_many_the_first_few(ask):
    errors = [OSError(f"{n}\nand more") for n in range(7)]
    with pytest.raises(WeighError) as raised:
        ask(task_of(Judging(*errors), num_samples=29))
    told = str(raised.value)
    assert "failed on 7 of 29 answers: n0 with OSError('0\\nand more'), n1 with " in told
    assert "n4 with OSError('4\\nand more'), and 2 more." in told and "\n" not in told


def test_an_epoch_is_named_and_a_long_exception_cut():
    sample = failed_while_scored(f"ValueError({'x' * 900!r})", epoch=2)
    told = scorer_failures([sample])
    assert told.startswith("n0 in epoch 2 with ValueError('xxx") and len(told) < 250


def test_a_request_that_fails_after_another_was_answered_is_no_failure_of_the_scorer(ask):
    judging = Judging()

    @solver
    def twice():
        async def solve(state, generate):
            state = await generate(state)  # leaves an output
            return await generate(state)

        return solve

    replies = iter([Reply("One."), Reply(status=500), *[Reply("One.")] * 14])
    run = ask(task_of(judging, solving=twice()), lambda prompt: next(replies))
    assert +run.counts == {"right": 7, INFRASTRUCTURE: 1} and judging.num_asked == 7


def test_a_failure_that_a_wrapped_scorer_made_an_outcome_of_is_asked_again(ask, tmp_path):
    wrapped = [INFRASTRUCTURE, TIMEOUT, "judge failed"]
    outcomes = iter([*wrapped, *["right"] * 8])
    first = ask(task_of(lambda completion: next(outcomes)))
    assert +first.counts == dict.fromkeys(wrapped, 1) | {"right": 5}
    assert num_answered(task_of(Judging()), tmp_path) == 5
    again = ask(task_of(lambda completion: next(outcomes)))
    assert +again.counts == {"right": 8} and ask.num_requests == 3


def test_what_a_scorer_found_stands(ask):
    found = ["wrong", "unparsed", "truncated", "judge filtered"]
    outcomes = iter([*found, *["right"] * 4])
    first = ask(task_of(lambda completion: next(outcomes)))
    again = ask(task_of(Judging()))
    assert +again.counts == +first.counts == dict.fromkeys(found, 1) | {"right": 4}
    assert ask.num_requests == 0


def failed_while_scored(message, epoch=1, met=()):
    """A sample whose requests `met` errors before one was answered, and whose scorer failed."""
    requests = [
        ModelEvent(
            model="m",
            input=[],
            tools=[],
            tool_choice="auto",
            config=GenerateConfig(),
            output=ModelOutput(),
            error=error,
        )
        for error in met
    ]
    events = [*requests, SpanBeginEvent(id="1", name="scorers", type="scorers")]
    error = EvalError(message=message, traceback="", traceback_ansi="")
    return EvalSample(id="n0", epoch=epoch, input="", target="", events=events, error=error)


def test_what_a_scorer_met_is_told_and_not_a_request_that_went_well_at_last():
    failed = failed_while_scored("ValueError('no such word')", met=["Request timed out."])
    assert failure_of(failed) == "ValueError('no such word')"
    assert kind_of_failure(failed) == SCORER
    failed.events.pop()  # of the span in which scorers run
    assert failure_of(failed) == "Request timed out" and kind_of_failure(failed) == TIMEOUT


def test_a_sample_that_was_called_off_while_it_was_scored_is_no_failure_of_the_scorer():
    assert has_failed_scorer(failed_while_scored("ValueError('no such word')"))
    called_off = failed_while_scored("CancelledError('Cancelled by cancel scope 1')")
    assert not has_failed_scorer(called_off) and not is_settled(called_off)
    assert kind_of_failure(called_off) == INFRASTRUCTURE


def weighed(folder, base_url):
    return weigh(
        Subject("fake", "fake", base_url),
        "quick",
        folder,
        SETTINGS,
        only=("sums", "formulas_in_fiction"),
        command="c",
    )


def test_a_run_goes_on_after_a_scorer_failed_and_its_page_can_be_read(tmp_path, monkeypatch):
    judging = Judging(None, RuntimeError("out of words"))
    sound = fiction.judge
    monkeypatch.setattr(fiction, "judge", lambda *given: judging() and sound(*given))
    with fake_server() as server:
        weighing = weighed(tmp_path, server.base_url)
        assert list(weighing.without_figure) == ["formulas_in_fiction"]
        told = weighing.without_figure["formulas_in_fiction"]
        assert "the scorer failed on 1 of 20 answers: 2 with RuntimeError('out of words')" in told
        assert [path.stem for path in (tmp_path / "records").iterdir()] == ["sums"]
        before = len(server.requests)
        weighing = weighed(tmp_path, server.base_url)
        assert len(server.requests) - before == 12 + 1  # the probes, and that sample
    assert not weighing.without_figure
    items = read_run(tmp_path).tasks["formulas_in_fiction"].items
    assert [item.outcome for item in items] == ["plain"] * 20
