"""What went wrong, as OpenAI's API tells it: {"error": {message, type, param, code}} and a status.

One place decides which of our errors is whose fault. Texts of requests are never logged here.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from netweight.engine import UNFOLLOWABLE
from netweight.errors import (
    AnswerTimeout,
    ContextTooLong,
    HarmonyError,
    NetweightError,
    RequestError,
)
from netweight.server.strict import is_tag


class Problem(Exception):
    """A refusal with OpenAI's fields; `param` names the field of the request that is at fault."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Client errors have a status below 500. `headers` go with the response."""
        super().__init__(message)
        self.message = message
        self.status = status
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    @property
    def body(self) -> str:
        """The JSON body, in one line."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error})

    @property
    def response(self) -> Response:
        """The whole response."""
        return Response(self.body, self.status, self.headers, media_type="application/json")


def problem_of(error: NetweightError) -> Problem:
    """The client's view of one of our errors."""
    match error:
        case ContextTooLong():
            return Problem(str(error), param="messages", code="context_length_exceeded")
        case RequestError() | HarmonyError():
            return Problem(str(error), code="invalid_value")
        case AnswerTimeout():
            # OpenAI's clients would ask again, and wait as long again.
            return Problem(
                str(error), status=504, code="timeout", headers={"x-should-retry": "false"}
            )
        case _:
            return Problem(str(error), status=503, code="unavailable")


def problem_of_end(error: str | None) -> Problem:
    """The client's view of an answer that has ended in an error, or was cancelled."""
    message = error or "the request was cancelled."
    if message.startswith(UNFOLLOWABLE):
        # Whoever asks again gets the same: no 500, after which OpenAI's clients do.
        return Problem(message, code="invalid_value")
    return Problem(message, status=500)


def install(app: FastAPI) -> None:
    """Let `app` answer every error in this form."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(NetweightError, _netweight_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(Exception, _our_mistake)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response


async def _netweight_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, NetweightError)
    return problem_of(error).response


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path}: {error.detail}."
    return Problem(message, status=error.status_code).response


async def _our_mistake(request: Request, error: Exception) -> Response:
    return Problem("internal error; the server's log has it.", status=500).response


class _Fault(TypedDict):
    """One of pydantic's complaints."""

    type: str
    loc: Sequence[str | int]
    msg: str


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = cast("Sequence[_Fault]", error.errors())
    return _problem_of_fault(faults[0]).response


def _problem_of_fault(fault: _Fault) -> Problem:
    if fault["type"] == "json_invalid":
        return Problem("the body is not valid JSON.", code="invalid_json")
    param = _param(fault["loc"])
    if not param:
        return Problem(
            "the body must be a JSON object, sent as Content-Type: application/json.",
            code="invalid_json",
        )
    if fault["type"] == "extra_forbidden":
        return Problem(f"{param} is not supported.", param=param, code="unknown_parameter")
    if fault["type"] == "missing":
        return Problem(f"{param} is missing.", param=param, code="missing_required_parameter")
    message = fault["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return Problem(f"{param}: {message}.", param=param, code="invalid_value")


def _param(loc: Sequence[str | int]) -> str:
    """A field's name as clients write it, as in messages[0].content; unions' tags are left out."""
    path = ""
    for index, part in enumerate(loc[1:], start=1):
        if isinstance(part, int):
            path += f"[{part}]"
        elif not (is_tag(part) or _is_role(loc, index)):
            path += f".{part}" if path else part
    return path


def _is_role(loc: Sequence[str | int], index: int) -> bool:
    return index == 3 and loc[1] == "messages"
