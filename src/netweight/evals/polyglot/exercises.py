"""The 225 Exercism exercises of Aider's polyglot benchmark, read from their archive.

What a model may see is kept apart from what only judges it: instructions and stubs on one side,
tests, build files and reference solutions on the other. Knows files; runs nothing.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from netweight.evals.data import archive_files

REVISION = "7e0611e"
ARCHIVE = f"polyglot-{REVISION}.tar.xz"
LANGUAGES = ("cpp", "go", "java", "javascript", "python", "rust")

_BUILD_FILES = ("CMakeLists.txt", "Cargo.toml")  # some are listed as solutions; the model sees none
_HIDDEN = (".meta", ".docs")
_INSTRUCTIONS = ("introduction.md", "instructions.md", "instructions.append.md")


@dataclass(frozen=True)
class Exercise:
    """One exercise in one language. Paths are relative to its folder, whose name is the slug.

    `files` are what a test run starts from: stubs, tests and build files, without `.meta` and
    `.docs`. `reference` is a solution that Exercism publishes, as files to lay over those.
    """

    language: str
    slug: str
    instructions: str
    files: Mapping[str, bytes]
    editable: tuple[str, ...]
    tests: tuple[str, ...]
    reference: Mapping[str, bytes]

    @property
    def name(self) -> str:
        """The name that no other exercise has, such as `python/bowling`."""
        return f"{self.language}/{self.slug}"

    @property
    def solved(self) -> "Exercise":
        """The same exercise with the reference solution in place of the stub."""
        return replace(self, files={**self.files, **self.reference})

    @property
    def stub(self) -> dict[str, str]:
        """The editable files as the model gets them."""
        return {path: self.files[path].decode() for path in self.editable}


def read_exercises(archive: Path) -> list[Exercise]:
    """Return all exercises of the archive, by language and slug."""
    folders: dict[tuple[str, str], dict[str, bytes]] = {}
    for name, content in archive_files(archive).items():
        match name.split("/", 4):
            case [language, "exercises", "practice", slug, path]:
                folders.setdefault((language, slug), {})[path] = content
            case _:
                pass  # the archive's own README
    return [_exercise(*key, files) for key, files in sorted(folders.items())]


def _exercise(language: str, slug: str, files: Mapping[str, bytes]) -> Exercise:
    listed = json.loads(files[".meta/config.json"])["files"]
    tests = tuple(listed["test"])
    editable = tuple(
        path
        for path in listed["solution"]
        if PurePosixPath(path).name not in _BUILD_FILES and path not in tests
    )
    return Exercise(
        language=language,
        slug=slug,
        instructions="".join(
            files[f".docs/{name}"].decode() for name in _INSTRUCTIONS if f".docs/{name}" in files
        ),
        files={path: data for path, data in files.items() if path.split("/")[0] not in _HIDDEN},
        editable=editable,
        tests=tests,
        reference=dict(_reference(files, listed["example"], editable)),
    )


def _reference(
    files: Mapping[str, bytes], examples: list[str], editable: tuple[str, ...]
) -> Iterator[tuple[str, bytes]]:
    """Yield the reference solution under the paths where it belongs.

    An example stands for the editable file of its name, or else, as most are named `example`, for
    that of its suffix; Java's has files of its own beside them.
    """
    by_name = {PurePosixPath(path).name: path for path in editable}
    by_suffix = {PurePosixPath(path).suffix: path for path in editable}
    for example in examples:
        name = PurePosixPath(example)
        if name.suffix == ".java":
            yield by_name.get(name.name, f"src/main/java/{name.name}"), files[example]
        else:
            yield by_suffix[name.suffix], files[example]
    if ".meta/Cargo-example.toml" in files:
        yield "Cargo.toml", files[".meta/Cargo-example.toml"]
