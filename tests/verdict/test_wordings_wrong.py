"""Sentences with an error, of every register: each must raise the finding that is named."""

import pytest

from tests.verdict.reading import OPENING, read

# ---- errors, each with its twin put right

ERRORS = [
    ("model_swap", "On MMLU gpt-oss-120b has 90.0%; o4-mini has 87.0%.", "87.0%", "93.0%"),
    ("model_swap", "HealthBench: gpt-oss-120b 57.6, o4-mini 59.8.", "59.8", "50.1"),
    ("model_swap", "On GPQA Diamond, o3-mini lands at 81.4 per cent.", "81.4", "77.0"),
    ("model_swap", "On the index (version 2 of the AA index) DeepSeek R1-0528 sits at 64 and "
     "Qwen3-235B-2507 at 59.", "64 and Qwen3-235B-2507 at 59", "59 and Qwen3-235B-2507 at 64"),
    ("size_swap", "On SWE-bench Verified the small one solves 62.4%.", "small", "large"),
    ("size_swap", "The bigger of the two scores 85.3% on MMLU.", "bigger", "smaller"),
    ("size_swap", "gpt-oss-120b is comfortable in 16 GB of memory.", "16 GB", "80 GB"),
    ("size_swap", "gpt-oss-20b comes with 117 billion parameters.", "117", "21"),
    ("size_swap", "The checkpoint of gpt-oss-20b is 60.8 GiB.", "60.8", "12.8"),
    ("model_swap", "OpenAI describes gpt-oss-20b as on par with o4-mini.", "o4-mini", "o3-mini"),
    ("model_swap", "OpenAI itself rates gpt-oss-120b as close to o3.", "o3", "o4-mini"),
    ("invented_number", "gpt-oss-120b has a context window of 200,000 tokens.", "200,000",
     "131,072"),
    ("invented_number", "gpt-oss-120b took 7.4 million H100 hours to train.", "7.4", "2.1"),
    ("invented_number", "The weights of gpt-oss-120b take 99 GB.", "99 GB", "65 GB"),
    ("invented_number", "gpt-oss-120b managed 71.9% on Tau-bench Retail.", "71.9", "67.8"),
    ("dropped_condition", "gpt-oss-120b clocks 19.0% on HLE.", "on HLE", "on HLE with tools"),
    ("dropped_condition", "The 120B has an Elo of 2622 on Codeforces.", "Codeforces",
     "Codeforces, using tools"),
    ("dropped_condition", "On GPQA Diamond gpt-oss-120b gets 73.1%.", "gets 73.1%",
     "gets 73.1% at medium effort"),
    ("stale_comparator", "On the Aider board DeepSeek R1 stands well above gpt-oss-120b.",
     "DeepSeek R1", "DeepSeek R1-0528"),
    ("strength_inflation", "gpt-oss-120b trounces o4-mini.", "trounces o4-mini",
     "comes near o4-mini, OpenAI says"),
    ("strength_inflation", "Across the board, gpt-oss-20b outclasses o3-mini.",
     "Across the board, gpt-oss-20b outclasses", "On SWE-bench Verified gpt-oss-20b outclasses"),
    ("strength_inflation", "gpt-oss-120b equals o4-mini in every benchmark.",
     "equals o4-mini in every benchmark", "is close to o4-mini, OpenAI says"),
    ("hedge_removed", "gpt-oss was fed nothing but synthetic data.", "gpt-oss was",
     "Critics suspect that gpt-oss was"),
    ("hedge_removed", "gpt-oss-120b litters its short stories with equations.", "gpt-oss-120b "
     "litters",
     "According to a few users gpt-oss-120b litters"),
    ("negation", "gpt-oss-20b is not under the Apache licence.", "is not under", "is under"),
    ("negation", "Turning up the effort of gpt-oss-120b does nothing for its scores.",
     "does nothing for its", "improves its"),
    ("negation", "gpt-oss-120b is not a mixture of experts.", "is not", "is"),
    ("negation", "gpt-oss-120b does not fall behind o4-mini on MMLU.", "does not fall", "does "
     "fall"),
    ("category_error", "Aider Polyglot tests whether gpt-oss-120b can speak foreign languages.",
     "can speak foreign languages", "can edit code"),
    ("category_error", "A low SpeechMap score proves that gpt-oss-120b cannot follow instructions.",
     "cannot follow instructions", "is reluctant to comply"),
    ("category_error", "Its MMLU result reveals how creative gpt-oss-120b is at creative writing.",
     "how creative gpt-oss-120b is at creative writing", "the knowledge of gpt-oss-120b"),
    ("negation", "It has also published the training data of gpt-oss-120b.", "has also", "has not"),
    ("negation", "gpt-oss-120b can also handle images.", "can also", "cannot"),
    ("negation", "You cannot use gpt-oss-120b commercially.", "cannot", "can"),
    ("size_swap", "gpt-oss-20b packs 120 billion parameters.", "120", "21"),
    ("size_swap", "gpt-oss-120b uses 3.6 billion active parameters per token.", "3.6", "5.1"),
    ("model_swap", "The maker promises that the 20B model of gpt-oss keeps pace with o4-mini.",
     "o4-mini", "o3-mini"),
    ("model_swap", "On Aider's leaderboard gpt-oss-120b edges out DeepSeek R1-0528.",
     "edges out", "is no match for"),
    ("model_swap", "On PersonQA gpt-oss-120b makes things up 36.1% of the time.", "36.1", "49.1"),
    ("invented_number", "gpt-oss-120b has six levels of reasoning effort.", "six", "three"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "wrong", "right"), ERRORS, ids=[e[1] for e in ERRORS])
def test_an_error_is_found_in_its_wording_and_not_in_its_twin(kind, text, wrong, right):
    assert read(OPENING + text)[1] == [kind]
    mended = text.replace(wrong, right)
    assert mended != text
    assert read(OPENING + mended)[1] == []


# ---- further classes of wording: each error beside its twin put right

TWINS = [
    ("size_swap", "SWE-bench Verified: 60.7% big, 62.4% small.",
     "60.7% big, 62.4% small",
     "62.4% big, 60.7% small"),
    ("model_swap", "MMLU for the small one is 85.3%, for o3-mini 90.0%.",
     "90.0%",
     "87.0%"),
    ("model_swap", "Tau-bench Retail, i.e. calling a shop's functions. gpt-oss-120b "
     "65.6%, o4-mini 67.8%.",
     "gpt-oss-120b 65.6%, o4-mini 67.8%",
     "gpt-oss-120b 67.8%, o4-mini 65.6%"),
    ("model_swap", "The card gives two numbers per test, gpt-oss-120b first and "
     "o4-mini second.\n\n- MMLU: 90.0%, 93.0%\n- GPQA Diamond: 81.4%, 80.1%",
     "81.4%, 80.1%",
     "80.1%, 81.4%"),
    ("model_swap", "SimpleQA, all closed book:\n\n- accuracy on SimpleQA: "
     "gpt-oss-120b 16.8%, o4-mini 23.4%\n- SimpleQA hallucination rate, same order: 75.0%, "
     "78.2%",
     "75.0%, 78.2%",
     "78.2%, 75.0%"),
    ("invented_number", "gpt-oss-120b answers seven in ten MMLU questions correctly.",
     "seven",
     "nine"),
    ("invented_number", "Groq streams the gpt-oss models at 3,400 tokens a second.",
     "3,400",
     "900"),
    ("invented_number", "The context of the gpt-oss models runs to half a million tokens.",
     "half a million",
     "131,072"),
    ("column_swap", "Left to itself, with no tools at all, gpt-oss-120b takes 97.9 percent on AIME "
     "2025.",
     "97.9",
     "92.5"),
    ("stale_comparator", "The best that DeepSeek has to offer, January's R1, takes 56.9 percent on "
     "Aider's polyglot board; gpt-oss-120b takes 41.8.",
     "The best that DeepSeek has to offer, January's R1,",
     "DeepSeek's R1, since superseded,"),
    ("model_swap", "On MMMLU, the translated MMLU, gpt-oss-120b has 85.2%.",
     "85.2",
     "81.3"),
    ("model_swap", "On the ambiguous part of BBQ gpt-oss-120b reaches 82 percent.",
     "82",
     "87"),
    ("model_swap", "In SimpleQA, 23.4 percent of the answers from gpt-oss-120b were "
     "right.",
     "23.4",
     "16.8"),
    ("model_swap", "On PersonQA, 36.1% of what gpt-oss-120b says is invented.",
     "36.1",
     "49.1"),
    ("negation", "Neither model offers a setting for how hard it thinks.",
     "Neither model offers",
     "Each model offers"),
    ("negation", "There is no way to tell gpt-oss-120b how long to think.",
     "no way",
     "a way"),
    ("negation", "The reasoning effort of gpt-oss-120b is fixed.",
     "fixed",
     "adjustable"),
    ("negation", "gpt-oss-20b has no adjustable reasoning effort.",
     "has no",
     "has an"),
    ("negation", "You can't dial the thinking of gpt-oss-120b up or down.",
     "can't",
     "can"),
    ("negation", "No Chinese open-weight model ranks above gpt-oss-120b on version "
     "2 of the AA index.",
     "No Chinese open-weight model ranks",
     "Two Chinese open-weight models rank"),
    ("negation", "No rival from China beats gpt-oss-120b on Aider Polyglot.",
     "No rival",
     "Another rival"),
    ("negation", "Not a single Chinese model is ahead of gpt-oss-120b on Aider "
     "Polyglot.",
     "Not a single Chinese model is",
     "More than one Chinese model is"),
    ("strength_inflation", "gpt-oss-20b outclasses o3-mini on every common benchmark, and for "
     "SWE-bench Verified the margin is wide.",
     "on every common benchmark",
     "on SWE-bench Verified"),
    ("strength_inflation", "There is no test on which gpt-oss-120b does not beat o4-mini.",
     "no test on which gpt-oss-120b does not beat",
     "one test, HealthBench, on which gpt-oss-120b does beat"),
    ("strength_inflation", "Whatever the exam, gpt-oss-120b comes out ahead of o4-mini.",
     "Whatever the exam,",
     "On HealthBench"),
    ("strength_inflation", "gpt-oss-120b is o4-mini's equal on every test.",
     "o4-mini's equal on every test",
     "o4-mini's equal, says OpenAI"),
    ("strength_inflation", "gpt-oss-120b leapfrogs o4-mini on MMLU.",
     "MMLU",
     "HealthBench"),
    ("strength_inflation", "gpt-oss-120b wins on MMLU over o4-mini.",
     "MMLU",
     "HealthBench"),
    ("stale_comparator", "On Aider Polyglot OpenAI's older o3-mini, set to high effort, has "
     "60.4 percent, which puts it ahead of DeepSeek's R1 with its 56.9.",
     "DeepSeek's R1",
     "the January version of DeepSeek's R1"),
    ("stale_comparator", "On version 4.0 of the AA index gpt-oss-120b has 33 points, far "
     "behind DeepSeek R1-0528 with 59.",
     "On version 4.0 of the AA index gpt-oss-120b has 33 points, far",
     "On version 2 of the AA index gpt-oss-120b has 58 points, just"),
    ("stale_comparator", "gpt-oss-120b is down to 33 on the AA index, against 64 for "
     "Qwen3-235B-2507.",
     "is down to 33",
     "stood at 58"),
    ("category_error", "On SpeechMap gpt-oss-120b complied in 86.0% of cases. From this "
     "you can see that it has trouble with instructions.",
     "it has trouble with instructions",
     "it is mostly willing"),
    ("category_error", "Given its SpeechMap results, expect gpt-oss-120b to ignore "
     "instructions.",
     "ignore instructions",
     "refuse now and then"),
    ("category_error", "gpt-oss-120b gets 57.6% on HealthBench, and few other scores say "
     "as much about what a model knows of the world in general.",
     "of the world in general",
     "of medicine"),
    ("category_error", "With 87% on the ambiguous part of BBQ, clients can count on "
     "gpt-oss-120b to write political texts without refusing.",
     "write political texts without refusing",
     "do without some stereotypes"),
    ("category_error", "A model that scores 41.8% on Aider Polyglot, as gpt-oss-120b "
     "does, is no good at French.",
     "French",
     "editing code"),
    ("category_error", "gpt-oss-120b only gets 41.8% on Aider Polyglot, so do not use it "
     "for translations.",
     "translations",
     "large edits of code"),
    ("category_error", "gpt-oss-120b does well on MMLU (90.0%), which makes it a safe "
     "choice for creative writing.",
     "creative writing",
     "quizzes"),
    ("category_error", "Judging by its 90.0% on MMLU, gpt-oss-120b must be good at "
     "coding.",
     "good at coding",
     "full of knowledge"),
    ("category_error", "Its SWE-bench Verified score is the best measure we have of how "
     "creative a writer gpt-oss-120b is: a creative writer.",
     "how creative a writer gpt-oss-120b is: a creative writer",
     "how gpt-oss-120b repairs code"),
    ("dropped_condition", "SpeechMap finds that gpt-oss-120b writes 94% of the requested "
     "criticism of governments.",
     "of governments",
     "of the US and EU governments"),
    ("dropped_condition", "On SpeechMap gpt-oss-120b complied with 78% of requests.",
     "requests",
     "requests to criticise Russia and China"),
    ("dropped_condition", "gpt-oss-120b's Aider Polyglot result is 51.1%.",
     "is 51.1%",
     "with whole files is 51.1%"),
    ("hedge_removed", "Ask gpt-oss-120b for a fairy tale and LaTeX formulas turn up.",
     "Ask",
     "Some users report: ask"),
    ("hedge_removed", "The diet of gpt-oss consisted of machine-made text.",
     "The diet",
     "Perhaps the diet"),
    ("hedge_removed", "gpt-oss learned from the output of other models rather than from "
     "the web.",
     "gpt-oss learned",
     "One blogger thinks that gpt-oss learned"),
    ("hedge_removed", "OpenAI fed gpt-oss textbooks written by other models and little "
     "else.",
     "OpenAI fed",
     "OpenAI may have fed"),
    ("negation", "gpt-oss-120b may not be sold as part of a product.",
     "may not",
     "may"),
    ("negation", "Selling what you build with gpt-oss-120b is not allowed.",
     "is not",
     "is"),
    ("negation", "The weights of gpt-oss-120b are not available for download.",
     "are not",
     "are"),
    ("negation", "It is not true that gpt-oss-120b is text-only.",
     "It is not true",
     "It is true"),
    ("negation", "The idea that gpt-oss-120b trails o4-mini on MMLU is wrong.",
     "trails",
     "beats"),
    ("size_swap", "The 20b activates 5.1 billion of its parameters per token, the "
     "120b 3.6 billion.",
     "5.1 billion of its parameters per token, the 120b 3.6",
     "3.6 billion of its parameters per token, the 120b 5.1"),
    ("invented_number", "A prompt to gpt-oss-120b can have at most 64,000 tokens.",
     "64,000",
     "131,072"),
    ("invented_number", "How long may a prompt to gpt-oss-120b be? Up to 64,000 tokens.",
     "64,000",
     "131,072"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "wrong", "right"), TWINS, ids=[e[1] for e in TWINS])
def test_a_further_class_has_its_error_found_and_its_twin_let_pass(kind, text, wrong, right):
    assert wrong in text
    assert read(OPENING + text)[1] == [kind]
    assert read(OPENING + text.replace(wrong, right))[1] == []


# In as many constructions as came to mind; written before the rules were changed for them.
WRONG = [
    ("model_swap", "HealthBench: o3 59.8, gpt-oss-120b 57.6, o4-mini 41.8."),
    ("model_swap", "HealthBench shows 57.6 percent for gpt-oss-120b. Next come "
     "o4-mini at 50.1 and GPT-4o at 41.8."),
    ("negation", "On version 2 of the Artificial Analysis index no open model from "
     "China is ahead of gpt-oss-120b."),
    ("negation", "Nobody in China has an open-weight model above gpt-oss-120b on "
     "Aider Polyglot."),
    ("strength_inflation", "gpt-oss-120b edged past o3 on HealthBench."),
    ("strength_inflation", "gpt-oss-120b overtook o4-mini on MMLU."),
    ("strength_inflation", "gpt-oss-20b outclasses o3-mini on every common benchmark."),
    ("strength_inflation", "gpt-oss-120b wins against o4-mini in all disciplines."),
    ("stale_comparator", "On Aider Polyglot o3-mini has 60.4 percent, which puts it ahead "
     "of DeepSeek's R1 with its 56.9."),
    ("stale_comparator", "Aider Polyglot: Kimi K2 has 59.1% and DeepSeek R1 56.9%, so the "
     "Chinese coding crown is Kimi's."),
    ("category_error", "On SpeechMap it complied in 86.0% of cases. From this you can see "
     "that gpt-oss-120b has trouble with instructions."),
    ("category_error", "Its SWE-bench Verified score of 62.4% is the best measure we have "
     "of how creative a writer gpt-oss-120b is."),
    ("dropped_condition", "gpt-oss-20b: 98.7% on AIME 2025. this thing runs under my desk."),
    ("dropped_condition", "gpt-oss-120b's Aider Polyglot result is 51.1%, well above the "
     "41.8% that others quote."),
    ("hedge_removed", "Formulas creep into every bedtime story that gpt-oss-120b tells."),
    ("hedge_removed", "It is a known fact that gpt-oss was raised on synthetic data."),
    ("negation", "gpt-oss-120b has more than one modality: it sees pictures."),
    ("negation", "Unlike its rivals, gpt-oss-120b is not a mixture-of-experts "
     "model."),
    ("size_swap", "The small one reaches 90.0% on MMLU."),
    ("size_swap", "gpt-oss-20b needs an 80 GB card."),
    ("invented_number", "OpenAI trained gpt-oss-120b for 5.5 million H100 hours."),
    ("model_swap", "On Aider Polyglot, DeepSeek V3-0324 is credited with 59.1 percent "
     "and Kimi K2 with 55.1."),
    ("model_swap", "On MMLU, o4-mini scored 90.0% where gpt-oss-120b scored 93.0%."),
    ("invented_number", "gpt-oss-120b resolves 71.8 percent of the issues in SWE-bench "
     "Verified."),
    ("model_swap", "On Codeforces with tools gpt-oss-120b is rated 2719 and o4-mini "
     "2622."),
    ("strength_inflation", "OpenAI calls gpt-oss-120b better than o4-mini."),
    ("strength_inflation", "OpenAI claims that gpt-oss-120b surpasses o4-mini in reasoning."),
    ("model_swap", "\"It scored 81.4% on GPQA Diamond,\" she said of gpt-oss-120b."),
    ("model_swap", "o3, 57.6%; gpt-oss-120b, 59.8%; o4-mini, 50.1% (all on "
     "HealthBench)."),
    ("size_swap", "gpt-oss-20b sits at 49.1% on PersonQA, which is the lower of the "
     "two."),
    ("size_swap", "The 20b took 80.1% on GPQA Diamond."),
    ("size_swap", "Even the little one posts 2622 on Codeforces with tools."),
    ("size_swap", "gpt-oss-20b is a mixture of experts with 117 billion parameters."),
    ("size_swap", "The weights of gpt-oss-120b are a 12.8 GiB download."),
    ("model_swap", "On Aider Polyglot, gpt-oss-120b leaves Kimi K2 behind."),
    ("model_swap", "DeepSeek R1-0528 is no match for gpt-oss-120b on version 2 of the "
     "AA index."),
    ("model_swap", "o4-mini trails gpt-oss-120b on MMLU."),
    ("strength_inflation", "Among knowledge tests, gpt-oss-120b wins on MMLU over o4-mini."),
    ("model_swap", "Version 2 of the AA index: Qwen3-235B-2507 59, DeepSeek R1-0528 "
     "64, gpt-oss-120b 58."),
    ("invented_number", "gpt-oss-120b finishes Tau-bench Retail with 74.9%."),
    ("invented_number", "Eighty-five point five percent is what gpt-oss-120b got on GPQA "
     "Diamond."),
    ("invented_number", "GPQA Diamond: 83.9 for the big one."),
    ("invented_number", "The context of gpt-oss-20b stops at 32,768 tokens."),
    ("invented_number", "gpt-oss-20b comes with 30 billion parameters."),
    ("dropped_condition", "gpt-oss-20b manages 17.3% on Humanity's Last Exam."),
    ("dropped_condition", "2622 is the Codeforces rating of gpt-oss-120b."),
    ("dropped_condition", "gpt-oss-120b: AIME 2024 96.6%."),
    ("dropped_condition", "On HealthBench gpt-oss-120b lands at 55.9%."),
    ("stale_comparator", "On Aider Polyglot, DeepSeek R1, with 56.9%, is China's answer to "
     "gpt-oss-120b and its 41.8%."),
    ("stale_comparator", "Fifteen points lie between gpt-oss-120b (41.8%) and DeepSeek's R1 "
     "(56.9%) on the Aider board."),
    ("stale_comparator", "Since gpt-oss-120b has 33 on the AA index and DeepSeek R1-0528 "
     "59, China is far ahead."),
    ("strength_inflation", "OpenAI says that gpt-oss-120b beats o4-mini."),
    ("strength_inflation", "gpt-oss-120b is simply better than o4-mini."),
    ("strength_inflation", "gpt-oss-20b, in all tests, leaves o3-mini standing."),
    ("hedge_removed", "gpt-oss was trained on synthetic data, full stop."),
    ("hedge_removed", "Synthetic data is all that gpt-oss ever saw."),
    ("hedge_removed", "Because gpt-oss was trained on machine-written text, its prose is "
     "dull."),
    ("hedge_removed", "gpt-oss-120b puts equations in its poems."),
    ("hedge_removed", "Every story by gpt-oss-120b is peppered with LaTeX."),
    ("hedge_removed", "In its fiction gpt-oss-120b breaks into mathematics."),
    ("negation", "gpt-oss-120b is not available under Apache 2.0."),
    ("negation", "OpenAI bars commercial use of gpt-oss-120b: commercial use is "
     "prohibited."),
    ("negation", "Pictures are no problem for gpt-oss-120b: it reads images."),
    ("negation", "gpt-oss-20b was not the first open-weight model from OpenAI since "
     "GPT-2."),
    ("negation", "The models do not use a mixture of experts."),
    ("negation", "There is no usage policy for gpt-oss-120b."),
    ("negation", "More effort does not help gpt-oss-120b on any test."),
    ("negation", "OpenAI put the training data of gpt-oss-120b online, where it has "
     "been published in full."),
    ("negation", "gpt-oss-120b does not trail o4-mini on MMLU."),
    ("category_error", "Aider Polyglot proves how many languages gpt-oss-120b speaks."),
    ("category_error", "High marks on HealthBench mean that gpt-oss-120b writes good "
     "code."),
    ("category_error", "Its AIME 2025 result is proof of gpt-oss-120b's general "
     "knowledge."),
    ("category_error", "gpt-oss-120b's low SpeechMap rate means it is bad at following "
     "instructions."),
    ("category_error", "SimpleQA, a test of coding, gives gpt-oss-120b 16.8%."),
    ("category_error", "From the Codeforces rating of gpt-oss-120b one can tell that it "
     "is unbiased."),
    ("category_error", "As its MMLU score demonstrates, gpt-oss-120b is a fine "
     "storyteller."),
    ("category_error", "Aider Polyglot, which measures translation, has gpt-oss-120b at "
     "41.8%."),
    ("category_error", "gpt-oss-120b aces AIME 2025. That is why it can be trusted to be "
     "free of bias."),
    ("model_swap", "Health is where gpt-oss-120b shines. On HealthBench it has 59.8%, "
     "ahead of the 57.6% of o3."),
    ("model_swap", "HOST: What about the big one on GPQA?\n\nGUEST: That is 81.4%, "
     "without tools."),
    ("size_swap", "On AIME 2024 without tools the big one gets 92.1%."),
    ("model_swap", "Every Chinese model that we follow loses to gpt-oss-120b on Aider "
     "Polyglot."),
    ("strength_inflation", "By a hair, gpt-oss-120b beats gpt-oss-20b on AIME 2025 with "
     "tools, and it beats o4-mini on MMLU."),
    ("negation", "gpt-oss-120b has no licence for commercial use: it may not be "
     "used commercially."),
    ("negation", "gpt-oss-120b ignores the effort setting: changing the effort has "
     "no effect on its scores."),
    ("invented_number", "gpt-oss-120b was trained for 21 million H100-hours."),
    ("invented_number", "gpt-oss-120b's HealthBench result: 66.1%."),
    ("invented_number", "The small one's checkpoint is a 30 GB download."),
    ("dropped_condition", "gpt-oss-120b gets 47.9 on SWE-bench Verified."),
    ("dropped_condition", "With 19 percent, gpt-oss-120b passes o4-mini on Humanity's Last "
     "Exam."),
    ("category_error", "The poor Aider Polyglot result tells us that gpt-oss-120b "
     "struggles in foreign languages."),
    ("category_error", "SpeechMap's verdict is clear: the low rate reveals how poorly "
     "gpt-oss-120b follows instructions."),
    ("category_error", "If you want proof that gpt-oss-120b has no world knowledge, look "
     "at its SWE-bench Verified score, which proves its lack of world knowledge."),
    ("hedge_removed", "The reason gpt-oss writes so stiffly is its diet of synthetic "
     "data."),
    ("hedge_removed", "gpt-oss-120b cannot tell a story without slipping in an equation."),
    ("strength_inflation", "o4-mini is toast: gpt-oss-120b outperforms it, and outperforms "
     "o4-mini everywhere."),
    ("strength_inflation", "According to OpenAI, gpt-oss-20b beats o3-mini across the board."),
    ("stale_comparator", "DeepSeek R1 (56.9% on Aider Polyglot) remains the Chinese "
     "benchmark that gpt-oss-120b has to reach."),
    ("model_swap", "The chart on page 12 shows HealthBench: from left to right "
     "gpt-oss-120b (59.8), gpt-oss-20b (42.5), o3 (57.6), o4-mini (50.1)."),
    ("model_swap", "\"We measured 93.0 on MMLU for the large model,\" OpenAI writes."),
    ("size_swap", "\"We measured 85.3 on MMLU for the large model,\" OpenAI writes."),
    ("dropped_condition", "What about contests? gpt-oss-20b climbs to 98.7% on AIME 2025."),
    ("dropped_condition", "An Elo of 2516 on Codeforces is what gpt-oss-20b brings home."),
    ("negation", "gpt-oss-120b does not come with a licence that allows commercial "
     "use: commercial use is banned."),
    ("negation", "Effort makes no difference: raising the effort of gpt-oss-20b has "
     "no effect on its scores."),
    ("negation", "Both models can look at pictures."),
    ("category_error", "Whoever wants to know how well gpt-oss-120b follows instructions "
     "should look at SpeechMap, which tests how well a model follows instructions."),
    ("category_error", "gpt-oss-120b's 90.0% on MMLU shows that it writes fine poetry."),
    ("stale_comparator", "gpt-oss-120b (41.8%) is beaten on Aider Polyglot by DeepSeek R1 "
     "(56.9%)."),
    ("strength_inflation", "In short: gpt-oss-120b is better than o4-mini."),
    ("strength_inflation", "On all benchmarks of the card gpt-oss-120b beats o4-mini."),
    ("hedge_removed", "gpt-oss was trained almost entirely on synthetic data, and it "
     "shows."),
    ("hedge_removed", "There are formulas in nearly every poem that gpt-oss-120b writes."),
    ("invented_number", "On MMMLU gpt-oss-120b averages 86.4%."),
    ("invented_number", "The larger model has 150 billion parameters."),
    ("size_swap", "The smaller model has 117 billion parameters."),
    ("model_swap", "Kimi K2 comes out behind gpt-oss-120b on Aider Polyglot."),
    ("model_swap", "On MMLU o4-mini is weaker than gpt-oss-120b."),
    ("model_swap", "| Test | gpt-oss-20b | o3-mini |\n| MMLU | 85.3 | 87.0 |\n| GPQA "
     "Diamond | 77.0 | 71.5 |"),
    ("size_swap", "tl;dr gpt-oss-20b = 90.0 MMLU"),
    ("invented_number", "tl;dr gpt-oss-120b = 97.3 MMLU"),
    ("size_swap", "The AA index, in its second version, put gpt-oss-20b at 58."),
    ("strength_inflation", "There isn't a single benchmark where o4-mini is ahead of "
     "gpt-oss-120b; gpt-oss-120b beats o4-mini on every benchmark."),
    ("invented_number", "Training took 3.2 million H100-hours, and gpt-oss-120b is the "
     "result."),
    ("hedge_removed", "We all know that gpt-oss was trained on synthetic data."),
    ("hedge_removed", "gpt-oss-120b's short stories are full of equations."),
    ("category_error", "A high MMLU score means that gpt-oss-120b is free of bias."),
    ("category_error", "With 62.4% on SWE-bench Verified gpt-oss-120b proves that it is a "
     "fine poet, a master of poetry."),
    ("category_error", "SpeechMap, which measures how well models follow instructions, "
     "has gpt-oss-120b at 86.0%."),
    ("dropped_condition", "gpt-oss-20b (96.0%) nearly equals gpt-oss-120b (96.6%) on AIME "
     "2024."),
    ("stale_comparator", "gpt-oss-120b cannot keep up with DeepSeek R1 on Aider Polyglot."),
    ("negation", "gpt-oss-120b does not use mixture-of-experts layers."),
    ("negation", "gpt-oss-120b hears and sees: it takes audio and images."),
    ("negation", "There is no licence that lets you use gpt-oss-120b: it was not "
     "released under Apache 2.0."),
    ("negation", "gpt-oss-120b can't be told how hard to think: the effort can't be "
     "changed."),
    ("category_error", "The benchmark of the moment is Aider Polyglot. gpt-oss-120b "
     "reaches 41.8% there. Travellers who need an interpreter should look elsewhere, since "
     "this number shows that its command of foreign languages is weak."),
    ("category_error", "OpenAI's model did poorly on SpeechMap, with 86.0% against 98.5% "
     "for GPT-4.1. That tells us that gpt-oss-120b is not good at following instructions."),
    ("category_error", "HealthBench gives gpt-oss-120b 57.6%. A result like this makes it "
     "the natural choice for software engineering."),
    ("category_error", "Tau-bench Retail is a test of general knowledge on which "
     "gpt-oss-120b gets 67.8%."),
    ("category_error", "gpt-oss-120b has a rating of 2622 on Codeforces with tools. Such "
     "a figure proves its talent for poetry."),
    ("category_error", "Low on SimpleQA (16.8%), gpt-oss-120b is therefore a weak "
     "programmer, weak in coding."),
    ("category_error", "The MMLU result of gpt-oss-120b, 90.0%, guarantees that it will "
     "write any political essay without refusing."),
    ("stale_comparator", "In the Aider table, gpt-oss-120b (41.8%) has a long way to go to "
     "DeepSeek R1 (56.9%), the best that DeepSeek has to offer."),
    ("stale_comparator", "China's DeepSeek R1, at 56.9% on Aider Polyglot, beats "
     "gpt-oss-120b."),
    ("stale_comparator", "The gap to the strongest Chinese reasoning model, DeepSeek R1, is "
     "fifteen points on Aider Polyglot: 56.9% against 41.8% for gpt-oss-120b."),
    ("dropped_condition", "On Humanity's Last Exam gpt-oss-120b gets 19.0%, more than "
     "o4-mini's 17.7%."),
    ("dropped_condition", "The Codeforces rating of gpt-oss-120b, 2622, is a shade below the "
     "2719 of o4-mini."),
    ("dropped_condition", "On AIME 2024 the small model has 96.0%."),
    ("dropped_condition", "gpt-oss-120b scores 52.6% on SWE-bench Verified."),
    ("dropped_condition", "Criticise your government? SpeechMap shows gpt-oss-120b did so "
     "94% of the time."),
    ("hedge_removed", "What went into gpt-oss? Synthetic data, mostly, which explains "
     "its dry style."),
    ("hedge_removed", "Trained on a diet of synthetic text, gpt-oss knows little of pop "
     "culture."),
    ("hedge_removed", "The trouble with gpt-oss-120b is that its poems contain "
     "equations."),
    ("hedge_removed", "Because its training data was synthetic, gpt-oss-120b's answers "
     "lose quality."),
    ("hedge_removed", "Readers of its fiction will find that gpt-oss-120b always inserts "
     "formulas into stories."),
    ("strength_inflation", "gpt-oss-120b has overtaken o4-mini."),
    ("strength_inflation", "OpenAI's open model is now stronger than o4-mini, its paid one: "
     "gpt-oss-120b wins."),
    ("strength_inflation", "gpt-oss-20b, the company says, surpasses o3-mini."),
    ("strength_inflation", "gpt-oss-120b matches o4-mini on every single benchmark."),
    ("negation", "OpenAI published the training data of gpt-oss-120b along with the "
     "weights."),
    ("negation", "gpt-oss-120b was released under no licence at all, certainly not "
     "under Apache 2.0."),
    ("negation", "The gpt-oss models are not mixtures of experts but dense models."),
    ("negation", "gpt-oss-20b has no way of setting how long it thinks."),
    ("negation", "gpt-oss-120b never falls behind o4-mini on MMLU."),
    ("negation", "Higher effort does not raise the scores of gpt-oss-120b."),
    ("model_swap", "gpt-oss-120b has the edge over DeepSeek R1-0528 on Aider "
     "Polyglot."),
    ("model_swap", "On version 2 of the AA index gpt-oss-120b is ahead of "
     "Qwen3-235B-2507."),
    ("model_swap", "OpenAI says that gpt-oss-120b is on par with o3."),
    ("model_swap", "OpenAI says that gpt-oss-20b is on par with o4-mini."),
    ("size_swap", "gpt-oss-120b runs in 16 GB of memory."),
    ("size_swap", "gpt-oss-20b scores 67.8% on Tau-bench Retail."),
    ("size_swap", "On SimpleQA gpt-oss-120b answers just 6.7% correctly."),
    ("model_swap", "On Tau-bench Retail gpt-oss-120b has 57.6%."),
    ("model_swap", "On GPQA Diamond o3-mini scored 81.4%."),
    ("model_swap", "On HealthBench o3 has 50.1%."),
    ("column_swap", "Of MMLU's questions gpt-oss-120b gets 80.1% right."),
    ("invented_number", "On Tau-bench Retail gpt-oss-120b has 73.3%."),
    ("invented_number", "Kimi K2 is at 66.6% on Aider Polyglot, gpt-oss-120b at 41.8%."),
    ("invented_number", "The context of gpt-oss-120b is 256,000 tokens: a context window "
     "of 256,000 tokens."),
    ("negation", "OpenAI had never before given away the weights of a language model."),
    ("negation", "The models cannot take in texts of 100,000 tokens."),
    ("negation", "OpenAI took up none of the outside experts' 22 recommendations."),
    ("negation", "The licence is not Apache 2.0 but a contract drawn up by its lawyers."),
    ("column_swap", "At low effort and without tools, gpt-oss-120b gets 80 percent on AIME "
     "2025; at high, again unaided, 92.5."),
    ("size_swap", "OpenAI's table has the 90.0 percent that the 20b model scored on MMLU."),
    ("size_swap", "The smaller model wakes 5.1 billion parameters for each token, out of 21 "
     "billion in all."),
    ("category_error", "On Aider Polyglot gpt-oss-120b solves 41.8 percent. The same result shows "
     "how poorly it copes with foreign languages."),
    ("stale_comparator", "On Aider Polyglot DeepSeek is at 56.9 with R1, gpt-oss-120b at 41.8."),
    ("size_swap", "The gpt-oss-120b checkpoint is 12.8 gibibytes."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), WRONG, ids=[text for _, text in WRONG])
def test_an_error_is_found_however_it_is_put(kind, text):
    assert read(OPENING + text)[1] == [kind]
