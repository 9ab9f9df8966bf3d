"""Messages: English text, template and values, and that all three go wherever an error goes."""

import copy
import json
import pickle

import pytest

from model.errors import Cancelled, DocumentError, Message, raise_if_cancelled


def test_an_error_is_its_english_text_and_knows_what_it_is_made_of() -> None:
    error = DocumentError("{name!r} has {n:,} pages of {size:.1f} MB.", name="Ann's.pdf", n=1234, size=2)
    assert str(error) == '"Ann\'s.pdf" has 1,234 pages of 2.0 MB.'
    assert error.message.template == "{name!r} has {n:,} pages of {size:.1f} MB."
    assert error.message.values == {"name": "Ann's.pdf", "n": 1234, "size": 2}
    assert error.message.key == "'{name}' has {n} pages of {size} MB."


def test_a_text_without_values_is_its_own_template() -> None:
    error = DocumentError("A file is called {x} and {0!r:>9}.")
    assert str(error) == error.message.template == error.message.key == "A file is called {x} and {0!r:>9}."
    assert DocumentError(error.message).message is error.message


@pytest.mark.parametrize("name", ["{n}", "{name}", "{{n}}", "{", "%s", "{n.real}", "a; b"])
def test_a_value_is_never_read_as_a_template(name: str) -> None:
    assert Message("{name} has {n} pages", name=name, n=3) == f"{name} has 3 pages"


def test_what_is_neither_text_nor_number_is_shown_as_text() -> None:
    message = Message("{why:,}: {reason}", why=ValueError("wrong"), reason=None)
    assert message == "wrong: None" and message.values == {"why": "wrong", "reason": "None"}


def test_a_copy_and_one_from_another_process_have_template_and_values() -> None:
    reason = Message("{n:,} pages", n=1234)
    error = DocumentError("{name} was not read: {reason}", name="a", reason=reason)
    for one in (pickle.loads(pickle.dumps(error)).message, copy.deepcopy(error.message)):
        assert one == "a was not read: 1,234 pages" and one.template == error.message.template
        inner = one.values["reason"]
        assert isinstance(inner, Message) and inner.values == {"n": 1234}
    assert json.loads(json.dumps(error.message)) == str(error)


def test_several_messages_are_one() -> None:
    parts = [Message("{n} pages", n=1), Message("a {brace}")]
    joined = Message.joined("; ", parts)
    assert joined == "1 pages; a {brace}" and list(joined.values.values()) == parts
    assert Message.joined("; ", []) == ""


def test_a_stop_says_what_was_stopped() -> None:
    raise_if_cancelled(None, "Stopped.")
    raise_if_cancelled(lambda: False, "Stopped.")
    with pytest.raises(Cancelled, match=r"^Stopped reading a\.$"):
        raise_if_cancelled(lambda: True, "Stopped reading {name}.", name="a")
