"""The page in a browser: what a person does with it, and what it shows then."""

import json
import re
import threading
from contextlib import contextmanager

import pytest

from netweight.model import find_model
from netweight.server import ChatModel, serving
from netweight.server.settings import DEFAULTS, ServerSettings
from tests.fakes import BYTE_VOCABULARY_SIZE, scripted, spell
from tests.server.browser import Wire, chromium
from tests.server.conftest import ANSWER, CALL, chat_model, saying, saying_in_turn

FINAL = "<|channel|>final<|message|>"
MARKDOWN = (
    "# Title\n\nSome **bold**, *leaning* and `code_here`, 2 * 3 * 4, snake_case_word, "
    "\\(x^2\\).\n\n"
    "1. one\n2. two\n   - inner\n\n```python\nx = '**'\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
    "<img src=x onerror=alert(1)> <b>plain</b> [text](javascript:alert(1))"
)
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
PARITY = {
    "type": "object",
    "properties": {"parity": {"enum": ["even", "odd"]}},
    "required": ["parity"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def tab():
    """One tab for all tests, which is quicker. Each server is a site of its own, which knows
    nothing of the others.
    """
    with chromium() as browser:
        context = browser.new_context()
        context.set_default_timeout(30_000)
        yield context.new_page()
        context.close()


class Held:
    """A model that says a text, but pauses before each `‖` in it until it is let go on."""

    def __init__(self, text):
        self.permits = threading.Semaphore(0)
        self.stops, ids = set(), []
        for index, part in enumerate(text.split("‖")):
            if index:
                self.stops.add(len(ids))
            ids += spell(part)
        fake = scripted(ids, vocab_size=BYTE_VOCABULARY_SIZE, max_context=4096)
        says = fake.next_logits

        def next_logits(token_ids, num_prompt):
            if len(token_ids) - num_prompt in self.stops:
                self.permits.acquire(timeout=30)
            return says(token_ids, num_prompt)

        fake.next_logits = next_logits
        self.model = chat_model(fake)

    def go_on(self, *, times=1):
        self.permits.release(times)


class Page:
    """The page, and a person who uses it."""

    def __init__(self, tab):
        self.tab = tab
        self.bodies = []  # of the requests for answers

    def note(self, request):
        if request.url.endswith("/v1/chat/completions"):
            self.bodies.append(json.loads(request.post_data))

    def send(self, text):
        self.tab.get_by_label("Message", exact=True).fill(text)
        self.tab.keyboard.press("Enter")

    def button(self, name):
        return self.tab.get_by_role("button", name=name, exact=True)

    @property
    def answer(self):
        """The last answer."""
        return self.tab.get_by_role("article", name="Answer").last

    def wait(self):
        """Until the last answer has ended."""
        self.answer.get_by_role("button", name="Regenerate").wait_for()

    def number(self, name):
        """What the last answer's instrument of this name shows."""
        return self.answer.locator(".numbers div", has_text=name).locator("dd").inner_text()

    def set(self, label, value):
        self.tab.get_by_label(label, exact=True).fill(value)

    def asked(self, text, **settings):
        """Ask and wait; the text of the final answer."""
        for label, value in settings.items():
            self.set(label.replace("_", " "), value)
        self.send(text)
        self.wait()
        return self.answer.locator(".channel.final").inner_text()


@pytest.fixture
def opened(tab):
    """Opens the page of a server around a model.

    However the test ends, the page has loaded nothing from elsewhere, and no script has failed.
    """

    @contextmanager
    def opened(model, settings=DEFAULTS, *, through=None, **media):
        with serving(model, settings) as url:
            port = through(int(re.search(r":(\d+)/", url)[1])) if through else None
            site = f"http://127.0.0.1:{port}/" if port else url.removesuffix("v1")
            tab.set_viewport_size({"width": 1200, "height": 800})
            tab.emulate_media(
                **{"color_scheme": "light", "reduced_motion": "no-preference", **media}
            )
            page, faults = Page(tab), []
            with listening(tab, site, page.note, faults):
                tab.goto(site)
                if not settings.api_keys:
                    tab.locator("#send:enabled").wait_for()
                yield page
                tab.goto("about:blank")
            assert not faults

    return opened


@contextmanager
def listening(tab, site, note, faults):
    """Note the page's requests, and what is wrong with them or its scripts."""
    handlers = {
        "pageerror": lambda error: faults.append(str(error)),
        "console": lambda line: faults.append(line.text) if is_fault(line) else None,
        "request": lambda request: (note(request), faults.extend(elsewhere(request.url, site))),
    }
    for event, handler in handlers.items():
        tab.on(event, handler)
    yield
    for event, handler in handlers.items():
        tab.remove_listener(event, handler)


def is_fault(line):
    # A refused or broken request is told by the browser whatever the page makes of it.
    return line.type == "error" and not line.text.startswith("Failed to load resource")


def elsewhere(url, site):
    return [] if url.startswith((site, f"blob:{site}", "about:")) else [f"asked for {url}"]


def test_a_message_is_answered(opened):
    with opened(saying(ANSWER)) as page:
        page.send("What is 27 + 15?")
        page.wait()
        assert page.tab.get_by_role("article", name="You").inner_text().startswith("What is")
        assert page.answer.locator(".channel.final").inner_text() == "It is 42 ✓."
        assert page.tab.get_by_label("Message", exact=True).input_value() == ""
        reasoning = page.answer.locator("details.analysis")
        assert reasoning.get_attribute("open") is None
        assert reasoning.locator("summary").inner_text() == "Reasoning 15 tokens"
        assert reasoning.locator(".text").text_content() == "27 + 15 is 42."
        [body] = page.bodies
        assert body["messages"] == [{"role": "user", "content": "What is 27 + 15?"}]


def test_shift_and_enter_break_the_line(opened):
    with opened(saying(ANSWER)) as page:
        box = page.tab.get_by_label("Message", exact=True)
        box.fill("one")
        box.press("Shift+Enter")
        box.press_sequentially("two")
        assert box.input_value() == "one\ntwo"
        assert not page.bodies


def test_an_answer_is_shown_as_it_comes(opened):
    held = Held(
        "<|channel|>analysis<|message|>Let me ‖see.<|end|><|start|>assistant"
        + FINAL
        + "It is ‖42.<|return|>"
    )
    with opened(held.model) as page:
        page.send("?")
        reasoning = page.answer.locator("details.analysis")
        reasoning.get_by_text("Let me").wait_for()
        assert reasoning.get_attribute("open") is not None
        assert "tokens" in reasoning.locator(".count").inner_text()
        held.go_on()
        page.answer.locator(".channel.final", has_text="It is").wait_for()
        assert reasoning.get_attribute("open") is None
        assert page.button("Stop").is_visible()
        assert not page.button("Send").is_visible()
        page.tab.wait_for_timeout(60)
        held.go_on()
        page.wait()
        assert 0 < float(page.number("Speed").removesuffix(" tokens/s")) < 1000
        assert page.answer.locator(".channel.final").inner_text() == "It is 42."
        assert page.button("Send").is_enabled()


def test_reasoning_that_the_reader_closes_stays_closed(opened):
    held = Held("<|channel|>analysis<|message|>Let ‖me see‖.<|end|>")
    with opened(held.model) as page:
        page.send("?")
        reasoning = page.answer.locator("details.analysis")
        reasoning.locator("summary").click()
        held.go_on()
        reasoning.locator(".text", has_text="me see").wait_for(state="attached")
        assert reasoning.get_attribute("open") is None
        held.go_on()


@pytest.mark.parametrize("by", ["key", "button"])
def test_stopping_keeps_what_has_come(opened, by):
    held = Held(FINAL + "It is ‖42.<|return|>")
    with opened(held.model) as page:
        page.send("?")
        page.answer.locator(".channel.final", has_text="It is").wait_for()
        page.tab.keyboard.press("Escape") if by == "key" else page.button("Stop").click()
        page.wait()
        assert page.answer.locator(".channel.final").inner_text() == "It is"
        assert page.number("Ended") == "stopped by you"
        assert page.answer.get_by_role("alert").count() == 0
        # The next question is sent with what there is of the answer.
        held.go_on(times=2)
        page.send("Go on.")
        page.answer.get_by_text("It is 42.").wait_for()
        assert [message["role"] for message in page.bodies[1]["messages"]] == [
            "user",
            "assistant",
            "user",
        ]


def test_reasoning_that_was_stopped_is_no_obstacle(opened):
    held = Held("<|channel|>analysis<|message|>Let me ‖see.<|end|>")
    with opened(held.model) as page:
        page.send("?")
        page.answer.get_by_text("Let me").wait_for()
        page.tab.keyboard.press("Escape")
        page.wait()
        assert page.answer.get_by_text("Let me").is_visible()
        held.go_on(times=2)
        page.send("Go on.")
        page.answer.get_by_text("Let me see.").wait_for(state="attached")
        page.tab.keyboard.press("Escape")
        page.wait()
        assert page.tab.get_by_role("alert").count() == 0


def test_a_tool_is_called_answered_and_read(opened):
    answer = FINAL + "It snows in Zürich.<|return|>"
    with opened(saying_in_turn(CALL, answer, answer)) as page:
        page.set("Tools", json.dumps(TOOLS))
        page.send("How is the weather?")
        page.answer.get_by_role("button", name="Continue").wait_for()
        call = page.answer.locator(".channel.call")
        assert call.locator(".label").inner_text() == "Calls weather"
        assert json.loads(call.locator("pre").inner_text()) == {"city": "Zürich"}
        assert page.button("Send").is_disabled()
        page.tab.get_by_label("What weather answers").fill("snow")
        page.tab.keyboard.press("Enter")
        page.answer.get_by_text("It snows in Zürich.").wait_for()
        page.wait()
        assert page.bodies[0]["tools"] == TOOLS
        _, called, result = page.bodies[1]["messages"]
        assert called["tool_calls"][0]["function"]["arguments"] == '{"city":"Zürich"}'
        assert called["reasoning"] == "Look."
        assert result == {
            "role": "tool",
            "tool_call_id": called["tool_calls"][0]["id"],
            "content": "snow",
        }
        # What the tool answered can be changed, and the model answers anew.
        page.button("Edit results").click()
        assert page.tab.get_by_role("article", name="Answer").count() == 1
        page.tab.get_by_label("What weather answers").fill("rain")
        page.button("Continue").click()
        page.answer.get_by_text("It snows in Zürich.").wait_for()
        page.wait()
        assert page.bodies[2]["messages"][2]["content"] == "rain"


def test_the_model_may_be_told_which_tool_to_call(opened):
    clock = {"type": "function", "function": {"name": "clock"}}
    with opened(saying_in_turn(CALL, f"{FINAL}Snow.<|return|>")) as page:
        choice = page.tab.get_by_label("Tool choice")
        assert not choice.is_visible()
        page.set("Tools", json.dumps([*TOOLS, clock]))
        assert choice.locator("option").all_inner_texts()[3:] == ["weather", "clock"]
        page.tab.get_by_label("Tools", exact=True).press("Tab")
        assert page.tab.evaluate("document.activeElement.id") == "tool-choice"
        choice.select_option("clock")
        page.set("Tools", "[{")  # in the middle of writing, the choice stays
        assert choice.input_value() == "function:clock"
        page.set("Tools", json.dumps(TOOLS))  # but not when its tool has gone
        assert choice.input_value() == "auto"
        choice.select_option("weather")
        page.tab.reload()
        page.tab.locator("#send:enabled").wait_for()
        assert choice.input_value() == "function:weather"
        page.send("How is it?")
        page.button("Continue").wait_for()
        page.tab.get_by_label("What weather answers").fill("snow")
        choice.select_option("none")
        page.button("Continue").click()
        page.wait()
        assert [body["tool_choice"] for body in page.bodies] == [
            {"type": "function", "function": {"name": "weather"}},
            "none",
        ]
        page.set("Tools", "")
        assert not choice.is_visible()
        page.asked("And now?")
        assert not {"tools", "tool_choice"} & set(page.bodies[-1])


def test_code_is_copied_by_its_button(opened):
    two = f"{FINAL}One:\n\n```python\nx = '**'\n```\n\n- two:\n\n  ```\n  <b>\n  ```<|return|>"
    with opened(saying(two)) as page:
        page.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.asked("?")
        assert "Copy" not in page.tab.locator("#status").inner_text()
        buttons = page.answer.get_by_role("button", name="Copy this code")
        for index, code in enumerate(["x = '**'", "<b>"]):
            buttons.nth(index).focus()
            page.tab.keyboard.press("Tab")
            focused = page.tab.evaluate("document.activeElement.textContent")
            assert focused == code  # the button stands before its code
            page.tab.keyboard.press("Shift+Tab")
            page.tab.keyboard.press("Enter")
            page.tab.locator("#status", has_text="Copied.").wait_for()
            assert page.tab.evaluate("navigator.clipboard.readText()") == code
            assert page.tab.evaluate("document.activeElement.textContent") == "Copied"
            page.tab.locator("#status").evaluate("node => (node.textContent = '')")
        buttons.nth(1).wait_for()  # the label comes back


def test_a_preamble_is_shown_apart_from_the_answer(opened):
    text = "<|channel|>commentary<|message|>First, a look.<|end|><|start|>assistant" + FINAL
    with opened(saying(text + "Done.<|return|>")) as page:
        assert page.asked("?") == "Done."
        assert page.answer.locator(".channel.commentary .text").inner_text() == "First, a look."


def test_tokens_are_shown_exactly(opened):
    with opened(saying(ANSWER)) as page:
        page.asked("What is 27 + 15?")
        page.answer.get_by_role("button", name="Tokens").click()
        tokens = page.tab.get_by_role("listbox", name="Written tokens").get_by_role("option")
        ids = spell(ANSWER)
        assert tokens.count() == len(ids)
        classes = tokens.evaluate_all("nodes => nodes.map(node => node.classList[1])")
        assert classes[0] == "kind-special"
        assert classes[1] == "kind-header"
        place = len(spell("<|channel|>analysis<|message|>"))
        assert classes[place] == "kind-analysis"
        assert classes[-2] == "kind-final"
        detail = page.answer.locator(".detail")
        tokens.nth(place).hover()
        assert f"id {ids[place]}, analysis" in detail.inner_text()
        assert detail.get_by_role("row").count() == 1 + 5
        assert "100%" in detail.inner_text()


def test_tokens_are_reached_by_keyboard(opened):
    with opened(saying(ANSWER)) as page:
        page.asked("?")
        page.answer.get_by_role("button", name="Tokens").click()
        page.answer.get_by_text("Prompt:").click()
        page.tab.get_by_role("listbox", name="Prompt tokens").wait_for()
        page.tab.keyboard.press("Tab")
        focused = "document.activeElement.getAttribute('aria-label')"
        assert page.tab.evaluate(focused) == "<|start|>"
        page.tab.keyboard.press("ArrowRight")
        assert page.tab.evaluate(focused) == "s"
        page.tab.keyboard.press("Tab")
        page.tab.keyboard.press("End")
        assert page.tab.evaluate(focused) == "<|return|>, 100%"
        ids = spell("<|return|>")
        assert f"id {ids[0]}, special" in page.answer.locator(".detail").inner_text()
        page.tab.keyboard.press("ArrowRight")  # there is nothing further
        assert page.tab.evaluate(focused) == "<|return|>, 100%"


def test_without_tokens_only_their_number_is_known(opened):
    with opened(saying(ANSWER)) as page:
        page.tab.get_by_label("Record exact tokens").uncheck()
        assert page.asked("?") == "It is 42 ✓."
        assert "netweight" not in page.bodies[0]
        assert page.answer.get_by_role("button", name="Tokens").is_disabled()
        assert page.number("Written") == f"{len(spell(ANSWER))} tokens"


def test_an_answer_follows_its_schema(opened):
    """Nano, whose weights are in the package, is constrained to a schema that it never saw."""
    with opened(ChatModel.load(find_model("nano"))) as page:
        text = page.asked(
            "What is 27 + 15?",
            Structured_output=json.dumps(PARITY),
            Seed="7",
        )
        assert json.loads(text)["parity"] in ("even", "odd")
        assert page.number("Seed") == "7"
        assert page.number("First text").endswith(" s")


def test_settings_are_sent(opened):
    with opened(saying(ANSWER)) as page:
        page.tab.get_by_role("radio", name="high").check()
        page.tab.get_by_label("Temperature").fill("0.3")
        page.asked("?", Max_tokens="300", Seed="-5", Instructions="Be short.")
        [body] = page.bodies
        assert body["reasoning_effort"] == "high"
        assert body["temperature"] == 0.3
        assert body["max_completion_tokens"] == 300
        assert body["seed"] == -5
        assert body["messages"][0] == {"role": "developer", "content": "Be short."}


WRONG_SETTINGS = [
    ("Tools", "[{]", "This is not JSON"),
    ("Tools", "{}", "Tools are a list"),
    ("Structured output", "[]", "A schema is an object"),
    ("Max tokens", "0", "Max tokens is a whole number, 1 or more"),
    ("Seed", "1.5", "The seed is a whole number"),
]


def test_a_wrong_setting_is_told_and_not_sent(opened):
    with opened(saying(ANSWER)) as page:
        for label, value, message in WRONG_SETTINGS:
            page.set(label, value)
            page.send("?")
            field = page.tab.get_by_label(label, exact=True)
            assert field.get_attribute("aria-invalid") == "true"
            assert field.evaluate("node => node === document.activeElement")
            assert page.tab.get_by_text(message).is_visible()
            assert page.tab.get_by_label("Message", exact=True).input_value() == "?"
            field.fill("")
            assert field.get_attribute("aria-invalid") is None
        assert not page.bodies


def test_the_examples_are_accepted(opened):
    with opened(saying(FINAL + '{"answer":"a","certainty":1}<|return|>')) as page:
        page.button("Example of tools").click()
        page.button("Example of a schema").click()
        assert json.loads(page.asked("?"))["certainty"] == 1


def test_regenerating_takes_the_answers_place(opened):
    with opened(saying(ANSWER)) as page:
        page.asked("one")
        page.asked("two")
        page.tab.get_by_role("button", name="Regenerate").first.click()
        page.wait()
        assert page.tab.get_by_role("article").count() == 2
        assert page.bodies[2]["messages"] == page.bodies[0]["messages"]


def test_an_edited_message_is_sent_again(opened):
    with opened(saying(ANSWER)) as page:
        page.asked("one")
        page.asked("two")
        page.tab.get_by_role("button", name="Edit").first.click()
        page.tab.keyboard.press("Escape")  # thought better of it
        assert page.tab.get_by_role("article").count() == 4
        page.tab.get_by_role("button", name="Edit").first.click()
        page.tab.get_by_label("Your message").fill("three")
        page.tab.keyboard.press("Enter")
        page.wait()
        assert page.tab.get_by_role("article").count() == 2
        assert page.bodies[2]["messages"] == [{"role": "user", "content": "three"}]


def test_whoever_says_something_else_does_not_wait_for_the_answer(opened):
    held = Held(FINAL + "It is ‖42.<|return|>")
    with opened(held.model) as page:
        page.send("one")
        page.answer.locator(".channel.final", has_text="It is").wait_for()
        page.button("Edit").click()
        page.tab.get_by_label("Your message").fill("two")
        held.go_on(times=2)
        page.button("Send again").click()
        page.answer.get_by_text("It is 42.").wait_for()
        page.wait()
        assert page.tab.get_by_role("article").count() == 2
        assert page.bodies[1]["messages"] == [{"role": "user", "content": "two"}]


def test_the_cached_share_grows_with_the_conversation(opened):
    with opened(saying(ANSWER)) as page:
        page.asked("one")
        assert page.number("Cached") == "0%"
        page.asked("two")
        assert 50 < float(page.number("Cached").rstrip("%")) < 100


def test_a_dropped_connection_is_told_and_can_be_retried(opened):
    held = Held(FINAL + "It is ‖42.<|return|>")
    wires = []

    def through(port):
        wires.append(Wire(port))
        return wires[0].port

    with opened(held.model, through=through) as page:
        page.send("?")
        page.answer.locator(".channel.final", has_text="It is").wait_for()
        wires[0].cut()
        alert = page.answer.get_by_role("alert")
        alert.wait_for()
        assert "The connection broke off" in alert.inner_text()
        assert page.answer.locator(".channel.final").inner_text() == "It is"
        assert page.button("Send").is_enabled()
        held.go_on(times=2)
        page.button("Retry").click()
        page.answer.get_by_text("It is 42.").wait_for()
        assert page.tab.get_by_role("alert").count() == 0
        wires[0].close()


def test_a_server_that_has_gone_is_told(opened):
    wires = []

    def through(port):
        wires.append(Wire(port))
        return wires[0].port

    with opened(saying(ANSWER), through=through) as page:
        wires[0].close()
        page.send("?")
        alert = page.answer.get_by_role("alert")
        alert.wait_for()
        assert "The server cannot be reached" in alert.inner_text()


def test_a_refusal_is_told_in_the_servers_words(opened):
    with opened(saying(ANSWER, max_context=600)) as page:
        page.send("word " * 200)
        alert = page.answer.get_by_role("alert")
        alert.wait_for()
        assert "600" in alert.inner_text()


def test_an_error_within_a_stream_keeps_what_has_come(opened):
    ids = spell(FINAL + "It is ")
    fake = scripted(ids, vocab_size=BYTE_VOCABULARY_SIZE, max_context=4096)
    says = fake.next_logits

    def next_logits(token_ids, num_prompt):
        if len(token_ids) - num_prompt == len(ids):
            raise MemoryError("no more")
        return says(token_ids, num_prompt)

    fake.next_logits = next_logits
    with opened(chat_model(fake)) as page:
        page.send("?")
        alert = page.answer.get_by_role("alert")
        alert.wait_for()
        assert page.answer.locator(".channel.final").inner_text() == "It is"
        assert page.button("Retry").is_visible()


def test_a_key_is_asked_for_and_kept_in_this_tab_only(opened):
    with opened(saying(ANSWER), ServerSettings(api_keys=("sesame",))) as page:
        key = page.tab.get_by_label("This server asks for an API key.")
        key.fill("wrong")
        key.press("Enter")
        page.tab.get_by_text("The server does not know this key.").wait_for()
        key.fill("sesame")
        key.press("Enter")
        page.tab.locator("#send:enabled").wait_for()
        assert not key.is_visible()
        assert page.asked("?") == "It is 42 ✓."
        assert page.tab.evaluate("localStorage.length") == 0
        assert page.tab.evaluate("document.cookie") == ""
        assert "sesame" not in page.tab.url


def test_a_conversation_goes_to_a_file_and_back(opened, tmp_path):
    with opened(saying(ANSWER)) as page:
        page.asked("one", Instructions="Be short.", Seed="3")
        shown = page.tab.locator("#turns").inner_html()
        with page.tab.expect_download() as download:
            page.button("Export").click()
        path = tmp_path / "conversation.json"
        download.value.save_as(path)
        file = json.loads(path.read_text())
        assert [message["role"] for message in file["messages"]] == ["user", "assistant"]
        assert file["messages"][1]["content"] == "It is 42 ✓."
        assert file["messages"][1]["netweight"]["tokens"][0]["text"] == "<|channel|>"
        page.button("New").click()
        assert page.tab.get_by_role("article").count() == 0
        page.set("Instructions", "")
        page.tab.locator("#import-file").set_input_files(path)
        page.answer.wait_for()
        assert page.tab.locator("#turns").inner_html() == shown
        page.asked("two")
        assert [message["role"] for message in page.bodies[1]["messages"]] == [
            "developer",
            "user",
            "assistant",
            "user",
        ]


def file_of(*messages):
    return json.dumps({"format": "netweight conversation 1", "messages": messages})


WRONG_FILES = {
    "{": "The file is not JSON",
    '{"format": "other"}': "The file is no conversation of this page",
    '{"format": "netweight conversation 1"}': "The file has no list of messages",
    file_of({"role": "user"}): "Message 1 of the file has no text",
    file_of({"role": "system", "content": ""}): "Message 1 of the file has no role",
    file_of({"role": "assistant", "content": "", "tool_calls": [{}]}): "has a broken call",
    file_of({"role": "assistant", "content": "", "netweight": {"parts": [{}]}}): "a broken part",
    file_of({"role": "assistant", "content": "", "netweight": {"tokens": [3]}}): "a broken token",
}


def test_a_file_that_is_no_conversation_is_refused(opened, tmp_path):
    path = tmp_path / "file.json"
    with opened(saying(ANSWER)) as page:
        page.asked("one")
        for text, message in WRONG_FILES.items():
            path.write_text(text)
            page.tab.locator("#import-file").set_input_files(path)
            page.tab.get_by_text(message).wait_for()
            assert page.tab.get_by_role("article").count() == 2


def test_a_conversation_outlives_a_reload(opened):
    with opened(saying(ANSWER)) as page:
        page.asked("one", Seed="3")
        page.tab.reload()
        page.wait()
        assert page.answer.locator(".channel.final").inner_text() == "It is 42 ✓."
        assert page.tab.get_by_label("Seed").input_value() == "3"


def test_markdown_is_shown_and_html_is_not(opened):
    with opened(saying(f"{FINAL}{MARKDOWN}<|return|>")) as page:
        page.asked("?")
        text = page.answer.locator(".channel.final .text")
        assert text.locator("strong").inner_text() == "bold"
        assert text.locator("em").all_inner_texts() == ["leaning"]
        assert text.locator("p code").inner_text() == "code_here"
        assert text.locator("pre").inner_text() == "x = '**'"
        assert text.locator("ol > li").count() == 2
        assert text.locator("ol ul > li").inner_text() == "inner"
        assert text.locator("td").all_inner_texts() == ["1", "2"]
        assert "2 * 3 * 4, snake_case_word, \\(x^2\\)" in text.inner_text()
        assert "<img src=x onerror=alert(1)> <b>plain</b>" in text.inner_text()
        assert text.locator("img, b, a, script").count() == 0
        assert text.get_by_role("heading").evaluate("node => node.tagName") == "H2"


def test_streamed_markdown_is_the_same_as_whole_markdown(opened):
    compare = """async (text) => {
        const { showMarkdown } = await import("/web/markdown.js");
        const [grown, whole] = [document.createElement("div"), document.createElement("div")];
        for (let end = 0; end <= text.length; end += 1) showMarkdown(grown, text.slice(0, end));
        showMarkdown(whole, text);
        return [grown.innerHTML, whole.innerHTML];
    }"""
    with opened(saying(ANSWER)) as page:
        grown, whole = page.tab.evaluate(compare, MARKDOWN)
        assert grown == whole


HOSTILE = [
    "**" * 20000,
    "> " * 20000,
    "- " * 20000,
    "*a _b " * 5000,
    "`" * 20001 + "a",
    "|-" * 9999,
]


def test_hostile_markdown_is_shown_soon(opened):
    show = """async (texts) => {
        const { showMarkdown } = await import("/web/markdown.js");
        const start = performance.now();
        for (const text of texts) showMarkdown(document.createElement("div"), text);
        return performance.now() - start;
    }"""
    with opened(saying(ANSWER)) as page:
        assert page.tab.evaluate(show, HOSTILE) < 5000


def test_an_answer_is_announced_once_and_whole(opened):
    with opened(saying(ANSWER)) as page:
        page.tab.evaluate(
            """() => {
                window.heard = [];
                const status = document.querySelector("[role=status]");
                const note = () => window.heard.push(status.textContent);
                new MutationObserver(note).observe(status, { childList: true });
            }"""
        )
        page.asked("?")
        assert page.tab.evaluate("window.heard") == ["The model answers.", "It is 42 ✓."]


def test_nothing_moves_for_those_who_want_no_motion(opened):
    held = Held("‖" + ANSWER)
    with opened(held.model, reduced_motion="reduce") as page:
        page.send("?")
        page.answer.get_by_text("Reading the prompt").wait_for()
        assert page.tab.evaluate("document.getAnimations().length") == 0
        held.go_on()
        page.wait()


def test_every_state_of_the_page_is_accessible_and_fits(opened):
    """Violations are axe's rules of WCAG 2 and its good practice, of serious or critical impact."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe").Axe()
    model = saying_in_turn(CALL, f"{FINAL}{MARKDOWN}\n\n{'long' * 60}<|return|>")
    with opened(model) as page:
        page.set("Tools", json.dumps(TOOLS))
        page.set("Seed", "none")
        check(axe, page.tab)
        page.set("Seed", "")
        page.send("How is the weather?")
        page.button("Continue").wait_for()
        page.tab.evaluate("document.getElementById('key-form').hidden = false")
        check(axe, page.tab)
        page.tab.keyboard.type("snow")
        page.button("Continue").click()
        page.answer.locator(".channel.final").wait_for()
        page.wait()
        page.answer.get_by_role("button", name="Tokens").click()
        page.answer.get_by_text("Prompt:").click()
        page.answer.get_by_role("option").last.focus()
        page.tab.get_by_role("button", name="Edit", exact=True).click()
        check(axe, page.tab)


# A reader's screen and wishes: width and colours. A test goes on with the last one.
LOOKS = {"phone": (360, "light"), "dark": (1200, "dark"), "light": (1200, "light")}


def check(axe, tab):
    """However a reader looks at it, with the settings open."""
    for look, (width, colours) in LOOKS.items():
        tab.set_viewport_size({"width": width, "height": 800})
        tab.emulate_media(color_scheme=colours)
        tab.evaluate("new Promise(requestAnimationFrame)")  # the page hears of its width
        tab.locator("#panel").evaluate("panel => panel.open = true")
        found = axe.run(tab).response["violations"]
        grave = [one for one in found if one["impact"] in ("serious", "critical")]
        told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in grave]
        assert told == [], look
        assert tab.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), look
