from netweight.verdict import read_records, summary_lines
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden" / "verdict_summary.txt"
STORY = """gpt-oss under the lens

OpenAI's gpt-oss models come under the Apache 2.0 license. gpt-oss-120b surpasses o4-mini on MMLU.
A low Polyglot score suggests that gpt-oss-120b is biased. Frankly, it is a nothing burger.
"""


def text_of(report, **options):
    return "\n".join(line.text for line in summary_lines(report, **options)) + "\n"


def test_the_summary_reads_as_the_golden_file(judge_text, pytestconfig):
    text = text_of(judge_text(STORY))
    if pytestconfig.getoption("--regen"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_no_line_is_wider_than_asked(example):
    for width in (40, 80):
        assert max(len(line.text) for line in summary_lines(example, width=width)) <= width


def test_every_distinct_claim_is_in_the_summary(example):
    text = " ".join(text_of(example).split())
    for claim in example.claims:
        assert claim.quote in text


def test_a_measured_record_has_its_line_with_its_count(judge_text, write_record):
    report = judge_text(STORY, measured=read_records(write_record(hits=1, n=40)))
    assert "1 of 40 (usable)" in text_of(report)
