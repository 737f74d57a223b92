import asyncio

import pytest

from netweight.server import sse


def test_an_event_is_one_data_line_and_an_empty_line():
    assert sse.event("{}") == "data: {}\n\n"


@pytest.mark.parametrize("data", ["a\nb", "a\rb"])
def test_data_of_several_lines_is_our_mistake(data):
    with pytest.raises(AssertionError):
        sse.event(data)


def test_the_source_is_closed_when_sending_fails():
    closed = []

    async def source():
        try:
            while True:
                yield sse.event("{}")
        finally:
            closed.append(True)

    async def send(message):
        if message["type"] == "http.response.body":
            raise ConnectionResetError

    async def main():
        with pytest.raises(ConnectionResetError):
            await sse.EventStream(source()).stream_response(send)
        assert closed == [True]

    asyncio.run(main())
