import pytest

from netweight.verdict import read_records


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("gpt-oss-20b is licensed under the Apache 2.0 license.", "supported"),
        ("gpt-oss-20b has a permissive license.", "supported"),
        ("gpt-oss-20b comes with a non-commercial license.", "contradicted"),
        ("gpt-oss-20b is released under the MIT license.", "contradicted"),
        ("OpenAI's gpt-oss models are fully open source.", "mixed"),
        ("The gpt-oss models are not fully open source.", "supported"),
        ("gpt-oss-120b has 117 billion parameters.", "supported"),
        ("gpt-oss-120b activates 5.1 billion of its 117 billion parameters.", "supported"),
        ("gpt-oss-20b has 3.6 billion active parameters.", "supported"),
        ("gpt-oss-20b has 20 billion active parameters.", "contradicted"),
        ("gpt-oss-120b has 70 billion parameters.", "contradicted"),
        ("gpt-oss-120b fits on a GPU with 80 GB.", "supported"),
        ("gpt-oss-20b runs in 16 GB of memory.", "supported"),
        ("gpt-oss-20b runs in 16 GB of memory, whatever its context.", "mixed"),
        ("gpt-oss-20b runs on any laptop with 16 GB of memory.", "mixed"),
        ("gpt-oss-20b runs in 8 GB of memory.", "contradicted"),
        ("gpt-oss-120b scored 90.0 on MMLU.", "supported"),
        ("gpt-oss-120b scored 93.0 on MMLU.", "contradicted"),
        ("gpt-oss-120b scored 41.8% on Aider Polyglot.", "supported"),
        ("gpt-oss-120b scored 71.4% on Aider Polyglot.", "contradicted"),
        ("gpt-oss-20b scored 77% on BBQ disambiguated.", "contradicted"),
        ("gpt-oss-120b reaches near-parity with o4-mini.", "mixed"),
        ("gpt-oss-120b surpasses o4-mini on MMLU.", "contradicted"),
        ("gpt-oss-120b trails o4-mini on MMLU.", "supported"),
        ("gpt-oss-120b does not beat o4-mini on MMLU.", "supported"),
        ("gpt-oss-120b beats o4-mini on GPQA Diamond.", "not_enough_evidence"),
        ("gpt-oss-120b beats o4-mini on HealthBench.", "supported"),
        ("gpt-oss-120b beats o4-mini on Codeforces.", "contradicted"),
        ("gpt-oss-120b is behind Kimi K2 on Aider Polyglot.", "supported"),
        ("o4-mini outperforms gpt-oss-120b on MMLU.", "supported"),
        ("gpt-oss-20b refuses politically sensitive requests.", "not_enough_evidence"),
        ("gpt-oss-120b refuses politically sensitive requests.", "mixed"),
        ("gpt-oss-120b was trained mostly on synthetic data.", "not_enough_evidence"),
        ("In poems, gpt-oss-120b inserts equations.", "not_enough_evidence"),
        ("gpt-oss-120b hallucinates about people.", "supported"),
        ("gpt-oss-120b struggles to follow instructions.", "not_enough_evidence"),
        ("gpt-oss-120b is a nothing burger.", "not_checkable"),
        ("gpt-oss-120b is text-only.", "supported"),
        ("gpt-oss-120b cannot process images.", "supported"),
        ("gpt-oss-120b processes images.", "contradicted"),
        ("gpt-oss-20b supports a context window of 128k tokens.", "supported"),
        ("gpt-oss-20b has a 131,072-token context.", "supported"),
        ("gpt-oss-20b has a 32k context window.", "contradicted"),
        ("gpt-oss-120b has three reasoning levels.", "supported"),
        ("gpt-oss-120b is a mixture-of-experts model.", "supported"),
        ("gpt-oss-120b took 2.1 million H100 hours to train.", "supported"),
        ("gpt-oss-120b took 5.5 million H100 hours to train.", "contradicted"),
        ("gpt-oss-120b did not reach High capability.", "supported"),
        ("gpt-oss-120b reached High capability in tests.", "contradicted"),
        ("gpt-oss-120b is the most intelligent American open-weight model.", "supported"),
        ("o4-mini has three reasoning levels.", "not_enough_evidence"),
        ("gpt-oss-120b is unbiased.", "contradicted"),
        ("gpt-oss-120b never hallucinates.", "contradicted"),
        ("gpt-oss-20b does not need 80 GB of memory.", "supported"),
        ("gpt-oss-20b beats o3-mini on MMLU.", "contradicted"),
        ("gpt-oss-20b trails o3-mini on MMLU.", "supported"),
        ("gpt-oss-120b is behind DeepSeek R1 0528 on the AA index.", "mixed"),
        ("gpt-oss-120b beats o4-mini on every benchmark.", "contradicted"),
        ("gpt-oss-120b matches o4-mini on all tests.", "contradicted"),
        ("gpt-oss-120b beats o4-mini on HealthBench and GPQA.", "mixed"),
        ("gpt-oss-120b hallucinates more than o4-mini.", "supported"),
        ("gpt-oss-120b hallucinates less than o4-mini.", "contradicted"),
        ("Llama 4 Scout scored 90.0 on MMLU.", "not_enough_evidence"),
        ("Llama 4 Scout is licensed under the Apache 2.0 license.", "not_enough_evidence"),
    ],
)
def test_a_claim_gets_its_verdict(judge_text, text, verdict):
    (claim,) = judge_text(text).claims
    assert claim.verdict == verdict
    assert claim.reason


def sentences(claim):
    return " ".join(s.text for s in (*claim.reason, *claim.caveats, *claim.settles))


def test_a_figure_of_another_model_is_called_a_swapped_column(judge_text):
    text = "gpt-oss-120b scored 96.6% on AIME 2024, versus 87.3% for o4-mini."
    (claim,) = judge_text(text).claims
    assert claim.verdict == "contradicted"
    assert "87.3 is the figure of o3-mini" in sentences(claim)


def test_dropped_tools_are_a_caveat_and_named_tools_are_not(judge_text):
    (dropped,) = judge_text("gpt-oss-120b scored 2622 Elo on Codeforces.").claims
    assert "leaves out that this is with tools" in sentences(dropped)
    (named,) = judge_text("With tools, gpt-oss-120b scored 2622 Elo on Codeforces.").claims
    assert "leaves out" not in sentences(named)


def test_a_stale_rival_is_a_caveat(judge_text):
    (claim,) = judge_text("gpt-oss-120b trails DeepSeek R1 on Aider Polyglot.").claims
    assert "DeepSeek R1-0528 has 71.4" in sentences(claim)


def test_an_index_claim_names_its_version(judge_text):
    (claim,) = judge_text(
        "On the Artificial Analysis Intelligence Index gpt-oss-120b is behind Chinese rivals."
    ).claims
    assert claim.verdict == "supported"
    assert "index version 2" in sentences(claim) and "33 instead of 58" in sentences(claim)


@pytest.mark.parametrize(
    ("better", "worse", "mirrored"),
    [("o4-mini", "gpt-oss-120b", True), ("gpt-oss-120b", "o4-mini", False)],
)
def test_swapping_the_names_flips_a_comparison(judge_text, better, worse, mirrored):
    (claim,) = judge_text(f"{better} outperforms {worse} on MMLU.").claims
    assert claim.verdict == ("supported" if mirrored else "contradicted")


def test_a_hedge_lowers_strength_and_keeps_the_evidence(judge_text):
    (plain,) = judge_text("gpt-oss-120b trails o4-mini on MMLU.").claims
    (hedged,) = judge_text("Perhaps gpt-oss-120b trails o4-mini on MMLU.").claims
    assert hedged.strength < plain.strength
    assert (hedged.verdict, hedged.evidence) == (plain.verdict, plain.evidence)


FORMULAS = "In poems, {} drops equations into the verse."


@pytest.mark.parametrize(
    ("hits", "n", "verdict"),
    [(0, 20, "not_enough_evidence"), (0, 400, "contradicted"), (40, 200, "supported")],
)
def test_a_measured_rate_decides_where_nothing_else_does(
    judge_text, write_record, hits, n, verdict
):
    measured = read_records(write_record(model="gpt-oss-20b", hits=hits, n=n))
    (claim,) = judge_text(FORMULAS.format("gpt-oss-20b"), measured=measured).claims
    assert claim.verdict == verdict
    assert measured[0].id in claim.evidence
    assert f"{hits} of {n}" in sentences(claim)


def test_a_record_counts_only_for_the_model_that_was_measured(judge_text, write_record):
    measured = read_records(write_record(model="nano", hits=0, n=400))
    report = judge_text(FORMULAS.format("gpt-oss-20b"), measured=measured)
    (claim,) = report.claims
    assert claim.verdict == "not_enough_evidence" and measured[0].id not in claim.evidence
    assert report.measured == measured


def test_a_record_that_is_not_usable_decides_nothing(judge_text, write_record):
    folder = write_record(model="gpt-oss-20b", n=400, usable=False, reason="markers in answers")
    (claim,) = judge_text(FORMULAS.format("gpt-oss-20b"), measured=read_records(folder)).claims
    assert claim.verdict == "not_enough_evidence"
    assert "may not be used" in sentences(claim)


def test_a_list_of_scores_goes_with_the_benchmarks_in_their_order(judge_text):
    report = judge_text(
        "gpt-oss-120b achieves 90.0% on MMLU and 80.1% on GPQA Diamond, compared to 93.0% and "
        "81.4% for o4-mini."
    )
    assert {c.verdict for c in report.claims} == {"supported"}
    assert {(b, e) for c in report.claims for b in c.benchmarks for e in c.evidence} >= {
        ("mmlu", "card-mmlu-gpt-oss-120b"),
        ("mmlu", "card-mmlu-o4-mini"),
    }


def test_a_list_that_fits_no_benchmarks_is_left_out(judge_text):
    report = judge_text("On MMLU gpt-oss-120b scored 90.0%, against 93.0% and 81.4% for o4-mini.")
    assert [c.verdict for c in report.claims] == ["supported"]


def test_a_benchmark_named_in_passing_is_not_the_comparison_s(judge_text):
    report = judge_text(
        "On MMLU gpt-oss-120b trails o4-mini and hallucinates in half of PersonQA questions."
    )
    assert report.claims[0].topic == "comparison"
    assert report.claims[0].benchmarks == ("mmlu",)


def test_a_sentence_about_a_count_is_whole(judge_text):
    (claim,) = judge_text("gpt-oss-120b scored 41.8% on Aider Polyglot.").claims
    assert claim.reason[0].text == (
        "Published: gpt-oss-120b has 41.8 on Aider Polyglot (94 of 225; 95% interval 35.5 to 48.3)."
    )


def test_every_sentence_ends_as_a_sentence(example):
    for claim in example.claims:
        for statement in (*claim.reason, *claim.caveats, *claim.settles):
            assert statement.text[-1] == "." and "  " not in statement.text
            assert " ," not in statement.text and " ." not in statement.text
