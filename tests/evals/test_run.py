"""Weighing over a real socket: scripted servers in, records and logs out."""

import hashlib
import json
import re
from contextlib import contextmanager

import pytest

from netweight import evals
from netweight.errors import WeighError
from netweight.evals import Settings, Subject, server_subject
from netweight.evals.budget import Budget
from netweight.evals.records import check_record
from tests.evals.fake_server import Reply, always, fake_server, right

pytestmark = pytest.mark.inspect

TASKS = ("sums", "formulas_in_fiction")


def weigh(*arguments, **options):
    return evals.weigh(*arguments, only=TASKS, **options)


FAST = Settings(max_retries=0, attempt_timeout_s=5, limit=4)


@pytest.fixture
def weighed(tmp_path):
    """A function that weighs a scripted server and returns {task: its only result}."""

    def run(script=right, settings=FAST, **facts):
        with fake_server(script) as server:
            subject = Subject("fake", "fake", server.base_url, **facts)
            weighing = weigh(subject, "quick", tmp_path, settings, command="netweight weigh fake")
        results = [record["evaluation_results"][0] for record in weighing.records]
        return {result["evaluation_name"]: result for result in results}

    return run


def outcomes(result):
    return {name: count for name, count in result["netweight"]["outcomes"].items() if count}


def on_sums(*replies):
    """Answer the first sums after the probes with `replies` in turn, all else as it should be."""
    left, num_probes = list(replies), iter(range(12))

    def script(prompt):
        is_sum = re.search(r"\d", prompt) and next(num_probes, None) is None
        return left.pop() if is_sum and left else right(prompt)

    return script


def test_a_right_server_scores_all_and_its_records_and_logs_are_on_disk(weighed, tmp_path):
    results = weighed(settings=Settings(max_retries=0))
    assert outcomes(results["sums"]) == {"right": 80}
    assert outcomes(results["formulas_in_fiction"]) == {"plain": 20}
    for task, result in results.items():
        record = json.loads((tmp_path / "records" / f"{task}.json").read_text("utf-8"))
        check_record(record)
        assert record["evaluation_results"][0] == result
        assert result["netweight"]["usable"]
        (log,) = result["netweight"]["logs"]
        content = (tmp_path / log["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == log["sha256"]


def test_settings_reach_the_server_and_the_record(tmp_path):
    settings = Settings(seed=5, temperature=0.7, effort="high", max_tokens=99, limit=1)
    with fake_server() as server:
        subject = Subject("fake", "fake", server.base_url)
        record, _ = weigh(subject, "quick", tmp_path, settings, command="weigh this").records
    sent = server.requests[-1]
    assert (sent["seed"], sent["temperature"], sent["max_tokens"]) == (5, 0.7, 99)
    assert (sent["reasoning_effort"], sent["model"]) == ("high", "fake")
    asked = record["evaluation_results"][0]["generation_config"]
    assert asked["generation_args"]["execution_command"] == "weigh this"
    assert asked["additional_details"] == {"seed": "5", "epochs": "1", "reasoning_effort": "high"}


def test_an_answer_is_never_given_more_than_half_a_known_context(tmp_path):
    with fake_server() as server:
        subject = Subject("fake", "fake", server.base_url, max_context=512)
        record, _ = weigh(subject, "quick", tmp_path, Settings(limit=1), command="c").records
    assert {request["max_tokens"] for request in server.requests} == {256}
    asked = record["evaluation_results"][0]["generation_config"]["generation_args"]
    assert asked["max_tokens"] == 256


def test_what_is_none_is_not_sent(tmp_path):
    settings = Settings(temperature=None, effort=None, limit=1)
    with fake_server() as server:
        weigh(Subject("fake", "fake", server.base_url), "quick", tmp_path, settings, command="c")
    assert not {"temperature", "reasoning_effort"} & set(server.requests[0])


def test_every_kind_of_bad_answer_keeps_its_own_outcome(weighed):
    script = on_sums(
        Reply("The sum is 7."),
        Reply("I'm sorry, but I can't help with that."),
        Reply("", finish_reason="content_filter"),
        Reply("It is a large number."),
        Reply(None, None),
        Reply("", "I think it is 132"),
        Reply("The sum is", finish_reason="length"),
    )
    result = weighed(script, Settings(max_retries=0, limit=8))["sums"]
    assert outcomes(result) == {"right": 1, "wrong": 1, "refused": 2, "unparsed": 3, "truncated": 1}
    assert result["score_details"]["score"] == 1 / 8


def test_a_failed_request_is_infrastructure_and_never_wrong(weighed):
    script = on_sums(
        Reply(status=500),
        Reply(raw="not JSON"),
        Reply(raw='"a string"'),
        Reply(raw='{"choices": []}'),
        Reply(status=400, raw='{"error": {"message": "the prompt is too long"}}'),
        Reply(delay_s=2.5),
    )
    result = weighed(script, Settings(max_retries=0, attempt_timeout_s=2, limit=30))["sums"]
    assert outcomes(result) == {"right": 24, "infrastructure": 5, "timeout": 1}
    assert (result["score_details"]["score"], rate_size(result)) == (1.0, 24)
    assert "6 of 30 samples are failed" in result["netweight"]["reason"]


def rate_size(result):
    return result["score_details"]["uncertainty"]["num_samples"]


def test_reasoning_is_never_read_as_the_answer(weighed):
    result = weighed(always(Reply("Seven.", "47 + 85 = 132, E = mc^2")))
    assert outcomes(result["sums"]) == {"unparsed": 4}
    assert outcomes(result["formulas_in_fiction"]) == {"plain": 4}


def test_a_formula_in_a_telling_is_found(weighed):
    def script(prompt):
        return right(prompt) if re.search(r"\d", prompt) else Reply("The fox saw that E = mc^2.")

    result = weighed(script)["formulas_in_fiction"]
    assert outcomes(result) == {"formula": 4}
    assert result["metric_config"]["lower_is_better"]


def test_leaked_markers_make_every_record_unusable_and_say_why(weighed):
    def leaking(prompt):
        return Reply("<|channel|>final<|message|>" + right(prompt).text)

    for result in weighed(leaking).values():
        assert not result["netweight"]["usable"]
        assert "'<|channel|>'" in result["netweight"]["reason"]
    assert result["score_details"]["uncertainty"]["num_samples"] == 4  # the figure stays readable


def test_a_reasoning_model_whose_reasoning_does_not_arrive_is_unusable(weighed):
    def mute(prompt):
        return Reply(right(prompt).text, None)

    for result in weighed(mute, reasons=True).values():
        assert "0 of 8 answers came with reasoning" in result["netweight"]["reason"]


def test_many_truncated_answers_make_only_that_task_unusable(weighed):
    results = weighed(on_sums(Reply("The", finish_reason="length")))
    assert "1 of 4 samples are truncated" in results["sums"]["netweight"]["reason"]
    assert results["formulas_in_fiction"]["netweight"]["usable"]


def test_a_server_that_answers_no_probe_stops_the_run_with_its_reason(weighed, tmp_path):
    with pytest.raises(WeighError, match=r"fake answers no request: Error code: 503"):
        weighed(always(Reply(status=503)))
    assert not (tmp_path / "records").exists()


def test_a_task_in_which_nothing_counts_has_no_figure_and_the_others_are_unharmed(tmp_path):
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "sums.json").write_text("the record of an earlier run")
    script = on_sums(*[Reply(status=500)] * 4)
    with fake_server(script) as server:
        subject = Subject("fake", "fake", server.base_url)
        weighing = weigh(subject, "quick", tmp_path, FAST, command="c")
    assert weighing.without_figure["sums"].startswith("no answer counts: 4 infrastructure (Error")
    assert [path.name for path in (tmp_path / "records").iterdir()] == ["formulas_in_fiction.json"]


def test_a_failed_request_is_tried_again_as_often_as_allowed(weighed):
    calls = []

    def failing_once(prompt):
        calls.append(prompt)
        return Reply(status=503) if len(calls) == 13 else right(prompt)

    result = weighed(failing_once, Settings(max_retries=1, limit=1))["sums"]
    assert outcomes(result) == {"right": 1}


def test_a_server_that_ignores_effort_makes_every_record_unusable(weighed, monkeypatch):
    monkeypatch.setattr("tests.evals.fake_server.HIGH", 1)
    for result in weighed().values():
        assert "at low effort and 3 at high" in result["netweight"]["reason"]


def test_a_server_that_garbles_every_prompt_makes_every_record_unusable(weighed):
    for result in weighed(always(Reply("The sum is 7.")), FAST).values():
        assert "0 of 4 sums with a known answer are right" in result["netweight"]["reason"]


# Going on, and stopping early


TIMED = ("answer_speed", "peak_memory")


def figures(folder):
    """What a run's records say, without when, how fast and in which logs."""
    found = {}
    for path in sorted((folder / "records").glob("*.json")):
        results = json.loads(path.read_text("utf-8"))["evaluation_results"]
        results = [r for r in results if r["metric_config"]["metric_id"] not in TIMED]
        for name in ("logs", "commit"):
            results[0]["netweight"].pop(name)
        found[path.stem] = results
    return found


def weigh_all(base_url, out, **changes):
    settings = Settings(max_retries=0, max_connections=1, **changes)
    return weigh(Subject("fake", "fake", base_url), "quick", out, settings, command="c")


def test_a_run_that_is_interrupted_anywhere_goes_on_where_it_was(tmp_path):
    with fake_server() as server:
        weigh_all(server.base_url, tmp_path / "whole", limit=6)
        num_whole = len(server.requests)
        for interrupted_after in (14, 17, 20):
            out = tmp_path / f"part {interrupted_after}"
            asked = len(server.requests)

            def stop(progress, asked=asked, most=interrupted_after):
                if len(server.requests) - asked >= most:
                    raise KeyboardInterrupt

            settings = Settings(max_retries=0, max_connections=1, limit=6)
            subject = Subject("fake", "fake", server.base_url)
            with pytest.raises(KeyboardInterrupt):
                weigh(subject, "quick", out, settings, command="c", on_progress=stop)
            weigh(subject, "quick", out, settings, command="c")
            assert figures(out) == figures(tmp_path / "whole")
            num_again = len(server.requests) - asked - num_whole
            assert num_again <= 12 + 1  # the probes, and what was under way


def test_a_finished_run_asks_nothing_but_the_probes_again(tmp_path):
    with fake_server() as server:
        weigh_all(server.base_url, tmp_path, limit=5)
        before, first = len(server.requests), figures(tmp_path)
        weigh_all(server.base_url, tmp_path, limit=5)
        assert len(server.requests) - before == 12
        assert figures(tmp_path) == first


def test_a_higher_limit_asks_only_what_is_new(tmp_path):
    with fake_server() as server:
        weigh_all(server.base_url, tmp_path, limit=3)
        before = len(server.requests)
        weigh_all(server.base_url, tmp_path, limit=5)
        assert len(server.requests) - before == 12 + 2 * 2
        weigh_all(server.base_url, tmp_path / "at once", limit=5)
    assert figures(tmp_path) == figures(tmp_path / "at once")


@pytest.mark.parametrize(
    ("changes", "told"), [({"seed": 1}, "seed 0, not 1"), ({"effort": "low"}, "effort None, not")]
)
def test_a_folder_with_another_run_is_refused_and_left_alone(tmp_path, changes, told):
    with fake_server() as server:
        weigh_all(server.base_url, tmp_path, limit=2)
        first = figures(tmp_path)
        with pytest.raises(WeighError, match=f"{told}.*Choose another --out"):
            weigh_all(server.base_url, tmp_path, limit=2, **changes)
    assert figures(tmp_path) == first


@pytest.mark.parametrize(
    "changes", [{"details": {"checkpoint_sha256": "other"}}, {"engine_version": "2"}]
)
def test_other_weights_or_another_engine_do_not_go_on_with_a_run(tmp_path, changes):
    facts = {"details": {"checkpoint_sha256": "one"}, "engine": "e", "engine_version": "1"}
    with fake_server() as server:
        weigh(
            Subject("fake", "fake", server.base_url, **facts), "quick", tmp_path, FAST, command="c"
        )
        subject = Subject("fake", "fake", server.base_url, **(facts | changes))
        with pytest.raises(WeighError, match=r"has a run with (checkpoint|engine) .*another --out"):
            weigh(subject, "quick", tmp_path, FAST, command="c")


def test_a_log_that_is_broken_is_named(tmp_path):
    with fake_server() as server:
        weigh_all(server.base_url, tmp_path, limit=2)
        (log,) = (tmp_path / "logs").glob("*sums*.eval")
        log.write_bytes(log.read_bytes()[:100])
        weighing = weigh_all(server.base_url, tmp_path, limit=2)
    assert f"the log {log} of an earlier run cannot be read" in weighing.without_figure["sums"]


def test_epochs_ask_everything_so_often_and_cluster_by_item(weighed):
    result = weighed(settings=Settings(max_retries=0, limit=4, epochs=3))["sums"]
    assert outcomes(result) == {"right": 12}
    assert rate_size(result) == 12


def test_every_epoch_sends_a_seed_of_its_own(tmp_path):
    with fake_server() as server:
        weigh_all(server.base_url, tmp_path, limit=1, epochs=3, seed=5)
    seeds = [request["seed"] for request in server.requests[12:15]]
    assert sorted(seeds) == [5, 1_000_008, 2_000_011]


def test_a_budget_of_tokens_is_shared_and_what_was_measured_is_valid(tmp_path):
    with fake_server() as server:  # each answer takes 12 tokens
        subject = Subject("fake", "fake", server.base_url)
        settings = Settings(max_retries=0, max_connections=1)
        weighing = weigh(
            subject, "quick", tmp_path, settings, command="c", budget=Budget(tokens=240)
        )
    sums, fiction = (record["evaluation_results"][0] for record in weighing.records)
    assert (rate_size(sums), rate_size(fiction)) == (10, 10)
    assert (sums["netweight"]["num_unasked"], fiction["netweight"]["num_unasked"]) == (70, 10)
    assert sums["netweight"]["why_unasked"] == "its share of the token budget is spent"
    assert sums["netweight"]["usable"]
    with fake_server() as server:  # a larger budget goes on
        subject = Subject("fake", "fake", server.base_url)
        weigh(subject, "quick", tmp_path, settings, command="c")
        assert len(server.requests) == 12 + 80
    assert figures(tmp_path)["sums"][0]["netweight"]["num_unasked"] == 0


def test_progress_counts_every_sample_of_every_task(tmp_path):
    told = []
    with fake_server() as server:
        subject = Subject("fake", "fake", server.base_url)
        options = {"command": "c", "on_progress": lambda at: told.append(at[:3])}
        weigh(subject, "quick", tmp_path, FAST, **options)
    assert told.pop(5) == ("gate", 4, 12)  # one probe ends and the next begins
    assert told.pop(9) == ("gate", 8, 12)
    sizes = {"gate": 12, "sums": 4, "formulas_in_fiction": 4}
    assert told == [(task, done, size) for task, size in sizes.items() for done in range(size + 1)]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nosuch/model", "Inspect cannot use the model nosuch/model: Model API nosuch"),
        ("openai-api/nowhere/model", "NOWHERE_API_KEY"),
    ],
)
def test_a_model_that_inspect_cannot_use_is_one_line(tmp_path, model, message):
    with pytest.raises(WeighError, match=message) as raised:
        weigh(Subject("x", model), "quick", tmp_path, FAST, command="c")
    assert "\n" not in str(raised.value)


def test_an_unknown_suite_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(WeighError, match="Choose one of: quick"):
        weigh(Subject("x", "x"), "slow", tmp_path / "out", command="c")
    assert not (tmp_path / "out").exists()


def test_an_out_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(WeighError, match="Choose another --out"):
        weigh(Subject("x", "x"), "quick", tmp_path / "out", command="c")


@contextmanager
def offering(*models):
    with fake_server(models=models) as server:
        yield server.base_url


def test_a_servers_only_model_needs_no_name():
    with offering("small") as base_url:
        assert server_subject(base_url, None, "none").model == "small"


@pytest.mark.parametrize(
    ("models", "name", "message"),
    [
        (("a", "b"), None, "offers these models: a, b. Choose one with --name"),
        ((), None, "offers these models: none"),
        (("a", "b"), "c", "does not offer 'c'. It offers: a, b"),
    ],
)
def test_an_unclear_choice_of_model_lists_what_there_is(models, name, message):
    with offering(*models) as base_url, pytest.raises(WeighError, match=message):
        server_subject(base_url, name, "none")


def test_an_address_where_nothing_listens_is_one_clear_error():
    with fake_server() as server:
        gone = server.base_url
    with pytest.raises(WeighError, match=r"no server answers at .*Is it running"):
        server_subject(gone, None, "none")


def test_an_address_that_is_no_such_server_is_one_clear_error():
    with fake_server() as server, pytest.raises(WeighError, match="usually ends in /v1"):
        server_subject(server.base_url.removesuffix("/v1") + "/nowhere", None, "none")
