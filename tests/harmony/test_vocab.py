"""Vocabularies from both file formats, and the files that must be refused."""

import json

import pytest
from hypothesis import given

from netweight.errors import VocabularyError
from netweight.harmony import Vocabulary
from netweight.harmony.vocab import O200K_SPLIT, _byte_alphabet
from tests.harmony import strategies

SPECIALS = strategies.MARKERS
CHARACTER = {value: character for character, value in _byte_alphabet().items()}


def split(pattern=O200K_SPLIT, **fields):
    step = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated"}
    return step | {"invert": False} | fields


BYTE_LEVEL = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": False,
    "use_regex": False,
}


def document(merges=("h i", "hi Ġ"), **model):
    """A tokenizer.json of all bytes, a few merges, and the control tokens first."""
    pairs = [merge.split(" ") for merge in merges]
    tokens = [*SPECIALS, *CHARACTER.values(), *(left + right for left, right in pairs)]
    vocabulary = {token: token_id for token_id, token in enumerate(tokens)}
    added = [{"id": vocabulary[name], "content": name, "special": True} for name in SPECIALS]
    return {
        "normalizer": None,
        "added_tokens": added,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split(), BYTE_LEVEL]},
        "model": {"type": "BPE", "vocab": vocabulary, "merges": list(merges), **model},
    }


@pytest.fixture
def save(tmp_path):
    def write(contents):
        path = tmp_path / "tokenizer.json"
        text = contents if isinstance(contents, str) else json.dumps(contents)
        path.write_text(text)
        return path

    return write


def test_a_tokenizer_json_encodes_by_its_own_merges_and_ids(save):
    vocabulary = Vocabulary.load(save(document()))
    assert vocabulary.special.start == SPECIALS.index("<|start|>")
    assert vocabulary.encode("hi") == [len(SPECIALS) + 256]
    assert vocabulary.size == len(SPECIALS) + 258
    assert vocabulary.decode(vocabulary.encode("hi, Wörld")) == "hi, Wörld"


def test_merges_may_be_pairs_as_newer_files_have_them(save):
    contents = document()
    contents["model"]["merges"] = [merge.split(" ") for merge in contents["model"]["merges"]]
    assert Vocabulary.load(save(contents)).encode("hi") == [len(SPECIALS) + 256]


def test_a_folder_is_searched_for_a_vocabulary(save, tmp_path):
    save(document())
    assert Vocabulary.load(tmp_path).size == len(SPECIALS) + 258


def test_a_trained_tokenizer_gives_the_ids_its_own_library_gives(tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    pre = tokenizers.pre_tokenizers
    byte_level = pre.ByteLevel(add_prefix_space=False, use_regex=False)
    pattern = tokenizers.Regex(O200K_SPLIT)
    tokenizer.pre_tokenizer = pre.Sequence([pre.Split(pattern, "isolated"), byte_level])
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIALS,
        initial_alphabet=pre.ByteLevel.alphabet(),
        show_progress=False,
    )
    text = "the cat sat on the mat, and the cat's hat sat on the cat. " * 20
    tokenizer.train_from_iterator([text], trainer)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert Vocabulary.load(tmp_path).encode(text) == tokenizer.encode(text).ids


def without(contents, *path):
    inner = contents
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return contents


def with_change(change):
    contents = document()
    change(contents)
    return contents


def drop_special(contents):
    contents["added_tokens"] = [t for t in contents["added_tokens"] if t["content"] != "<|call|>"]


def use_gpt2_regex(contents):
    contents["pre_tokenizer"] = BYTE_LEVEL | {"use_regex": True}


DAMAGED = {
    "not JSON": ("{", "is not a tokenizer.json"),
    "a list": ([], "is not a tokenizer.json"),
    "no merges": (without(document(), "model", "merges"), "merges"),
    "no special": (with_change(drop_special), r"no special token <\|call\|>"),
    "no split": (
        with_change(lambda d: d.update(pre_tokenizer=BYTE_LEVEL)),
        "0 Split patterns",
    ),
    "no pre-tokenizer": (with_change(lambda d: d.update(pre_tokenizer=None)), "not supported"),
    "an implicit split": (with_change(use_gpt2_regex), "not supported"),
    "an inverted split": (
        with_change(lambda d: d.update(pre_tokenizer=split(invert=True))),
        "not supported",
    ),
    "two splits": (
        with_change(
            lambda d: d.update(
                pre_tokenizer={"type": "Sequence", "pretokenizers": [split(), split()]}
            )
        ),
        "2 Split patterns",
    ),
    "a bad regex": (with_change(lambda d: d.update(pre_tokenizer=split("("))), "refuses it"),
    "another model": (document(type="Unigram"), "Unigram"),
    "a normalizer": (with_change(lambda d: d.update(normalizer={"type": "NFC"})), "NFC"),
    "ids that are no numbers": (document(vocab={"a": "b"}), "not a table"),
    "no byte alphabet": (document(vocab={"語": 1}), "byte-level alphabet"),
    "a missing byte": (without(document(), "model", "vocab", "Ā"), "0x00"),
    "merges in another order": (
        with_change(lambda d: d["model"]["merges"].reverse()),
        "not in the order",
    ),
    "a missing merge": (with_change(lambda d: d["model"]["merges"].pop()), "merges are missing"),
    "an unknown merge": (
        with_change(lambda d: d["model"]["merges"].append("h o")),
        "not in its vocab",
    ),
    "a merge of three": (
        with_change(lambda d: d["model"]["merges"].append("h i i")),
        "not a pair",
    ),
    "one id twice": (with_change(lambda d: d["model"]["vocab"].update(a=99)), "same id"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_by_what_is_wrong(name, save):
    contents, reason = DAMAGED[name]
    with pytest.raises(VocabularyError, match=reason):
        Vocabulary.load(save(contents))


def test_a_missing_file_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(VocabularyError, match=r"give a tokenizer\.json"):
        Vocabulary.load(tmp_path / "nothing")


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch, save):
    path = save(document())
    monkeypatch.setattr(
        "pathlib.Path.read_bytes", lambda self: (_ for _ in ()).throw(PermissionError(13, "no"))
    )
    with pytest.raises(VocabularyError, match="cannot read"):
        Vocabulary.load(path)


def test_a_damaged_tiktoken_file_is_refused(tmp_path, shared_data):
    path = tmp_path / "o200k_base.tiktoken"
    path.write_bytes((shared_data / "o200k_base.tiktoken").read_bytes()[:-1])
    with pytest.raises(VocabularyError, match="sha256"):
        Vocabulary.load(path)


def test_the_published_vocabulary_has_the_published_ids(vocabulary):
    assert vocabulary.size == 201_088
    assert vocabulary.encode("assistant analysis final") == [173781, 8450, 1721]
    assert vocabulary.special.channel == 200005
    assert vocabulary.stop_ids == {200002, 200012, 199999}
    assert vocabulary.decode([200014]) == "<|reserved_200014|>"


def test_an_id_outside_the_vocabulary_is_refused_by_number(vocabulary):
    assert not vocabulary.has(201_088)
    with pytest.raises(VocabularyError, match="201088"):
        vocabulary.decode([201_088])


@given(text=strategies.texts())
def test_no_text_becomes_a_control_token_and_all_text_comes_back(vocabulary, text):
    ids = vocabulary.encode(text)
    assert not any(vocabulary.is_special(token_id) for token_id in ids)
    assert vocabulary.decode(ids) == text


@pytest.mark.parametrize("text", [" " * 1_100_000, "a\n" * 150_000, "word " * 90_000])
def test_text_of_any_length_is_encoded(vocabulary, text):
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_long_text_is_cut_where_no_token_is_split(vocabulary):
    line = "A line of words, as there are many.\n"
    ids = vocabulary.encode(line * 8000)
    assert ids == vocabulary.encode(line) * 8000


def test_a_character_that_takes_two_tokens_has_no_text_of_its_own(vocabulary):
    first, *_ = ids = vocabulary.encode("\U0001f9ff")
    assert len(ids) > 1
    assert first not in vocabulary.texts


def test_each_byte_has_a_token(vocabulary):
    assert [vocabulary.token_bytes(vocabulary.byte_id(value)) for value in range(256)] == [
        bytes([value]) for value in range(256)
    ]


@pytest.mark.slow
def test_the_published_vocabulary_reads_the_same_from_a_tokenizer_json(vocabulary, save):
    """Written as Hugging Face converts it: all splits of each token are merges, by rank."""

    def spell(token):
        return "".join(CHARACTER[byte] for byte in token)

    ids = {vocabulary.token_bytes(i): i for i in range(min(vocabulary.special_names))}
    merges = []
    for token, _ in sorted(ids.items(), key=lambda pair: pair[1]):
        splits = [(token[:cut], token[cut:]) for cut in range(1, len(token))]
        known = [pair for pair in splits if pair[0] in ids and pair[1] in ids]
        known.sort(key=lambda pair: (ids[pair[0]], ids[pair[1]]))
        merges += [[spell(left), spell(right)] for left, right in known]
    contents = document()
    contents["model"] |= {"vocab": {spell(t): i for t, i in ids.items()}, "merges": merges}
    names = {i: name for i, name in vocabulary.special_names.items() if i <= 200_018}
    contents["added_tokens"] = [{"id": i, "content": name} for i, name in names.items()]
    converted = Vocabulary.load(save(contents))
    text = "Ünïcode, 12345 words; and (code): for i in range(10):\n\tprint(i)\n" * 20
    assert converted.encode(text) == vocabulary.encode(text)
    assert converted.special == vocabulary.special


@pytest.mark.parametrize("text", ["word " * 41_000, "word\n\n - item" * 15_000, "a\nb c" * 41_000])
def test_long_text_is_cut_between_words_or_lines(text, vocabulary):
    assert vocabulary.encode(text) == vocabulary.encoding.encode_ordinary(text)
