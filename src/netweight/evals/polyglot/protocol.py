"""Aider's protocol for one exercise: two tries, of which the second sees how the first one failed.

A try is a question and, while the reply is malformed, up to three more on what was wrong with it;
then the tests run, whatever came of the edits. The model sees the instructions and the files as
they are at each moment, never a test or a reference solution; what it reads of the tests is what
they print. Aider also has a linter's complaints answered, which is left out here.

Knows texts and two functions: one asks the model, one runs the tests. Does not know Inspect.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from netweight.evals.measure import REFUSED
from netweight.evals.polyglot.edits import Edited, EditFormat, edit, fence_for
from netweight.evals.polyglot.exercises import Exercise

NUM_TRIES = 2
MAX_REFLECTIONS = 3  # in each try, so that an exercise takes up to eight requests
MAX_OUTPUT = 60_000  # characters of test output that the second try is shown

RIGHT_FIRST = "right_first"
RIGHT_SECOND = "right_second"
WRONG = "wrong"
MALFORMED = "malformed"
NO_EDITS = "no_edits"
TIMEOUT = "tests timed out"


class Turn(NamedTuple):
    """One message."""

    role: Literal["system", "user", "assistant"]
    text: str


class Reply(NamedTuple):
    """The final text of a reply; `cut` is the outcome that its early end decides, or None."""

    text: str
    cut: str | None = None


class Checked(NamedTuple):
    """What the tests said."""

    passed: bool
    output: str
    is_timeout: bool = False


NOT_TESTED = Checked(False, "")

Ask = Callable[[list[Turn]], Awaitable[Reply]]
RunTests = Callable[[Mapping[str, str]], Awaitable[Checked]]


@dataclass
class Try:
    """One try: how each reply was malformed, None where it was not; then what the tests said."""

    problems: list[str | None] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)  # paths
    cut: str | None = None  # of the last reply
    is_refusal: bool = False
    tested: Checked = NOT_TESTED


@dataclass
class Course:
    """How an exercise went. `files` are those of the chat as the last try left them."""

    files: dict[str, str]
    tries: list[Try] = field(default_factory=list)
    transcript: list[Turn] = field(default_factory=list)

    @property
    def num_replies(self) -> int:
        """How often the model was asked."""
        return sum(len(one.problems) for one in self.tries)

    @property
    def num_malformed(self) -> int:
        """How many replies did not follow the edit format, however the exercise ended."""
        return sum(problem is not None for one in self.tries for problem in one.problems)

    @property
    def outcome(self) -> str:
        """How it ended, as one name. A try that passed counts, however it came to be.

        Of a failed exercise the last try decides, and of several reasons the first to happen: the
        reply was cut short, stayed malformed, had no edit in it; the tests took too long or failed.
        """
        last = self.tries[-1]
        if last.tested.passed:
            return RIGHT_FIRST if len(self.tries) == 1 else RIGHT_SECOND
        if last.cut:
            return last.cut
        if last.problems and last.problems[-1] is not None:
            return MALFORMED
        if last.problems and not last.edited:
            return REFUSED if last.is_refusal else NO_EDITS
        return TIMEOUT if last.tested.is_timeout else WRONG


async def work_through(
    exercise: Exercise,
    edit_format: EditFormat,
    ask: Ask,
    run_tests: RunTests,
    *,
    is_refusal: Callable[[str], bool] = lambda text: False,
) -> Course:
    """Have a model do one exercise. Whatever `ask` and `run_tests` raise is raised."""
    course = Course(exercise.stub)
    chat = _Chat(edit_format, course, fence_for(exercise.stub.values()))
    beside = _texts(exercise, course.files)
    request = f"{exercise.instructions.rstrip()}\n\n{_task(exercise)}"
    for _ in range(NUM_TRIES):
        one = await _try(chat, ask, request, beside)
        one.is_refusal = is_refusal(chat.last_reply)
        one.tested = await run_tests(course.files)
        course.tries.append(one)
        if one.tested.passed:
            break
        request = f"{shortened(one.tested.output)}\n\n{_failure(exercise)}"
    course.transcript = chat.turns()
    return course


async def _try(chat: "_Chat", ask: Ask, request: str, beside: Mapping[str, str]) -> Try:
    """Ask, and ask again while the reply is malformed; edits that fit are applied each time."""
    one = Try()
    for _ in range(1 + MAX_REFLECTIONS):
        reply = await ask(chat.asking(request))
        one.cut = reply.cut
        if reply.cut:  # Aider takes no edits from a reply that is not whole
            chat.answered(reply.text, edited=False)
            one.problems.append(None)
            break
        result = chat.apply(reply.text, beside)
        one.problems.append(result.problem)
        one.edited += [path for path in result.paths if path not in one.edited]
        if result.problem is None:
            break
        request = result.problem
    return one


class _Chat:
    """The conversation. What led to an edit is history; files are shown as they are now."""

    def __init__(self, edit_format: EditFormat, course: Course, fence: str) -> None:
        self._edit_format, self._course, self._fence = edit_format, course, fence
        self._history: list[Turn] = []
        self._current: list[Turn] = []
        self.last_reply = ""

    def asking(self, request: str) -> list[Turn]:
        """Add a request, and return the messages to send."""
        self._current.append(Turn("user", request))
        return self.turns()

    def turns(self) -> list[Turn]:
        """The conversation with the files as they are now."""
        return [
            Turn("system", _system(self._edit_format, self._fence)),
            *_example(self._edit_format, self._fence),
            *self._history,
            Turn("user", _shown(self._course.files, self._fence)),
            Turn("assistant", "I will change these files as they are shown here."),
            *self._current,
        ]

    def apply(self, text: str, beside: Mapping[str, str]) -> Edited:
        """Take in a reply and its edits."""
        files = self._course.files
        result = edit(self._edit_format, text, files, others=beside, fence=self._fence)
        files.update(result.files)
        self.answered(text, edited=bool(result.paths))
        return result

    def answered(self, text: str, *, edited: bool) -> None:
        """Take in a reply."""
        self.last_reply = text
        self._current.append(Turn("assistant", text))
        if edited:
            done = [Turn("user", "The files are changed."), Turn("assistant", "Good.")]
            self._history += [*self._current, *done]
            self._current = []


def shortened(output: str) -> str:
    """Return test output without the times in it, and without the middle where it is very long."""
    output = re.sub(r"\bin \d+\.\d+s\b", "", output)
    num_cut = len(output) - MAX_OUTPUT
    if num_cut <= 0:
        return output
    half = MAX_OUTPUT // 2
    return f"{output[:half]}\n[{num_cut} characters cut here]\n{output[-half:]}"


def _texts(exercise: Exercise, chat: Mapping[str, str]) -> dict[str, str]:
    """The exercise's other files, as far as they are text."""
    return {
        path: content.decode(errors="replace")
        for path, content in exercise.files.items()
        if path not in chat
    }


def _names(exercise: Exercise) -> str:
    return ", ".join(path.rpartition("/")[2] for path in exercise.editable)


def _task(exercise: Exercise) -> str:
    return f"""---

Do what these instructions say by changing {_names(exercise)}.
Keep the names of the functions, classes and methods that are there: code elsewhere, such as the
tests, calls them by these names. Use the standard library alone; nothing can be installed.
"""


def _failure(exercise: Exercise) -> str:
    return f"""---

This is what the tests printed. They are right as they are and must not be changed. Find what is
wrong in {_names(exercise)} and mend it there.
"""


def _shown(files: Mapping[str, str], fence: str) -> str:
    listings = [
        f"{path}\n{fence}\n{text if not text or text.endswith(chr(10)) else text + chr(10)}{fence}"
        for path, text in files.items()
    ]
    return "\n\n".join(["These are the files, as they are now:", *listings])


def _system(edit_format: EditFormat, fence: str) -> str:
    opening = (
        "You are an experienced programmer. You are asked for changes to files of a program, and "
        "you make them in the way that the code already has.\n\nSay in a few sentences what has to "
        "change. Then give the changes, in exactly the form below; a program applies them.\n\n"
    )
    return opening + (_WHOLE if edit_format == "whole" else _DIFF).format(fence=fence)


_WHOLE = """Give each file that changes whole, as a file listing:

path/of/the/file.ext
{fence}
every line of the changed file
{fence}

- On the first line stands the file's path as it was shown to you, and nothing else: no quotes, no
  bold, no comment.
- On the next line stands {fence}, then the content, then {fence} on a line of its own.
- Leave nothing out. Never write "..." or a remark such as "the rest stays" in place of code: what
  is not in the listing is gone.
- A new file is given in the same way, under a path of your choice."""

_DIFF = """Give each change as a SEARCH/REPLACE block:

path/of/the/file.ext
{fence}language
<<<<<<< SEARCH
lines that stand in the file now
=======
lines that are to stand there instead
>>>>>>> REPLACE
{fence}

- On the first line stands the file's path as it was shown to you, and nothing else: no quotes, no
  bold, no comment.
- SEARCH repeats consecutive lines of the file exactly, with every space, comment and blank line.
  The first place in the file that has them is replaced, so give enough lines to mean one place.
- Keep blocks short: the lines that change, and a few around them. Use several blocks for changes in
  several places. To move code, delete it in one block and put it in with another.
- With nothing between SEARCH and =======, the lines go to the end of the file; that is also how a
  new file is made.
- All code that you give stands in such blocks."""


_TO_ANOTHER = (
    Turn("user", "That was an example. Now to another program."),
    Turn("assistant", "Good."),
)


def _example(edit_format: EditFormat, fence: str) -> list[Turn]:
    """A conversation that shows the form, as Aider has before each of its own."""
    if edit_format == "whole":
        return [
            Turn("user", "Let the area of a circle be more exact."),
            Turn(
                "assistant",
                "I will take pi from the math module.\n\n"
                f"shapes.py\n{fence}\nimport math\n\n\n"
                f"def circle_area(radius):\n    return math.pi * radius**2\n{fence}\n",
            ),
            *_TO_ANOTHER,
        ]
    return [
        Turn("user", "Let the area of a circle be more exact."),
        Turn(
            "assistant",
            "I will import the math module and take pi from it.\n\n"
            f"shapes.py\n{fence}python\n<<<<<<< SEARCH\nimport sys\n=======\nimport math\n"
            f"import sys\n>>>>>>> REPLACE\n{fence}\n\n"
            f"shapes.py\n{fence}python\n<<<<<<< SEARCH\n    return 3.14 * radius**2\n=======\n"
            f"    return math.pi * radius**2\n>>>>>>> REPLACE\n{fence}\n",
        ),
        Turn("user", "Move scale() into a file of its own."),
        Turn(
            "assistant",
            "I will put scale() into `scaling.py` and import it in `shapes.py`.\n\n"
            f"scaling.py\n{fence}python\n<<<<<<< SEARCH\n=======\ndef scale(size, factor):\n"
            f"    return size * factor\n>>>>>>> REPLACE\n{fence}\n\n"
            f"shapes.py\n{fence}python\n<<<<<<< SEARCH\ndef scale(size, factor):\n"
            "    return size * factor\n=======\nfrom scaling import scale\n"
            f">>>>>>> REPLACE\n{fence}\n",
        ),
        *_TO_ANOTHER,
    ]
