"""What all tasks of inspect_evals share: made or refused by name, scored in our words."""

import subprocess
import sys
from types import ModuleType

import pytest
from inspect_ai import Task
from inspect_ai import eval as inspect_eval
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import CORRECT, INCORRECT, Score, accuracy, scorer
from inspect_ai.util import LimitExceededError
from tenacity import retry, stop_after_attempt

from netweight.errors import WeighError
from netweight.evals.ifeval import ifeval
from netweight.evals.published_tools import (
    Reading,
    failure_text,
    from_inspect_evals,
    means_right,
    with_outcomes,
)


@pytest.fixture
def package(monkeypatch):
    """A function that puts a package into inspect_evals, whose function `riddles` is given."""

    def put(make, name="riddles"):
        module = ModuleType(f"inspect_evals.{name}")
        setattr(module, name, make)
        monkeypatch.setitem(sys.modules, "inspect_evals", ModuleType("inspect_evals"))
        monkeypatch.setitem(sys.modules, f"inspect_evals.{name}", module)

    return put


def failing(error):
    def make(**_):
        raise error

    return make


@retry(stop=stop_after_attempt(2))
def never_reached():
    raise ConnectionError("no route to host")


def retried():
    with pytest.raises(Exception, match="RetryError") as met:
        never_reached()
    return met.value


GIT = ["git", "clone", "https://example.org/x"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no such\ncategory."), "no such category"),
        (PrerequisiteError("log in first"), "log in first"),
        (retried(), "no route to host"),
        (subprocess.CalledProcessError(128, GIT, stderr="Cloning\nfatal: no host\n"),
         "git failed: fatal: no host"),
        (AssertionError(), "AssertionError"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_failed_is_said_in_one_line(error, told):
    assert failure_text(error) == told


def test_git_that_said_nothing_is_told_by_its_command():
    assert "git" in failure_text(subprocess.CalledProcessError(128, GIT, stderr=" "))


@pytest.mark.parametrize("base", [OSError, ValueError, LookupError, AssertionError, RuntimeError])
def test_whatever_keeps_a_task_from_being_made_is_told_with_a_remedy(package, base):
    package(failing(base("gated")))
    with pytest.raises(WeighError, match=r"^inspect_evals cannot make riddles: '?gated'?\. Log in"):
        from_inspect_evals("riddles", "riddles", remedy="Log in.")


def test_an_interruption_is_let_through(package):
    package(failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        from_inspect_evals("riddles", "riddles")


def test_a_version_without_the_task_is_told(package):
    package(lambda: None)
    with pytest.raises(WeighError, match=r"cannot make puzzles: .*no attribute 'puzzles'"):
        from_inspect_evals("riddles", "puzzles")


def test_a_package_that_does_not_fit_what_is_installed_is_told(tmp_path, monkeypatch):
    folder = tmp_path / "inspect_evals" / "riddles"
    folder.mkdir(parents=True)
    (tmp_path / "inspect_evals" / "__init__.py").write_text("")
    (folder / "__init__.py").write_text("from inspect_ai import of_another_version")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "inspect_evals", raising=False)
    try:
        with pytest.raises(
            WeighError, match=r"does not fit.*of_another_version.*\[extra\].*--upgr"
        ):
            from_inspect_evals("riddles", "riddles", extra="extra")
    finally:
        sys.modules.pop("inspect_evals", None)


def test_what_a_download_prints_does_not_get_among_results(package, capsys):
    def make(**arguments):
        print("Loading dataset")  # noqa: T201 - as Inspect does
        return arguments

    package(make)
    assert from_inspect_evals("riddles", "riddles", level=3) == {"level": 3}
    assert capsys.readouterr() == ("", "Loading dataset\n")


def test_only_a_value_for_right_means_right():
    assert all(map(means_right, ("C", 1, 1.0, True, "yes", "1")))
    assert not any(map(means_right, ("I", "P", "N", 0, 0.5, False, "no", None, {"a": 1}, [1])))


@scorer(metrics=[accuracy()])
def picky():
    async def score(state, target):
        match state.output.completion:
            case "bug":
                raise RuntimeError("no such variable")
            case "limit":
                raise LimitExceededError("token", value=2, limit=1)
            case text:
                return Score(value=CORRECT if text == target.text else INCORRECT, answer=text)

    return score


def riddles(ids):
    samples = [Sample(id=each, input=str(each), target=str(each)) for each in ids]
    return Task(dataset=MemoryDataset(samples), scorer=picky(), version="3-A", epochs=4)


def by_value(said, output):
    return Reading("right" if means_right(said.value) else "wrong", {"length": len(said.answer)})


def test_the_order_is_the_same_whatever_theirs_is_and_no_order_of_numbers():
    tasks = [
        with_outcomes(riddles(ids), "r 1", 1, by_value) for ids in (range(30), range(29, -1, -1))
    ]
    first, second = ([sample.id for sample in task.dataset] for task in tasks)
    assert first == second and sorted(first) == list(range(30)) != first
    assert tasks[0].dataset.name == "r 1, inspect_evals 3-A" and tasks[0].version == 1


def test_repeats_are_ours_and_not_theirs():
    assert with_outcomes(riddles([1]), "r 1", 1, by_value, repeats=10).epochs == 10
    assert with_outcomes(riddles([1]), "r 1", 1, by_value).epochs == 1


@pytest.mark.inspect
@pytest.mark.parametrize("unscored", ["infrastructure", "judge failed"])
def test_a_scorer_that_fails_gives_no_wrong_answer_and_ends_nothing(tmp_path, unscored):
    task = with_outcomes(riddles(["a", "bug", "limit", "b"]), "r 1", 1, by_value, unscored=unscored)

    def reply(messages, *_):
        text = messages[-1].text
        said = ModelOutput.from_content("mockllm", "a" if text == "b" else text)
        said.usage = ModelUsage(output_tokens=1)
        return said

    model = get_model("mockllm/model", custom_outputs=reply, memoize=False)
    (log,) = inspect_eval(
        task, model=model, display="none", log_dir=str(tmp_path), fail_on_error=False, epochs=2
    )
    assert log.status == "success", log.error
    scores = {each.id: (each.scores or {}).get("inspect_evals_outcome") for each in log.samples}
    outcomes = {name: score.metadata["outcome"] for name, score in scores.items() if score}
    assert outcomes.items() >= {"a": "right", "b": "wrong", "bug": unscored}.items()
    assert scores["bug"].explanation == "the scorer failed: no such variable"
    assert scores["a"].metadata["facts"] == {"length": 1}
    assert "limit" not in outcomes  # Inspect's own limits are not a scorer's failure
    assert log.eval.config.epochs == 2


# IFEval, which says what it lacks in ways of its own


@pytest.mark.parametrize("error", [AssertionError, ImportError])
def test_what_inspect_evals_lacks_for_ifeval_is_named_however_it_says_so(package, error):
    package(failing(error("To use instruction_following_eval, install it.")), "ifeval")
    with pytest.raises(WeighError, match=r"needs the packages .*\(To use instruction_following"):
        ifeval()


def test_any_failure_of_ifevals_download_is_told(package):
    class DatasetGenerationError(Exception):
        """As `datasets` has it, whose errors are no OSError."""

    package(failing(DatasetGenerationError("half a file")), "ifeval")
    with pytest.raises(WeighError, match="cannot be downloaded: half a file"):
        ifeval()


def test_tokenizers_that_could_not_be_downloaded_are_missed_before_anything_is_asked(
    package, tmp_path, monkeypatch
):
    folder = tmp_path / "instruction_following_eval"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "instructions_util.py").write_text(
        "def count_sentences(text):\n    raise LookupError('*****\\nResource punkt not found')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    package(lambda: riddles([1]), "ifeval")
    with pytest.raises(WeighError, match="downloaded: the data punkt and punkt_tab of the package"):
        ifeval()
    for name in [name for name in sys.modules if name.startswith("instruction_following_eval")]:
        del sys.modules[name]
