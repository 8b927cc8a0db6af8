"""JSON in and out: nothing is lost on the way, and what cannot be read is a ValueError."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mocksandbox import codec

NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?", fullmatch=True)
EXPONENTS = st.from_regex(r"-?[1-9](\.[0-9]{1,8})?[eE][+-]?[0-9]{1,3}", fullmatch=True)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(st.characters(codec=None, exclude_categories=()))
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(NUMBERS)
@example("0.500")
@example("-0.0")
@example("100000000000000000000.10")
@example("123456789012345678901234567890")
def test_numbers_are_written_as_they_were_read(text: str) -> None:
    for template in ("{}", "[1,{}]", '{{"value":{}}}', '{{"a":[{{"b":{}}}]}}'):
        sent = template.format(text)
        written = codec.dumps(codec.loads(sent.encode())).decode()
        assert written == sent if text != "-0" else written in (sent, template.format("0"))


@given(EXPONENTS)
@example("1e999")
@example("1E-30")
def test_numbers_with_an_exponent_keep_their_value(text: str) -> None:
    written = codec.dumps(codec.loads(f"[{text}]".encode())).decode()
    assert Decimal(written.strip("[]")) == Decimal(text)


@given(VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    written = codec.dumps(value)
    assert _floats(codec.loads(written)) == _floats(value)
    assert _floats(json.loads(written)) == _floats(value)


def _floats(value: Any) -> Any:
    """The value with decimals as floats: a float may be spelled in a way that is read as a decimal."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return {key: _floats(item) for key, item in value.items()} if isinstance(value, dict) else value


def test_lone_surrogates_are_kept() -> None:
    value = codec.loads(b'{"name": "\\ud800x"}')
    assert value == {"name": "\ud800x"}
    assert codec.loads(codec.dumps(value)) == value


def test_a_text_that_looks_like_a_number_stays_a_text() -> None:
    for text in ("0.500", '": 0.10', "1e999", '"'):
        assert codec.loads(codec.dumps({"x": text, "y": Decimal("0.10")})) == {"x": text, "y": Decimal("0.10")}


def test_a_decimal_beside_a_lone_surrogate_is_written_as_a_number() -> None:
    assert codec.dumps({"a": "\ud800", "b": Decimal("0.50")}) == b'{"a":"\\ud800","b":0.50}'


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a": 1,}', b"{'a': 1}", b"\xff", '{"a": 1}'.encode("utf-16"), b"[1] x", b'"\n"', b'{"a": 0.50,}']
)
def test_what_is_not_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec.loads(body)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_what_is_nested_too_deep_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        codec.loads(body)


def test_a_number_of_too_many_digits_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="too many digits"):
        codec.loads(b"[" + b"9" * 5000 + b"]")


def test_a_value_that_is_nested_too_deep_to_write_is_a_value_error() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="nested too deep"):
        codec.dumps(value)


def test_what_is_not_json_is_not_written() -> None:
    for value in (object(), {"a": {1, 2}}, ["\ud800", b"x"]):
        with pytest.raises(TypeError):
            codec.dumps(value)


NUMBERS_AND_WORDS = "0.50 1.5 -2 1e5 1E5 0.0001 123456789012345678 12345.10 17.271 10 null true"
PIECES = [*NUMBERS_AND_WORDS.split(" "), *"[]{}:,", '"a"', '"13:28:17.10"', '"4e8f"', '", 1.50"', '"k":', '"k" : ', " ", "\n"]


def test_a_text_is_looked_through_quickly_and_no_fragile_number_is_missed() -> None:
    random = Random(5)
    fragile = 0
    for _ in range(60_000):
        text = "{["[random.randrange(2)] + "".join(random.choice(PIECES) for _ in range(random.randrange(1, 8)))
        text += "" if random.random() < 0.5 else "]}"[text[0] == "{"]
        numbers: list[str] = []
        try:
            json.loads(text, parse_float=numbers.append, parse_int=numbers.append)
        except ValueError:
            continue  # what is no JSON is refused, whatever its numbers
        kept, lost = codec._keeps_numbers(text.encode()), any(_fragile(number) for number in numbers)
        assert not (kept and lost), text
        assert kept or codec._FRAGILE_NUMBER.search(text.encode()), text  # which may find one inside a string
        fragile += lost
    assert fragile > 50


def _fragile(number: str) -> bool:
    return re.match(codec._FRAGILE, number.lstrip("-").encode()) is not None


@pytest.mark.parametrize(
    "words", ["2021-02-07T13:28:17.000Z", "2021-02-07T13:28:17.10+00:00", "urn:uuid:4e81e510-0000-4000-8000-000000000000"]
)
def test_a_time_and_a_uuid_are_no_numbers_whose_spelling_matters(words: str) -> None:
    text = json.dumps({"when": [words, 1.5, -2]}).encode()
    assert not codec._PERHAPS_FRAGILE.search(text.translate(codec._QUICK, codec._LEFT_OUT))
    assert codec._keeps_numbers(text)
    assert not codec._keeps_numbers(text.replace(b"-2", b"-2.50"))
