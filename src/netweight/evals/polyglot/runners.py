"""Running an exercise's tests: one command per language, in a sandbox, on a fresh copy each time.

A language needs its toolchain on this machine, and some exercises need a library more. Whatever is
missing is told by name, with the remedy, so that it is never taken for a wrong answer.

Knows toolchains and Inspect's sandboxes. Does not know models.
"""

import importlib.util
import io
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from inspect_ai.util import SandboxEnvironment

from netweight.evals.data import cache_folder
from netweight.evals.polyglot.exercises import Exercise
from netweight.evals.polyglot.protocol import Checked

TIMEOUT_S = 180  # as in Aider: building and testing together

_VERSION_S = 60
_TIMED_OUT = "Tests timed out!"
_NODE_PACKAGES = (  # what every JavaScript exercise's package.json asks for
    "@babel/core@7.25.2", "@exercism/babel-preset-javascript@0.2.1", "babel-jest@29.7.0",
    "core-js@3.37.1", "jest@29.7.0",
)  # fmt: skip
_PYTEST = ("pytest", "_pytest", "py.py", "pluggy", "iniconfig", "packaging", "pygments")
_JARS = (  # as Debian names them
    "junit-jupiter-api", "junit-jupiter-engine", "junit-jupiter-params", "junit-platform-commons",
    "junit-platform-console", "junit-platform-engine", "junit-platform-launcher",
    "junit-platform-reporting", "opentest4j", "opentest4j-reporting-events",
    "opentest4j-reporting-schema", "apiguardian-api", "picocli", "univocity-parsers",
    "assertj-core", "byte-buddy",
)  # fmt: skip
_DEBIAN_JARS = Path("/usr/share/java")
_CMAKE_FOLDERS = ("lib/cmake", "lib/*/cmake", "lib64/cmake", "local/lib/cmake")
_CPP_LIBRARIES = {  # what find_package calls it: CMake's folder for it, and Debian's package
    "Boost": ("boost_date_time-*", "libboost-date-time-dev"),
    "TBB": ("TBB", "libtbb-dev"),
}


# One exercise for each language, without needs of its own, to see that tests run here at all.
PROBES = {
    "cpp": "all-your-base",
    "go": "bowling",
    "java": "affine-cipher",
    "javascript": "bowling",
    "python": "bowling",
    "rust": "bowling",
}


class MissingToolchain(Exception):
    """A language whose tests cannot run on this machine; the message names the remedy."""


@dataclass(frozen=True)
class Toolchain:
    """What runs a language's tests here.

    `script` is for a shell in the exercise's folder. `readable` is what the sandbox has to let it
    read besides the system's programs. `lacks` tells what an exercise needs beyond it, if anything.
    """

    version: str
    script: str
    readable: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    lacks: Callable[[Exercise], str | None] = lambda exercise: None


@dataclass(frozen=True)
class Language:
    """What a language is like, whatever the machine.

    Tests passed when the command succeeded and printed `passed`: a program that ends too early, of
    its own accord, succeeds without. `new_file` is what a file that a model adds may be called.
    """

    find: Callable[[], Toolchain]
    passed: re.Pattern[str]
    new_file: re.Pattern[str]
    enabled: Callable[[str], str] = lambda test: test  # tests that Exercism leaves to be enabled


def find_toolchains(languages: Iterable[str]) -> tuple[dict[str, Toolchain], dict[str, str]]:
    """Return the toolchains that are here, and what is missing for the other languages."""
    found: dict[str, Toolchain] = {}
    missing: dict[str, str] = {}
    for language in languages:
        try:
            found[language] = _LANGUAGES[language].find()
        except MissingToolchain as error:
            missing[language] = str(error)
    return found, missing


async def run_tests(
    sandbox: SandboxEnvironment,
    exercise: Exercise,
    toolchain: Toolchain,
    solution: Mapping[str, str],
) -> Checked:
    """Run an exercise's tests on a solution, in a copy of its folder that nothing ran in before.

    Of the solution, editable and new source files count; every other file is the exercise's own.
    """
    folder = f"run/{exercise.slug}"  # CMake takes the names of files from the folder's
    unpack = f"rm -rf run && mkdir -p {folder} && tar -x -C {folder}"
    archive = _archive(files_to_run(exercise, solution))
    unpacked = await sandbox.exec(["sh", "-c", unpack], input=archive, timeout=TIMEOUT_S)
    if not unpacked.success:
        raise RuntimeError(f"the sandbox took no files for {exercise.name}: {unpacked.stderr}")
    command = ["sh", "-c", f"exec 2>&1\n{toolchain.script}"]
    try:
        done = await sandbox.exec(
            command, cwd=folder, env=dict(toolchain.env), timeout=TIMEOUT_S, timeout_retry=False
        )
    except TimeoutError:
        return Checked(False, _TIMED_OUT, is_timeout=True)
    output = done.stdout + done.stderr  # the sandbox's own word, if it stopped the command
    passed = _LANGUAGES[exercise.language].passed.search(output) is not None
    return Checked(done.success and passed, re.sub(rf"[\w/]*/{folder}\b", exercise.slug, output))


def files_to_run(exercise: Exercise, solution: Mapping[str, str]) -> dict[str, bytes]:
    """Lay a solution over an exercise's own files, with every one of its tests enabled."""
    files = dict(exercise.files)
    for path, content in solution.items():
        if path in exercise.editable or is_new_source(exercise, path):
            files[path] = content.encode()
    enabled = _LANGUAGES[exercise.language].enabled
    for path in exercise.tests:
        files[path] = enabled(files[path].decode()).encode()
    return files


def is_new_source(exercise: Exercise, path: str) -> bool:
    """Say whether a model may add a file: a source file, and none that steers the tests."""
    parts = PurePosixPath(path).parts
    if path in exercise.files or path.startswith("/") or ".." in parts:
        return False
    return _LANGUAGES[exercise.language].new_file.fullmatch(path) is not None


def _archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _program(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise MissingToolchain(f"there is no {name} here; install {package}")
    return str(Path(path).resolve())


def _version(*command: str) -> str:
    """Return the first line that a program says of itself."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_VERSION_S, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingToolchain(f"{' '.join(command)} does not work: {error}") from error
    return done.stdout.strip().partition("\n")[0]


def _prefix(program: str) -> tuple[str, ...]:
    """Return the folder that a program is installed under, unless the sandbox has it anyway."""
    folder = Path(program).parents[1]
    return () if folder.is_relative_to("/usr") else (str(folder),)


def _python() -> Toolchain:
    """The interpreter that runs us with pytest, and without any other package of ours."""
    spec = importlib.util.find_spec("pytest")
    if spec is None or spec.origin is None:
        raise MissingToolchain("there is no pytest here; install it, as in: pip install pytest")
    packages = Path(spec.origin).parents[1]
    prefix = Path(sys.base_prefix).resolve()
    interpreter = prefix / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = [
        str(place)
        for name in _PYTEST
        for place in (packages / name, *packages.glob(f"{name}-*.dist-info"))
        if place.exists()
    ]
    return Toolchain(
        version=f"Python {sys.version.partition(' ')[0]}",
        script=f"{shlex.quote(str(interpreter))} -S -P -m pytest",
        readable=(*((str(prefix),) if not prefix.is_relative_to("/usr") else ()), *own),
        env=(
            ("PYTHONPATH", str(packages)),
            ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ),
    )


def _javascript() -> Toolchain:
    node = _program("node", "Node.js 20, as in: apt-get install nodejs npm")
    folder = cache_folder() / "polyglot" / "javascript"
    modules = folder / "node_modules"
    names = [package.rpartition("@")[0] for package in _NODE_PACKAGES]
    if missing := [name for name in names if not (modules / name / "package.json").is_file()]:
        packages = " ".join(_NODE_PACKAGES)
        raise MissingToolchain(
            f"there is no {', '.join(missing)} in {folder}; install what is missing with: "
            f"npm install --ignore-scripts --no-audit --prefix {shlex.quote(str(folder))} "
            f"{packages}"
        )
    return Toolchain(
        version=f"node {_version(node, '--version')}",
        script=(  # what `npm run test` runs
            f"ln -s {shlex.quote(str(modules))} node_modules || exit\n"
            f"{shlex.quote(node)} node_modules/jest/bin/jest.js ./*"
        ),
        readable=(str(modules), *_prefix(node)),
        env=(("CI", "true"),),
    )


def _cpp() -> Toolchain:
    _program("make", "make, as in: apt-get install make")
    compiler = _program("g++", "g++, as in: apt-get install g++")
    cmake = _program("cmake", "CMake, as in: apt-get install cmake")
    missing = {
        name: package
        for name, (folder, package) in _CPP_LIBRARIES.items()
        if not _has_cmake(folder)
    }

    def lacks(exercise: Exercise) -> str | None:
        wanted = re.findall(r"find_package\((\w+)", exercise.files["CMakeLists.txt"].decode())
        told = [
            f"{name}, as in: apt-get install {package}"
            for name, package in missing.items()
            if name in wanted
        ]
        return " and ".join(told) or None

    return Toolchain(
        version=f"{_version(compiler, '--version')}; {_version(cmake, '--version')}",
        script=(
            "mkdir build && cd build || exit\n"
            'cmake -DEXERCISM_RUN_ALL_TESTS=1 -G "Unix Makefiles" .. && make'
        ),
        readable=(*_prefix(compiler), *_prefix(cmake)),
        lacks=lacks,
    )


def _has_cmake(package: str, root: Path = Path("/usr")) -> bool:
    """Say whether CMake would find a library in what the sandbox has of the system."""
    return any(any(root.glob(f"{folder}/{package}")) for folder in _CMAKE_FOLDERS)


def _go() -> Toolchain:
    go = _program("go", "Go 1.21, as in: apt-get install golang-go")
    return Toolchain(
        version=_version(go, "version"),
        script=f"{shlex.quote(go)} test ./...",
        readable=tuple(
            folder
            for folder in {_version(go, "env", "GOROOT")}
            if not Path(folder).is_relative_to("/usr")
        ),
        env=(
            ("GOFLAGS", "-mod=mod"),
            ("GOPROXY", "off"),
            ("GOTOOLCHAIN", "local"),
            ("GOCACHE", "/tmp/go-build"),
            ("GOPATH", "/tmp/go"),
        ),
    )


def _java() -> Toolchain:
    """A plain compiler and JUnit's console, in place of Gradle, which fetches what it needs."""
    compiler = _program("javac", "a JDK from 17, as in: apt-get install openjdk-17-jdk-headless")
    java = str(Path(compiler).with_name("java"))
    jars, assertj = _java_jars()

    def lacks(exercise: Exercise) -> str | None:
        build = exercise.files["build.gradle"].decode()
        for group, artifact in re.findall(r'^\s*implementation "([^:]+):([^:]+):', build, re.M):
            if not any(jar.name.startswith(artifact) for jar in jars):
                return f"the jar {group}:{artifact}, put into {_jar_folder()}"
        if exercise.slug == "mazy-mice" and assertj < (3, 21):
            return f"AssertJ from 3.21, put into {_jar_folder()}"
        return None

    classpath = ":".join(map(str, jars))
    flags = "-Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    return Toolchain(
        version=_version(compiler, "--version"),
        script=(
            "find src -name '*.java' > sources\n"
            f"{shlex.quote(compiler)} -J-Xmx1g -encoding UTF-8 -d build -cp {classpath} @sources "
            "|| exit\n"
            f"{shlex.quote(java)} {flags} -cp build:{classpath} "
            "org.junit.platform.console.ConsoleLauncher --scan-classpath build --details=tree "
            "--disable-banner --disable-ansi-colors"
        ),
        readable=(
            *_prefix(compiler),
            *map(str, sorted(Path("/etc").glob("java-*"))),  # where Debian keeps its settings
            *(str(jar) for jar in jars if not jar.is_relative_to("/usr")),
        ),
        lacks=lacks,
    )


def _jar_folder() -> Path:
    return cache_folder() / "polyglot" / "java"


def _java_jars() -> tuple[list[Path], tuple[int, ...]]:
    """Return the jars for the tests, and the version of AssertJ among them."""
    jars = sorted(_jar_folder().glob("*.jar"))
    if not any(jar.name.startswith("junit-platform-console") for jar in jars):
        own = [_DEBIAN_JARS / f"{name}.jar" for name in _JARS]
        jars += [jar for jar in own if jar.is_file()]
    for needed in ("junit-platform-console", "assertj-core"):
        if not any(jar.name.startswith(needed) for jar in jars):
            raise MissingToolchain(
                f"there is no {needed} here; install it, as in: apt-get install junit5 "
                f"libassertj-core-java, or put junit-platform-console-standalone, assertj-core and "
                f"byte-buddy into {_jar_folder()}"
            )
    assertj = next(jar for jar in jars if jar.name.startswith("assertj-core"))
    version = re.search(r"(\d+)\.(\d+)", assertj.resolve().name)
    return jars, tuple(map(int, version.groups())) if version else (0,)


def _rust() -> Toolchain:
    shim = shutil.which("rustc")
    if shim is None or shutil.which("cargo") is None:
        raise MissingToolchain("there is no cargo here; install Rust with rustup")
    compiler = str(Path(_version(shim, "--print", "sysroot"), "bin", "rustc"))
    _program("cc", "a linker, as in: apt-get install gcc")

    def lacks(exercise: Exercise) -> str | None:
        crates = _crates(exercise.files["Cargo.toml"].decode())
        return f"the crate {', '.join(crates)}, which needs a network" if crates else None

    return Toolchain(
        version=_version(compiler, "--version"),
        script=f"{shlex.quote(str(Path(compiler).with_name('cargo')))} test --offline -- "
        "--include-ignored",
        readable=_prefix(compiler),
        env=(
            ("CARGO_HOME", "/tmp/cargo"),
            ("CARGO_TERM_COLOR", "never"),
            ("RUSTC", compiler),
        ),
        lacks=lacks,
    )


def _crates(manifest: str) -> list[str]:
    """Return the crates that a manifest depends on."""
    sections = re.split(r"^\[", manifest, flags=re.M)
    dependencies = [part for part in sections if re.match(r"(dev-)?dependencies\]", part)]
    return re.findall(r"^([\w-]+)\s*=", "".join(dependencies), re.M)


def _without_disabled(test: str) -> str:
    return re.sub(r"@Disabled\([^)]*\)\s*\n", "", test)


def _without_xtest(test: str) -> str:
    return re.sub(r"\bxtest\(", "test(", test)


_LANGUAGES = {
    "python": Language(
        _python,
        re.compile(r"^=+ .*\b[1-9]\d* passed\b", re.M),
        re.compile(r"(?!(conftest|sitecustomize|usercustomize)\.py|.*_test\.py|test_)[\w/]+\.py"),
    ),
    "javascript": Language(
        _javascript,
        re.compile(r"^Tests: .*\b[1-9]\d* passed\b", re.M),
        re.compile(r"(?!node_modules/|.*\.(spec|test|config)\.)[\w/.-]+\.m?js"),
        _without_xtest,
    ),
    "cpp": Language(_cpp, re.compile(r"^All tests passed", re.M), re.compile(r"[\w/-]+\.(h|hpp)")),
    "go": Language(_go, re.compile(r"^ok\s", re.M), re.compile(r"(?!.*_test\.go)\w+\.go")),
    "java": Language(
        _java,
        re.compile(r"^\[\s*[1-9]\d* tests successful", re.M),
        re.compile(r"src/main/java/[\w/]+\.java"),
        _without_disabled,
    ),
    "rust": Language(
        _rust,
        re.compile(r"^test result: ok\. [1-9]", re.M),
        re.compile(r"src/[\w/]+\.rs"),
    ),
}
