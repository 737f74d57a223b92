"""The exercises as they are read: how many, what a model may change, what it may see."""

from collections import Counter

from netweight.evals.polyglot.exercises import LANGUAGES


def test_there_are_225_of_100_slugs_in_six_languages(exercises):
    counts = Counter(exercise.language for exercise in exercises.values())
    assert counts == {"cpp": 26, "go": 39, "java": 47, "javascript": 49, "python": 34, "rust": 30}
    assert set(counts) == set(LANGUAGES)
    assert len({exercise.slug for exercise in exercises.values()}) == 100


def test_no_run_has_a_reference_solution_in_it(exercises):
    for exercise in exercises.values():
        assert not [path for path in exercise.files if path.startswith((".meta", ".docs"))]
        solutions = {text for path, text in exercise.reference.items() if path != "Cargo.toml"}
        assert not solutions & set(exercise.files.values()), exercise.name


def test_tests_and_build_files_are_not_for_editing(exercises):
    for exercise in exercises.values():
        assert exercise.editable and exercise.tests
        assert set(exercise.editable) <= set(exercise.files)
        assert not set(exercise.editable) & {*exercise.tests, "Cargo.toml", "CMakeLists.txt"}


def test_one_file_is_for_editing_but_in_cpp_and_two_of_java(exercises):
    several = Counter(
        exercise.language for exercise in exercises.values() if len(exercise.editable) > 1
    )
    assert several == {"cpp": 26, "java": 3}


def test_a_reference_solution_lies_where_the_stub_does(exercises):
    assert set(exercises["python/bowling"].reference) == {"bowling.py"}
    assert set(exercises["cpp/clock"].reference) == {"clock.cpp", "clock.h"}
    assert set(exercises["cpp/meetup"].reference) == {"meetup.h"}
    assert set(exercises["java/bowling"].reference) == {
        "src/main/java/BowlingGame.java",
        "src/main/java/Frame.java",
    }


def test_instructions_are_all_three_parts_in_order(exercises):
    instructions = exercises["python/grade-school"].instructions
    assert instructions.startswith("# Instructions\n")
    assert "# Instructions append\n" in instructions
