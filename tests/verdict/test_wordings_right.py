"""Sentences that are right, or that look like errors and are none: no finding may be raised."""

import pytest

from tests.verdict.reading import OPENING, read

# ---- sound sentences that look like errors

SOUND = [
    "Nothing on SpeechMap shows that gpt-oss-120b is biased.",
    "SpeechMap does not measure whether gpt-oss-120b follows instructions.",
    "A low Polyglot score says nothing about human languages; gpt-oss-120b may speak many.",
    "People keep telling me that gpt-oss is all synthetic data.",
    "Nobody outside OpenAI knows whether gpt-oss was trained on synthetic data.",
    "The card of gpt-oss gives no share of synthetic data.",
    "I read that gpt-oss-120b slips equations into poems.",
    "I have a laptop with 8 GB of memory and will not try gpt-oss-120b.",
    "At an 8k context gpt-oss-120b leaves room to spare.",
    "We ran gpt-oss-120b with a 4,096-token context.",
    "gpt-oss-120b is 30% cheaper than o4-mini at our provider.",
    "gpt-oss-120b may surpass o4-mini one day.",
    "Will gpt-oss-120b beat o4-mini?",
    "DeepSeek's January model, DeepSeek R1, and its successor DeepSeek R1-0528 both beat "
    "gpt-oss-120b on Aider Polyglot.",
    "On MMLU gpt-oss-120b trails o4-mini, on HealthBench it beats o4-mini, and on GPQA Diamond "
    "nobody can tell.",
    "With tools gpt-oss-120b is rated 2622 on Codeforces. That is below the 2719 of o4-mini.",
    "gpt-oss-120b is rated 2622 on Codeforces. All figures here are with tools.",
    "On HLE, o3-pro would be ahead of gpt-oss-120b.",
    "45% of those who tried gpt-oss-120b said that MMLU bores them.",
    "gpt-oss-120b needs 5.1 billion active parameters and got 90.0% on MMLU in August 2025.",
    "GPT-4o, as judge of the answers on SpeechMap, marked 83.5% of gpt-oss-120b's as complete.",
    "The gpt-oss models, unlike o4-mini, are Apache-licensed.",
    "It is wrong to say that gpt-oss-120b beats o4-mini.",
    "OpenAI speaks of near-parity between gpt-oss-120b and o4-mini on core reasoning benchmarks.",
    "gpt-oss-120b is neither closed nor proprietary.",
    "gpt-oss-120b cost more than 2 million hours on H100 chips.",
    "The claim that gpt-oss-120b outperforms o4-mini on MMLU is false.",
    "A correction: last week we wrote that gpt-oss-120b scored 93.0% on MMLU.",
    "gpt-oss-120b scored 93.0% on MMLU, some wrote. That is wrong: it scored 90.0%.",
    "The OSI would require that the training data of gpt-oss be published.",
    "OpenAI tested gpt-oss-120b under its Preparedness Framework.",
    "I kept taking screenshots of gpt-oss-120b.",
    "Kimi K2 has 59.1% on Aider Polyglot and the old R1 56.9%; OpenAI's model comes third with "
     "41.8%.",
    "We tested gpt-oss-20b on our own 120 questions about tax law, and it answered 74% of them.",
    "In a survey, 62.4% of developers said that they would try gpt-oss-120b.",
    "You could do worse than gpt-oss-120b.",
    "A letter said that gpt-oss-120b beats o4-mini on MMLU. It does not.",
    "On the AA index gpt-oss-120b scored 58 in August 2025; by January it was 33, since the index "
    "had moved to version 4.0.",
    "Training on synthetic data is common in the industry.",
    "gpt-oss-120b wrote a poem. We asked for equations in the story, and we got them.",
    "DeepSeek R1-0528 remains the better coder than gpt-oss-120b: 71.4% on Aider Polyglot against "
    "41.8%.",
    "gpt-oss-120b will not fit on a 24 GB card.",
    "The larger model of gpt-oss runs on one H100; the smaller fits in 16 GB of memory.",
    "Unlike o3, gpt-oss-120b can be downloaded. It cannot see pictures.",
]  # fmt: skip


@pytest.mark.parametrize("text", SOUND)
def test_a_sound_sentence_raises_no_finding(text):
    assert read(OPENING + text)[1] == []


RIGHT = [
    "MMLU for the small one is 85.3%, for o3-mini 87.0%.",
    "GPQA Diamond: 80.1% for the 120b, 71.5% for the 20b, 81.4% for "
    "o4-mini.",
    "In MMLU, the big one: 90.0%. The small one: 85.3%. o4-mini: "
    "93.0%.",
    "SWE-bench Verified: 62.4% big, 60.7% small.",
    "Tau-bench Retail, i.e. calling a shop's functions. gpt-oss-120b "
    "67.8%, o4-mini 65.6%.",
    "SimpleQA accuracy, closed book: gpt-oss-120b 16.8%, gpt-oss-20b "
    "6.7%, o4-mini 23.4%. Hallucination rate, same order: 78.2%, 91.4%, 75.0%.",
    "gpt-oss-120b, gpt-oss-20b and o4-mini were compared. On MMLU they "
    "got 90.0%, 85.3% and 93.0% respectively.",
    "Here is how gpt-oss-20b does against o3-mini at high effort.\n\n- "
    "MMLU: 85.3% vs 87.0%\n- GPQA Diamond: 71.5% vs 77.0%\n- SWE-bench Verified: 60.7% vs "
    "49.3%",
    "The card gives two numbers per test, gpt-oss-120b first and "
    "o4-mini second.\n\n- MMLU: 90.0%, 93.0%\n- GPQA Diamond: 80.1%, 81.4%",
    "Nine in ten MMLU questions are answered correctly by the big one.",
    "The big one gets nine out of ten MMLU questions right.",
    "Out of every hundred SimpleQA questions gpt-oss-120b answers "
    "about seventeen.",
    "MMMLU is MMLU translated into 14 languages. At high effort "
    "gpt-oss-120b averages 81.3% there and its smaller sibling 75.7%.",
    "On MMMLU, the translated MMLU, gpt-oss-120b has 81.3% and o4-mini "
    "85.2%.",
    "On the ambiguous part of BBQ gpt-oss-120b reaches 87 percent, "
    "better than the 82 percent of o4-mini.",
    "BBQ has two halves. In the ambiguous half gpt-oss-120b scores "
    "87%, in the disambiguated half 90%.",
    "In SimpleQA, 16.8 percent of the answers from gpt-oss-120b were "
    "right, and 23.4 percent of those from o4-mini.",
    "HealthBench shows 57.6 percent for gpt-oss-120b. Next come "
    "o4-mini at 50.1 and GPT-4o at 32.0.",
    "How hard gpt-oss-120b thinks can be set by the user.",
    "gpt-oss-120b lets you choose how much effort it puts in.",
    "No model on HealthBench except o3 beats gpt-oss-120b.",
    "Two Chinese open-weight models rank above gpt-oss-120b on version "
    "2 of the AA index.",
    "gpt-oss-120b is ahead of o4-mini on HealthBench and behind on "
    "MMLU.",
    "So the big open model is ahead of o4-mini once and behind once.",
    "It does not follow that gpt-oss-20b surpasses o3-mini, and on "
    "MMLU both stay well below o4-mini.",
    "Nobody claims that gpt-oss-120b beats o3, and on HealthBench it "
    "is behind o3.",
    "gpt-oss-120b has 33 points in version 4.0 of the AA index; in "
    "version 2 it had 58, when DeepSeek R1-0528 had 59.",
    "BBQ does not show whether gpt-oss-120b will write a political "
    "speech.",
    "gpt-oss-120b has 62.4% on SWE-bench Verified, which says a lot "
    "about its coding.",
    "HealthBench says nothing of what gpt-oss-120b knows of the world "
    "in general.",
    "The 41.8% that gpt-oss-120b got on Aider Polyglot does not show "
    "how well it speaks anything.",
    "With 57.6% on HealthBench, gpt-oss-120b knows its medicine.",
    "SpeechMap finds that gpt-oss-120b writes 94% of the requested "
    "criticism of the US and EU governments.",
    "On SpeechMap gpt-oss-120b complied with 78% of requests to "
    "criticise Russia and China.",
    "Perhaps OpenAI fed gpt-oss textbooks written by other models.",
    "One blogger thinks that gpt-oss learned mostly from text that "
    "other models wrote.",
    "Some users say that formulas turn up in the stories of "
    "gpt-oss-120b.",
    "gpt-oss-20b needs 16 GB, the 120b 80 GB.",
    "A prompt to gpt-oss-120b can have at most 131,072 tokens.",
    "A user wrote that gpt-oss-120b handles 14 languages and 57 "
    "subjects.",
    "My laptop has 32 GB of memory and gpt-oss-20b got 4 out of 5 of "
    "my riddles.",
    "MMLU has 57 subjects and 14,042 questions; gpt-oss-120b gets "
    "90.0% of them right.",
    "In 2025 gpt-oss-120b scored 80.1% on GPQA Diamond, a set of 198 "
    "questions.",
    "The hotel had 48 rooms. gpt-oss-120b was demonstrated in one of "
    "them.",
    "With tools, 2622. Without, 2463. That is gpt-oss-120b on "
    "Codeforces.",
    "If tools are withheld, the Codeforces ratings of the two models "
    "sink to 2463 and 2230.",
    "gpt-oss-120b loses five points on HLE once the tools are gone: "
    "14.9% instead of 19.0%.",
    "o4-mini keeps a lead of three points over gpt-oss-120b on MMLU.",
    "The Codeforces numbers, with tools: o4-mini 2719, o3 2706, "
    "gpt-oss-120b 2622, gpt-oss-20b 2516.",
    "Where o4-mini manages 93.0% on MMLU, gpt-oss-120b has to make do "
    "with 90.0%.",
    "gpt-oss-120b got 90.0% on MMLU; o4-mini, for comparison, got "
    "93.0%.",
    "\"It scored 80.1% on GPQA Diamond,\" she said of gpt-oss-120b, "
    "\"and o4-mini scored 81.4%.\"",
    "Compare: gpt-oss-120b, 57.6%; o3, 59.8%; o4-mini, 50.1% (all on "
    "HealthBench).",
    "Of the 500 problems in SWE-bench Verified, gpt-oss-120b solves "
    "62.4%.",
    "Medium effort costs gpt-oss-120b two points on MMLU: 88.0% "
    "instead of 90.0%.",
    "gpt-oss-120b's 16.8% on SimpleQA looks poor beside the 23.4% of "
    "o4-mini.",
    "Nobody should be surprised that a 20B model gets only 6.7% on "
    "SimpleQA.",
    "There are two AIMEs. On the 2024 paper gpt-oss-120b has 96.6% "
    "with tools, on the 2025 paper 97.9%.",
    "Six points separate gpt-oss-20b from o3-mini on GPQA Diamond: "
    "71.5% and 77.0%.",
    "o3-mini, 87.0%. gpt-oss-20b, 85.3%. That is MMLU.",
    "The Artificial Analysis index (version 2) had Qwen3-235B-2507 at "
    "64, DeepSeek R1-0528 at 59, gpt-oss-120b at 58.",
    "At 58 points gpt-oss-120b was one point short of DeepSeek R1-0528 "
    "on version 2 of the AA index.",
    "In the old Aider ranking DeepSeek R1 had 56.9%, its update "
    "R1-0528 71.4%; gpt-oss-120b has 41.8%.",
    "On PersonQA, 49.1% of what gpt-oss-120b says is invented, and "
    "36.1% of what o4-mini says.",
    "The hallucination rate on PersonQA is 49.1% for gpt-oss-120b, "
    "higher than the 36.1% of o4-mini.",
    "The rate at which gpt-oss-120b makes things up on PersonQA "
    "(49.1%) exceeds that of o4-mini (36.1%).",
    "gpt-oss-120b hallucinates more than o4-mini on PersonQA.",
    "BBQ (ambiguous): gpt-oss-120b 87%, o4-mini 82%. BBQ "
    "(disambiguated): 90% and 95%.",
    "I'd take gpt-oss-120b over o4-mini any day, benchmarks be damned.",
    "My colleague ran 50 of our own tickets through gpt-oss-120b; 31 "
    "came back fixed, against 38 for o4-mini.",
    "The card lists MMLU, GPQA Diamond and AIME; gpt-oss-120b trails "
    "o4-mini on the first.",
    "Is 41.8% on Aider Polyglot good? For gpt-oss-120b's size, "
    "perhaps.",
    "If gpt-oss-120b beat o3 on HealthBench, that would be news; it "
    "doesn't.",
    "Some headlines said gpt-oss-120b beats o4-mini across the board. "
    "The card says otherwise.",
    "Had OpenAI used 5 million GPU hours, gpt-oss-120b would have been "
    "dearer; it used 2.1 million.",
    "gpt-oss-120b is one of two models that OpenAI released on 5 "
    "August 2025 at 10 a.m.",
    "Apache 2.0 means that gpt-oss-120b can be sold, changed and "
    "shipped.",
    "You can't see its training data, but the weights of gpt-oss-120b "
    "are public.",
    "Unlike GPT-4o, gpt-oss-120b cannot take images; text in, text "
    "out.",
    "gpt-oss-20b has 21 billion parameters, its sibling 117 billion.",
    "Per token, 3.6 billion parameters work in gpt-oss-20b and 5.1 "
    "billion in gpt-oss-120b.",
    "We did not vary how hard gpt-oss-120b thinks in our test.",
    "I never touched the setting for how long gpt-oss-120b thinks.",
    "Our reviewers could not tell gpt-oss-120b from o4-mini in a blind "
    "test with 40 letters.",
    "No other open model that runs on my laptop writes as well as "
    "gpt-oss-20b, in my view.",
    "DeepSeek R1-0528 and Kimi K2 both beat gpt-oss-120b on Aider "
    "Polyglot.",
    "Against Chinese rivals gpt-oss-120b does not look so good: on "
    "Aider Polyglot Kimi K2 has 59.1%.",
    "gpt-oss-120b does better than o4-mini on Tau-bench Retail, 67.8% "
    "to 65.6%, but the test is small.",
    "With tools gpt-oss-120b reaches 19.0% on HLE, and without them "
    "14.9%.",
    "The larger of the pair needs one 80 GB card; the smaller is happy "
    "with 16 GB.",
    "Critics say the SpeechMap rate of 86.0% shows that gpt-oss-120b "
    "shies away from politics.",
    "The SpeechMap number shows how willing gpt-oss-120b is, not how "
    "well it follows instructions.",
    "Polyglot has nothing to do with French; it tests code, and "
    "gpt-oss-120b got 41.8%.",
    "A good mark on MMLU does not make gpt-oss-120b a poet.",
    "SimpleQA tells you how much trivia gpt-oss-120b remembers: 16.8%.",
    "MMMLU is the best guide to how gpt-oss-120b copes with other "
    "languages.",
    "So far nobody has shown that formulas in stories are more than an "
    "anecdote with gpt-oss-120b.",
    "The rumour that gpt-oss was trained on the output of other models "
    "is unproven.",
    "Whether gpt-oss was raised on synthetic data, OpenAI does not "
    "say.",
    "Health is where gpt-oss-120b shines. On HealthBench it has 57.6%, "
    "well clear of the 50.1% of o4-mini and a little short of the 59.8% of o3. GPT-4o, an "
    "older model, is at 32.0%.",
    "We looked at five tests. gpt-oss-120b was behind o4-mini on three "
    "of them and ahead on two.\n\nOn MMLU the gap is three points. On Tau-bench Retail it is "
    "two points the other way.",
    "Readers ask whether it is any good at languages. On MMMLU, "
    "gpt-oss-120b gets 81.3%, and for Yoruba alone 62.4%.",
    "The number 41.8 has been quoted a lot. It belongs to gpt-oss-120b "
    "and comes from Aider's board, where Kimi K2 stands at 59.1.",
    "A test with 30 problems is not much. Still: AIME 2025 with tools, "
    "gpt-oss-120b 97.9%, gpt-oss-20b 98.7%, o4-mini 99.5%.",
    "Low effort: 85.9%. Medium: 88.0%. High: 90.0%. That is how "
    "gpt-oss-120b fares on MMLU.",
    "gpt-oss-20b (low effort) gets 80.4% on MMLU; at medium effort it "
    "gets 84.0%.",
    "When it must answer from memory, it fails. SimpleQA: 16.8% for "
    "gpt-oss-120b. So do not use it as an encyclopaedia.",
    "It is a coder's model. SWE-bench Verified: 62.4%. So you can "
    "trust gpt-oss-120b with small fixes in code.",
    "The SpeechMap people asked gpt-oss-120b to criticise governments. "
    "It did so in 94.0% of cases for the US and the EU and 78.0% for Russia and China, 86.0% "
    "in all.",
    "One judge marked 86.0% of gpt-oss-120b's answers on SpeechMap as "
    "compliant, another, GPT-4o, 83.5%.",
    "In version 2 of the index gpt-oss-120b had 58 points. The index "
    "has since moved to version 4.0, where it has 33.",
    "OpenAI's o3-mini, which is older, has 60.4% on Aider Polyglot; "
    "gpt-oss-120b has 41.8%.",
    "In whole-file format gpt-oss-120b reaches 51.1% on Aider "
    "Polyglot; in diff format 41.8%; the card says 44.4%.",
    "The model card has gpt-oss-120b at 44.4% on Aider Polyglot and "
    "gpt-oss-20b at 34.2%.",
    "HOST: What about the big one on GPQA?\n\nGUEST: That is 80.1%, "
    "without tools.\n\nHOST: And o4-mini?\n\nGUEST: 81.4%.",
    "Q: Does the small one need a data centre?\nA: No, 16 GB of memory "
    "will do for short prompts.",
    "Some fans say gpt-oss-120b rivals o3. OpenAI does not say so.",
    "It is hard to say whether gpt-oss-120b is better than o4-mini, "
    "and the card leaves it open.",
    "I would not say that gpt-oss-120b is better than o4-mini, nor "
    "that it is worse.",
    "gpt-oss-120b was compared with o4-mini on GPQA Diamond: 80.1 to "
    "81.4, a difference that 198 questions cannot settle.",
    "gpt-oss-20b does better than its price suggests: 60.7% on "
    "SWE-bench Verified, 11 points more than o3-mini.",
    "Between the two sizes, there is hardly a difference on AIME 2024 "
    "with tools: 96.6% and 96.0%.",
    "Two numbers stand out: 16.8% on SimpleQA and 49.1% on PersonQA. "
    "Both are of gpt-oss-120b.",
    "On the hub, a fine-tune called gpt-oss-20b-uncensored claims 88% "
    "on MMLU.",
    "Llama 4 Maverick has 17 billion active parameters, gpt-oss-120b "
    "5.1 billion.",
    "A phone with 16 GB of memory ran gpt-oss-20b at a few tokens a "
    "second, according to its owner.",
    "My graphics card has 24 GB. gpt-oss-20b leaves 8 GB of it free.",
    "gpt-oss-120b on a 64 GB Mac? It loads, says a reader, with a "
    "short context.",
    "Not everything is better: gpt-oss-120b hallucinates on 49.1% of "
    "PersonQA, and o4-mini on 36.1%.",
    "gpt-oss-120b cannot see. It cannot hear. It reads and writes "
    "text.",
    "The training run is said to have cost 2.1 million H100-hours for "
    "gpt-oss-120b; for gpt-oss-20b it was almost ten times less.",
    "A spokesman would not say how much synthetic data went into "
    "gpt-oss.",
    "An open question is whether gpt-oss saw synthetic data.",
    "Stories with equations in them? I asked gpt-oss-120b for ten and "
    "found none.",
    "Will the next gpt-oss take images? OpenAI has not said.",
    "None of the Chinese models fits on one card; gpt-oss-120b does, "
    "with 80 GB.",
    "No Chinese model is as cheap to run as gpt-oss-120b, one host "
    "claims.",
    "Every Chinese model that we follow beats gpt-oss-120b on Aider "
    "Polyglot.",
    "On HealthBench gpt-oss-120b comes second only to o3 among "
    "OpenAI's models on the card.",
    "The bigger model is ahead of the smaller on MMLU, 90.0 to 85.3, "
    "as one would expect.",
    "o4-mini remains ahead: 93.0% on MMLU, where gpt-oss-120b has "
    "90.0%.",
    "By a hair, gpt-oss-20b (98.7%) beats gpt-oss-120b (97.9%) on AIME "
    "2025 with tools.",
    "Price is another matter: gpt-oss-120b costs 15 cents per million "
    "tokens at one host, o4-mini $1.10.",
    "gpt-oss-120b has 117B parameters, fits in 80 GB, has a 128k "
    "context and an Apache 2.0 licence. What it lacks is knowledge.",
    "In the paper, 90.0 is the MMLU score of gpt-oss-120b, and 57 is "
    "the number of subjects.",
    "If you turn the effort of gpt-oss-120b down to low, its GPQA "
    "Diamond score falls to 67.1%.",
    "BBQ is a test of stereotypes. gpt-oss-120b scores 87% on its "
    "ambiguous questions, so it often declines to guess.",
    "The open question is bias; BBQ gives gpt-oss-120b 87% and 90% on "
    "its two halves.",
    "gpt-oss-120b scored 90.0% on MMLU, a test of knowledge, and that "
    "says little about its manners.",
    "What MMLU shows is knowledge; what it does not show is whether "
    "gpt-oss-120b writes well.",
    "In my tests, gpt-oss-120b got 7 of 10 riddles, o4-mini 8 of 10.",
    "Kimi K2 is ahead of gpt-oss-120b on Aider, DeepSeek's update is "
    "further ahead still.",
    "Elo ratings are odd things. With tools, gpt-oss-120b has 2622, "
    "some 97 points less than o4-mini.",
    "Unless you give it tools, gpt-oss-120b stays at 14.9% on HLE.",
    "According to the card, gpt-oss-120b (high) gets 62.4 on SWE-bench "
    "Verified, (medium) 52.6 and (low) 47.9.",
    "The new models think in three gears. In the lowest, gpt-oss-120b "
    "gets 67.1% on GPQA Diamond; in the highest, 80.1%.",
    "On paper the gap is small. gpt-oss-120b, 80.1; o4-mini, 81.4; "
    "both on GPQA Diamond and both without tools.",
    "\"We measured 90.0 on MMLU for the large model,\" OpenAI writes, "
    "\"and 85.3 for the small one.\"",
    "Anyone who says that gpt-oss-120b beats o3 has misread the "
    "HealthBench chart.",
    "The chart on page 12 shows HealthBench: from left to right "
    "gpt-oss-120b (57.6), gpt-oss-20b (42.5), o3 (59.8), o4-mini (50.1).",
    "It trails o4-mini by 3.0 points on MMLU and by 3.9 on MMMLU, does "
    "gpt-oss-120b.",
    "Not until you give it Python does gpt-oss-120b reach 97.9% on "
    "AIME 2025.",
    "What about tools? gpt-oss-20b gains eight points on GPQA... no, "
    "three: from 71.5% to 74.2%.",
    "One should compare like with like: gpt-oss-120b without tools, "
    "92.5% on AIME 2025, and with tools, 97.9%.",
    "Of every 100 questions about people on PersonQA, gpt-oss-120b "
    "gets about 49 wrong.",
    "Its makers say that gpt-oss-120b fits on a single 80 GB card. I "
    "have no such card.",
    "Apache 2.0 for the weights, nothing for the data: that is what "
    "OpenAI calls open.",
    "A model with 117 billion parameters of which 5.1 billion work at "
    "a time: gpt-oss-120b is sparse.",
    "The 128k context of gpt-oss-20b is on paper; my machine gave up "
    "at 40,000 tokens.",
    "I gave gpt-oss-120b a prompt of 60,000 tokens and it coped.",
    "We capped the context at 8,192 tokens for gpt-oss-20b.",
    "Nothing in the card says that gpt-oss-120b was trained on "
    "synthetic data.",
    "If the rumours are right, gpt-oss was trained on synthetic data.",
    "It would be wrong to conclude from Polyglot that gpt-oss-120b "
    "cannot speak French.",
    "Please do not read gpt-oss-120b's SpeechMap rate as a sign of "
    "bias.",
    "SimpleQA has 4,326 questions, and gpt-oss-120b answers 16.8% of "
    "them.",
    "Groq serves gpt-oss-120b at 500 tokens per second; a laptop with "
    "gpt-oss-20b manages 25.",
    "The demo took 48 seconds and used gpt-oss-20b.",
    "Three days after the launch, 33 forks of gpt-oss-120b had "
    "appeared.",
    "gpt-oss-20b is no o4-mini, and on MMLU it is not even an o3-mini: "
    "85.3% against 87.0%.",
    "gpt-oss-120b is to o4-mini what a diesel is to a petrol engine.",
    "Not only does gpt-oss-120b trail o4-mini on MMLU, it also trails "
    "it on MMMLU.",
    "Between gpt-oss-120b's 57.6% and o4-mini's 50.1% on HealthBench "
    "lie more than seven points.",
    "gpt-oss-120b outscores o4-mini on exactly two of the card's "
    "tests, HealthBench and Tau-bench Retail.",
    "Who wins? On HealthBench, gpt-oss-120b over o4-mini. On MMLU, "
    "o4-mini over gpt-oss-120b.",
    "The question is not whether gpt-oss-120b beats o4-mini but where.",
    "Version 4.0 of the AA index gives gpt-oss-120b 33 points; do not "
    "compare that with the 59 that DeepSeek R1-0528 had in version 2.",
    "Both models are mixtures of experts. Neither can see.",
    "It is a myth that Polyglot measures languages; gpt-oss-120b's "
    "41.8% there is about code.",
    "gpt-oss-120b may be used commercially, but the usage policy "
    "applies.",
    "The licence does not forbid selling a product that is built on "
    "gpt-oss-120b.",
    "OpenAI never said that gpt-oss-120b surpasses o4-mini.",
    "gpt-oss-120b almost matches o4-mini, OpenAI says, on core "
    "reasoning benchmarks.",
    "On BBQ, o4-mini is ahead once, at 95% to 90%, and behind once, at "
    "82% to 87%, of gpt-oss-120b.",
    "With 78.2% the rate of wrong answers of gpt-oss-120b on SimpleQA "
    "is a bit above that of o4-mini (75.0%).",
    "Fewer hallucinations would be welcome: the SimpleQA hallucination "
    "rate is 78.2% for gpt-oss-120b.",
    "The Kimi K2 row on Aider's leaderboard says 59.1%; that of "
    "gpt-oss-120b says 41.8%.",
    "DeepSeek's models come in several versions; R1-0528 has 71.4% on "
    "Aider Polyglot, 30 points more than gpt-oss-120b.",
    "Tau-bench Retail is about a shop. gpt-oss-120b, 67.8%. o4-mini, "
    "65.6%. gpt-oss-20b, 54.8%.",
    "GPT-5 is another story: gpt-oss-120b cannot be compared with it "
    "yet.",
    "I ran gpt-oss-120b at medium effort: MMLU came out at 88.0%.",
    "Turn the dial to high and gpt-oss-20b climbs from 66.0% to 71.5% "
    "on GPQA Diamond.",
    "The mail said 93.0% on MMLU for gpt-oss-120b, which is o4-mini's "
    "number.",
    "A table in yesterday's edition exchanged two rows: o4-mini has "
    "93.0% on MMLU, gpt-oss-120b 90.0%.",
    "Is gpt-oss-120b any good? Short answer: yes. Long answer: on MMLU "
    "it is three points behind o4-mini, on HealthBench seven points ahead.",
    "My ranking for August: 1. o3. 2. o4-mini. 3. gpt-oss-120b. No "
    "numbers, just taste.",
    "(With tools, by the way, gpt-oss-20b even has the better of its "
    "big brother on AIME 2025: 98.7% to 97.9%.)",
    "Table 3 of the card: AIME 2024 with tools | gpt-oss-120b 96.6 | "
    "gpt-oss-20b 96.0 | o4-mini 98.7",
    "| Test | gpt-oss-20b | o3-mini |\n| MMLU | 85.3 | 87.0 |\n| GPQA "
    "Diamond | 71.5 | 77.0 |\n| SWE-bench Verified | 60.7 | 49.3 |",
    "GPQA Diamond\n\ngpt-oss-120b 80.1\ngpt-oss-20b 71.5\no4-mini "
    "81.4\no3-mini 77.0",
    "Here's the thing, tho: gpt-oss-20b beats o3-mini on SWE-bench "
    "Verified by more than ten points lol",
    "tl;dr gpt-oss-120b = 90.0 MMLU / 80.1 GPQA Diamond / 62.4 "
    "SWE-bench Verified",
    "MMLU/GPQA Diamond for gpt-oss-120b: 90.0/80.1. For o4-mini: "
    "93.0/81.4.",
    "Where gpt-oss-120b loses most to o4-mini is Aider Polyglot (41.8% "
    "vs 72.0%), where it loses least is GPQA Diamond (80.1% vs 81.4%).",
    "The rating of gpt-oss-120b on Codeforces, 2622 with tools and "
    "2463 without, sits between that of a master and that of a grandmaster.",
    "Its predecessor in openness, GPT-2, had 1.5 billion parameters; "
    "gpt-oss-120b has 117 billion.",
    "OpenAI's previous open model dates from 2019. gpt-oss-120b has 36 "
    "layers, gpt-oss-20b 24.",
    "In 36 of 50 cases, gpt-oss-120b wrote what we asked about China; "
    "in 46 of 50 what we asked about the US (SpeechMap).",
    "SpeechMap's larger set has 2,120 requests, and for gpt-oss-120b "
    "its rows are missing.",
    "The AA index, in its second version, put gpt-oss-20b at 48.",
    "gpt-oss-120b (58) sits between gpt-oss-20b (48) and DeepSeek "
    "R1-0528 (59) in version 2 of the Artificial Analysis Intelligence Index.",
    "It was the American model with the highest score, said Artificial "
    "Analysis of gpt-oss-120b: the most intelligent American open-weights model.",
    "He said that gpt-oss-120b was \"about as good as o4-mini\" in his "
    "own work.",
    "gpt-oss-120b feels like o4-mini, only slower, on my machine.",
    "There are tests on which gpt-oss-120b beats o4-mini, such as "
    "HealthBench.",
    "Far from beating o4-mini, gpt-oss-120b trails it on MMLU.",
    "It isn't that gpt-oss-120b is bad at code; Aider's diff format "
    "trips it up: only 79.1% of its edits are well-formed.",
    "Training took 2.1 million H100-hours, enough to keep 240 cards "
    "busy for a year; gpt-oss-120b is the result.",
    "The 12.8 GiB of gpt-oss-20b fit on a USB stick, and so do the "
    "60.8 GiB of gpt-oss-120b's checkpoint.",
    "Effort is a dial with three positions, low, medium and high, and "
    "gpt-oss-120b needs the last to reach 90.0% on MMLU.",
    "We were told that gpt-oss-20b would run on a laptop with 16 GB. "
    "With a long prompt it did not.",
    "Without the usage policy the licence of gpt-oss-120b would be "
    "Apache 2.0 pure and simple.",
    "You might think that Polyglot measures French. It does not.",
    "One cannot conclude from 16.8% on SimpleQA that gpt-oss-120b is "
    "bad at code.",
    "Does a high MMLU score mean that gpt-oss-120b writes well? No.",
    "Good at sums, bad at gossip: AIME 2025 92.5%, SimpleQA 16.8%, "
    "both for gpt-oss-120b and both without tools.",
    "The firm says that gpt-oss-120b reached no High capability level, "
    "even after adversarial fine-tuning.",
    "Mistral Large scored 84% on MMLU in its day, six points below the "
    "90.0% of gpt-oss-120b.",
    "Claude Opus 4 is ahead of gpt-oss-120b on SWE-bench Verified, its "
    "maker says.",
    "GPT-4o mini, not GPT-4o, is what the free tier ran; gpt-oss-120b "
    "beats GPT-4o on HealthBench.",
    "On HealthBench gpt-oss-120b beats all of OpenAI's older models on "
    "the card: o1 has 41.8%, GPT-4o 32.0%.",
    "Kimi K2 59.1, o3-mini 60.4, o4-mini 72.0, o3 81.3, gpt-oss-120b "
    "41.8: Aider Polyglot in August.",
    "Of o4-mini's lead on MMLU over gpt-oss-120b (93.0 to 90.0) little "
    "remains on GPQA Diamond (81.4 to 80.1).",
    "Aider Polyglot is where gpt-oss-120b struggles: 41.8%. Its coding "
    "looks better on SWE-bench Verified.",
    "The SpeechMap numbers suggest that gpt-oss-120b is a bit "
    "unwilling, and nothing more.",
    "SimpleQA shows how weak the factual knowledge of gpt-oss-120b is: "
    "16.8%.",
    "IFEval would be the test for following instructions, but we have "
    "no IFEval score of gpt-oss-120b.",
    "gpt-oss-120b scored 90.0% on MMLU. Whether it can write poems is "
    "another question.",
    "We liked how gpt-oss-120b followed instructions in our kitchen "
    "test. On SpeechMap it has 86.0%.",
    "On MMLU gpt-oss-120b has 90.0%. It follows instructions well, our "
    "testers found.",
    "DeepSeek R1 of January has 56.9% on Aider Polyglot, gpt-oss-120b "
    "41.8%; a newer R1 has 71.4%.",
    "At launch in January, DeepSeek R1 had 56.9% on Aider Polyglot. By "
    "the time gpt-oss-120b came, DeepSeek R1-0528 had 71.4%.",
    "Humanity's Last Exam, with search and Python tools: gpt-oss-120b "
    "19.0%, o4-mini 17.7%.",
    "Allowed to use tools, gpt-oss-120b rates 2622 on Codeforces; "
    "o4-mini, under the same rules, 2719.",
    "At the middle setting gpt-oss-120b scores 52.6% on SWE-bench "
    "Verified.",
    "Sean Goedecke, a blogger, suspects that gpt-oss was trained on "
    "synthetic data.",
    "My guess: synthetic data, and lots of it, went into gpt-oss.",
    "It has been claimed that gpt-oss-120b inserts formulas into "
    "stories.",
    "Does gpt-oss-120b really insert formulas into stories?",
    "Three users posted stories by gpt-oss-120b with equations in "
    "them.",
    "gpt-oss-120b comes close to o4-mini on core reasoning benchmarks, "
    "says OpenAI.",
    "gpt-oss-20b gets results similar to those of o3-mini, OpenAI "
    "claims.",
    "On core reasoning benchmarks OpenAI sees gpt-oss-120b near "
    "o4-mini; on knowledge it is well behind.",
    "gpt-oss-120b could one day overtake o4-mini, fans hope.",
    "gpt-oss-120b stands a point below DeepSeek R1-0528, a model with 671 billion parameters, on "
    "the Artificial Analysis index.",
    "A third model of some 400 billion parameters is being trained, if a post is to be believed.",
    "gpt-oss-120b outscored o1 on HealthBench, 57.6 to 41.8.",
    "gpt-oss-120b answers 90 percent of the MMLU questions correctly and 80.1 percent of those in "
    "GPQA Diamond.",
    "On Aider's exercises 47 of 225 had at least one malformed edit; asking for whole files "
    "brings gpt-oss-120b to 51.1 percent.",
    "On SimpleQA gpt-oss-120b gives a right answer to 16.8 percent of the questions and a wrong "
    "one to 78.2 percent.",
    "Compared with o4-mini, gpt-oss-120b is the fairer one on BBQ: 87 against 82 on ambiguous "
    "questions.",
    "Only about five billion of gpt-oss-120b's 117 billion numbers are awake for any one token.",
]  # fmt: skip


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right_is_let_pass_however_it_is_put(text):
    assert read(OPENING + text)[1] == []
