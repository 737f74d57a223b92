"""Which samples a page holds: never more than it may, and the rarer outcomes first."""

from hypothesis import given
from hypothesis import strategies as st

from netweight.evals.scorecard_samples import MAX_BYTES, MAX_SAMPLES, Allowance, grouped, size_of

SIZES = st.lists(st.integers(1, 50_000) | st.integers(1, MAX_BYTES), max_size=300)
TASKS = st.lists(st.dictionaries(st.sampled_from("abcd"), SIZES, max_size=4), min_size=1)


@given(TASKS)
def test_a_page_never_holds_more_than_it_may_and_counts_what_it_leaves(tasks):
    left, num_bytes = Allowance(len(tasks)), 0
    for index, groups in enumerate(tasks):
        share = (MAX_BYTES - num_bytes) // (len(tasks) - index)
        samples = left.choose(groups, lambda size: size)
        assert [group.outcome for group in samples.groups] == list(groups)
        for group in samples.groups:
            assert list(group.entries) == groups[group.outcome][: len(group.entries)]
        spent = sum(sum(group.entries) for group in samples.groups)
        assert spent <= share and samples.num_shown <= MAX_SAMPLES
        assert samples.num_shown + samples.num_left == sum(map(len, groups.values()))
        num_bytes += spent
    assert num_bytes <= MAX_BYTES


def test_the_rarer_outcome_has_the_room_first():
    groups = {"right": [1] * MAX_SAMPLES, "wrong": [1] * 30}
    right, wrong = Allowance(1).choose(groups, lambda size: size).groups
    assert len(wrong.entries) == 30 and len(right.entries) == MAX_SAMPLES - 30


def test_what_a_task_leaves_over_goes_to_those_that_follow():
    left, half = Allowance(2), MAX_BYTES // 2
    assert left.choose({"right": [half + 1]}, lambda size: size).num_shown == 0
    assert left.choose({"right": [half + 1]}, lambda size: size).num_shown == 1


def test_an_entry_is_as_large_as_its_text_on_the_page():
    plain, escaped = size_of("xxx"), size_of("<&>")
    assert escaped - plain == len("&lt;&amp;&gt;") - 3
    assert size_of("\x00") - plain == len("\u27e8U+0000\u27e9".encode()) - 3


def test_entries_come_in_the_order_of_tables_and_unknown_outcomes_last():
    entries = ["new", "wrong", "right", "wrong"]
    found = grouped(entries, lambda entry: entry, ("right", "unseen", "wrong"))
    assert list(found.items()) == [("right", ["right"]), ("wrong", ["wrong"] * 2), ("new", ["new"])]
