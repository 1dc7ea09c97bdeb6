# Values on the wire: a tag, then for a single value its length in bytes, `:` and the bytes, and for a collection
# its number of items, `:` and the items. `src/wire.rs` is the other side.

import os
import sys

DEEPEST = 200
ENVELOPE = 4

HANDLES = {}
HANDLE_OF = {}


class Unsendable(Exception):
    """A value that cannot be sent."""


def lend(value):
    """Keeps an object here and returns the number under which it can be asked for."""
    number = HANDLE_OF.get(id(value))
    if number is None:
        number = len(HANDLES) + 1
        HANDLES[number] = value
        HANDLE_OF[id(value)] = number
    return number


def take_back(kept):
    """Forgets the objects that were lent after the first ones."""
    for number in range(kept + 1, len(HANDLES) + 1):
        HANDLE_OF.pop(id(HANDLES.pop(number)), None)


def print_safely(value):
    """Returns what `str` makes of a value, or what Python prints of one that cannot be printed."""
    try:
        text = str.__str__(str(value))
        text.encode()
        return text
    except Exception:
        return "<unprintable %s object>" % type(value).__name__


def is_true(value):
    try:
        return bool(value)
    except Exception:
        return True


def kind_of(value):
    from collections import abc

    if isinstance(value, abc.Mapping):
        return "mapping"
    if isinstance(value, type):
        return "plain"
    if hasattr(type(value), "__len__") and hasattr(type(value), "__getitem__"):
        return "sequence"
    return "iterable" if hasattr(type(value), "__iter__") else "plain"


def put(pieces, tag, text):
    try:
        payload = text.encode() if type(text) is str else text
    except UnicodeEncodeError:
        raise Unsendable("a text that is not Unicode") from None
    pieces.append(b"%s%d:" % (tag, len(payload)))
    pieces.append(payload)


def put_handle(pieces, value, depth):
    pieces.append(b"h")
    described = [
        lend(value),
        type(value).__name__,
        print_safely(value),
        kind_of(value),
        callable(value),
        is_true(value),
    ]
    encode_into(pieces, described, depth)


def put_items(pieces, tag, items, depth):
    pieces.append(b"%s%d:" % (tag, len(items)))
    for item in items:
        encode_into(pieces, item, depth + 1)


def order_set(items):
    """Orders a set: Python's own order of texts differs from run to run, that of numbers does not."""
    items = list(items)
    if all(type(item) in (int, float, bool) for item in items):
        return items
    return sorted(items, key=lambda item: (type(item).__name__, repr(item)))


def encode_into(pieces, value, depth):
    if depth > DEEPEST + ENVELOPE:
        raise Unsendable("a value that is nested deeper than %d levels, or holds itself" % DEEPEST)
    kind = type(value)
    if value is None:
        pieces.append(b"N")
    elif kind is bool:
        pieces.append(b"T" if value else b"F")
    elif kind is str:
        put(pieces, b"s", value)
    elif kind is int:
        put(pieces, b"i", int.__repr__(value))
    elif kind is float:
        put(pieces, b"f", float.__repr__(value))
    elif kind is list:
        put_items(pieces, b"l", value, depth)
    elif kind is dict or (kind.__name__ == "OrderedDict" and kind.__module__ == "collections"):
        pieces.append(b"m%d:" % len(value))
        for key, item in list(value.items()):
            encode_into(pieces, key, depth + 1)
            encode_into(pieces, item, depth + 1)
    elif kind is tuple:
        put_items(pieces, b"u", value, depth)
    elif kind is set or kind is frozenset:
        put_items(pieces, b"e" if kind is set else b"z", order_set(value), depth)
    elif kind is bytes or kind is bytearray:
        put(pieces, b"b", bytes(value))
    else:
        encode_object(pieces, value, depth)


def encode_object(pieces, value, depth):
    """Sends an object that prints as the text, number or date that it is as such, and lends out any other."""
    kind = type(value)
    if kind.__module__ == "datetime" and kind.__name__ in ("date", "datetime", "time"):
        put(pieces, {"date": b"d", "datetime": b"D", "time": b"t"}[kind.__name__], str(value))
    elif is_undefined(value):
        put(pieces, b"U", str(getattr(value, "_undefined_name", None) or ""))
    elif isinstance(value, str) and print_safely(value) == str.__str__(value):
        put(pieces, b"s", str.__str__(value))
    elif isinstance(value, int) and print_safely(value) == int.__repr__(value):
        put(pieces, b"i", int.__repr__(value))
    elif isinstance(value, float) and print_safely(value) == float.__repr__(value):
        put(pieces, b"f", float.__repr__(value))
    else:
        put_handle(pieces, value, depth)


def encode(value):
    pieces = []
    encode_into(pieces, value, 0)
    return b"".join(pieces)


class Decoder:
    """Reads values from the bytes of a message."""

    def __init__(self, message):
        self.message = message
        self.at = 0

    def count(self):
        end = self.message.index(b":", self.at)
        number = int(self.message[self.at : end])
        self.at = end + 1
        return number

    def payload(self):
        length = self.count()
        self.at += length
        return self.message[self.at - length : self.at]

    def text(self):
        return self.payload().decode()

    def items(self):
        return [self.value() for _ in range(self.count())]

    def mapping(self):
        count = self.count()
        made = {}
        for _ in range(count):
            key = self.value()
            made[key] = self.value()
        return made

    def value(self):
        tag = self.message[self.at : self.at + 1]
        self.at += 1
        return DECODERS[tag](self)


def decode_date(kind):
    def decode(decoder):
        import datetime

        return getattr(datetime, kind).fromisoformat(decoder.text())

    return decode


def decode_path(decoder):
    from pathlib import Path

    return Path(decoder.text())


DECODERS = {
    b"N": lambda decoder: None,
    b"T": lambda decoder: True,
    b"F": lambda decoder: False,
    b"s": Decoder.text,
    b"i": lambda decoder: int(decoder.payload()),
    b"f": lambda decoder: float(decoder.payload()),
    b"b": Decoder.payload,
    b"d": decode_date("date"),
    b"D": decode_date("datetime"),
    b"t": decode_date("time"),
    b"p": decode_path,
    b"U": lambda decoder: make_undefined(decoder.text()),
    b"l": Decoder.items,
    b"u": lambda decoder: tuple(decoder.items()),
    b"e": lambda decoder: set(decoder.items()),
    b"z": lambda decoder: frozenset(decoder.items()),
    b"m": Decoder.mapping,
    b"H": lambda decoder: HANDLES[int(decoder.payload())],
}
