"""What a test run consists of, and what is said of a toolchain that is not there."""

import shutil

import pytest

from netweight.evals.polyglot import runners
from netweight.evals.polyglot.runners import (
    MissingToolchain,
    files_to_run,
    find_toolchains,
    is_new_source,
)


def test_a_run_has_the_solution_and_everything_else_from_the_original(exercises):
    exercise = exercises["python/paasio"]
    files = files_to_run(exercise, {"paasio.py": "mine", "paasio_test.py": "mine too"})
    assert files["paasio.py"] == b"mine"
    assert files["paasio_test.py"] == exercise.files["paasio_test.py"]
    assert set(files) == set(exercise.files)


def test_every_test_is_enabled(exercises):
    javascript = files_to_run(exercises["javascript/bowling"], {})
    assert b"xtest(" not in javascript["bowling.spec.js"]
    assert b"xtest(" in exercises["javascript/bowling"].files["bowling.spec.js"]
    java = files_to_run(exercises["java/bowling"], {})
    assert b"@Disabled(" not in java["src/test/java/BowlingGameTest.java"]


@pytest.mark.parametrize(
    ("language", "path", "is_allowed"),
    [
        ("python", "helper.py", True),
        ("python", "conftest.py", False),
        ("python", "../helper.py", False),
        ("python", "/sample/helper.py", False),
        ("python", "bowling_test.py", False),
        ("python", "Here it is", False),
        ("javascript", "helper.js", True),
        ("javascript", "jest.config.js", False),
        ("javascript", "package.json", False),
        ("cpp", "helper.h", True),
        ("cpp", "CMakeLists.txt", False),
        ("go", "helper.go", True),
        ("go", "cases_test.go", False),
        ("java", "src/main/java/Frame.java", True),
        ("java", "src/test/java/Frame.java", False),
        ("rust", "src/frame.rs", True),
        ("rust", "build.rs", False),
        ("rust", "Cargo.toml", False),
    ],
)
def test_a_model_may_add_source_files_and_nothing_that_steers_the_tests(
    exercises, language, path, is_allowed
):
    slug = {"cpp": "clock"}.get(language, "bowling")
    exercise = exercises[f"{language}/{slug}"]
    assert is_new_source(exercise, path) == is_allowed
    assert (path in files_to_run(exercise, {path: "x"})) == (is_allowed or path in exercise.files)
    assert files_to_run(exercise, {path: "x"}).get(path) != b"x" or is_allowed


def test_a_toolchain_that_is_not_there_is_told_with_its_remedy(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found, missing = find_toolchains(["cpp", "go", "java", "javascript", "rust"])
    assert not found
    assert all("install" in reason for reason in missing.values())


def test_python_without_pytest_is_told(monkeypatch):
    monkeypatch.setattr(runners.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingToolchain, match="pip install pytest"):
        runners._python()


def test_javascript_without_its_packages_is_told_the_command_for_them(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/env")
    _, missing = find_toolchains(["javascript"])
    assert f"--prefix {tmp_path}" in missing["javascript"]
    assert "jest@29.7.0" in missing["javascript"]


def test_javascript_without_one_of_its_packages_names_that_one(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(runners, "_program", lambda name, package: f"/usr/bin/{name}")
    monkeypatch.setattr(runners, "_version", lambda *command: "v20")
    modules = runners.cache_folder() / "polyglot" / "javascript" / "node_modules"
    here = "@babel/core", "@exercism/babel-preset-javascript", "babel-jest", "core-js", "jest"
    for name in here:
        (modules / name).mkdir(parents=True)
        (modules / name / "package.json").touch()
    found, missing = find_toolchains(["javascript"])
    assert list(found) == ["javascript"] and not missing
    (modules / "core-js" / "package.json").unlink()
    _, missing = find_toolchains(["javascript"])
    assert missing["javascript"].startswith("there is no core-js in ")


BOOST, TBB = "boost_date_time-*", "TBB"
LIBBOOST = "Boost, as in: apt-get install libboost-date-time-dev"
LIBTBB = "TBB, as in: apt-get install libtbb-dev"


@pytest.mark.parametrize(
    ("here", "lacking"),
    [
        ([BOOST, TBB], {}),
        ([TBB], {"cpp/gigasecond": LIBBOOST, "cpp/meetup": LIBBOOST}),
        ([BOOST], {"cpp/parallel-letter-frequency": LIBTBB}),
        (
            [],
            {
                "cpp/gigasecond": LIBBOOST,
                "cpp/meetup": LIBBOOST,
                "cpp/parallel-letter-frequency": LIBTBB,
            },
        ),
    ],
)
def test_cpp_exercises_that_lack_a_library_are_known_by_name(exercises, monkeypatch, here, lacking):
    monkeypatch.setattr(runners, "_program", lambda name, package: f"/usr/bin/{name}")
    monkeypatch.setattr(runners, "_version", lambda *command: "12")
    monkeypatch.setattr(runners, "_has_cmake", lambda package: package in here)
    toolchain = runners._cpp()
    found = {
        name: reason
        for name, exercise in exercises.items()
        if exercise.language == "cpp" and (reason := toolchain.lacks(exercise))
    }
    assert found == lacking


@pytest.mark.parametrize("folder", ["lib/x86_64-linux-gnu/cmake", "lib64/cmake", "lib/cmake"])
def test_a_library_is_found_where_distributions_put_it(tmp_path, folder):
    assert not runners._has_cmake(BOOST, tmp_path)
    (tmp_path / folder / "boost_date_time-1.74.0").mkdir(parents=True)
    assert runners._has_cmake(BOOST, tmp_path)
    assert not runners._has_cmake(TBB, tmp_path)


def test_the_crates_of_a_manifest_are_found(exercises):
    crates = {
        exercise.slug: runners._crates(exercise.files["Cargo.toml"].decode())
        for exercise in exercises.values()
        if exercise.language == "rust"
    }
    assert {slug: found for slug, found in crates.items() if found} == {
        "gigasecond": ["time"],
        "grep": ["anyhow"],
        "simple-cipher": ["rand"],
    }
