"""Values of core/value/FORMAT.md as Python has them, written as CBOR and as JSON, and read from both. Written from
that page; shares no code with the library."""
import base64
import datetime
import json
import math
import re
import struct
from typing import NamedTuple

from goat_cbor import (ARRAY, BYTES, DATE, DATE_MAX_MS, DATE_MIN_MS, INT64_MAX, MAP, NEGATIVE, REF, SET, TAG, TEXT, UINT,
                       Fault, Reader, head, item_key)

VALUE_MAX, DEPTH_MAX = 2**24, 64
NAME = r"(?!\.)[A-Za-z0-9._-]{1,64}"


class Date(NamedTuple):
    ms: int


class Set(NamedTuple):
    elements: list


class Ref(NamedTuple):
    path: str


# ---- CBOR ----


def encode(value):
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return head(UINT, value) if value >= 0 else head(NEGATIVE, -1 - value)
    if isinstance(value, float):
        return encode(int(value)) if value == int(value) and abs(value) <= 2**53 else encode_float(value)
    if isinstance(value, Date):
        seconds = value.ms // 1000 if value.ms % 1000 == 0 else value.ms / 1000
        return head(TAG, DATE) + (encode_float(seconds) if isinstance(seconds, float) else encode(seconds))
    if isinstance(value, Set):
        elements = sorted({encode(element) for element in value.elements})
        return head(TAG, SET) + head(ARRAY, len(elements)) + b"".join(elements)
    if isinstance(value, Ref):
        return head(TAG, REF) + encode(value.path)
    if isinstance(value, bytes):
        return head(BYTES, len(value)) + value
    if isinstance(value, str):
        return head(TEXT, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(ARRAY, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(key), encode(element)) for key, element in value.items())
    return head(MAP, len(pairs)) + b"".join(key + element for key, element in pairs)


def encode_float(number):
    for first, form in ((b"\xf9", ">e"), (b"\xfa", ">f")):
        try:
            if struct.unpack(form, struct.pack(form, number))[0] == number:
                return first + struct.pack(form, number)
        except OverflowError:
            pass
    return b"\xfb" + struct.pack(">d", number)


def decode(data):
    """Bytes that are exactly one value."""
    reader = Reader(data)
    reader.value(DEPTH_MAX)
    reader.done("a value")
    if len(data) > VALUE_MAX:
        raise Fault("a value of more than 16 MiB", large=True)
    return _read(Reader(data))


def _read(reader):
    first = reader.peek()
    major, argument = reader.head()
    if major in (UINT, NEGATIVE):
        return argument if major == UINT else -1 - argument
    if major == BYTES:
        return bytes(reader.take(argument))
    if major == TEXT:
        return bytes(reader.take(argument)).decode()
    if major == ARRAY:
        return [_read(reader) for _ in range(argument)]
    if major == MAP:
        return {_read(reader): _read(reader) for _ in range(argument)}
    if major == TAG:
        inner = _read(reader)
        return {DATE: lambda: Date(round(inner * 1000)), SET: lambda: Set(inner), REF: lambda: Ref(inner)}[argument]()
    if first in (0xF4, 0xF5, 0xF6):
        return {0xF4: False, 0xF5: True, 0xF6: None}[first]
    return struct.unpack({2: ">e", 4: ">f", 8: ">d"}[len(argument)], argument)[0]


# ---- JSON ----

WORDS = ("date", "bytes", "set", "ref")


def to_json(value, kind=None):
    """`kind`: the one that is wanted plain."""
    if value is None or isinstance(value, bool):
        return {None: "null", False: "false", True: "true"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = next(t for t in (f"{value:.{p}g}" for p in (15, 16, 17)) if float(t) == value)
        return text if re.search("[.e]", text) else text + ".0"
    if isinstance(value, str):
        return json_string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(to_json, value)) + "]"
    if isinstance(value, dict):
        keys = list(value)
        if len(keys) == 1 and re.fullmatch(rf"\$+({'|'.join(WORDS)})", keys[0]):
            return "{" + json_string("$" + keys[0]) + ":" + to_json(value[keys[0]]) + "}"
        return "{" + ",".join(json_string(key) + ":" + to_json(value[key]) for key in keys) + "}"
    word, text = {
        Date: lambda: ("date", json_string(date_text(value.ms))),
        bytes: lambda: ("bytes", json_string(base64.b64encode(value).decode())),
        Set: lambda: ("set", to_json(value.elements)),
        Ref: lambda: ("ref", json_string(value.path)),
    }[type(value)]()
    return text if word == kind else '{"$' + word + '":' + text + "}"


def json_string(text):
    named = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
    return '"' + "".join(named.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in text) + '"'


def date_text(ms):
    moment = datetime.datetime(1, 1, 1) + datetime.timedelta(milliseconds=ms - DATE_MIN_MS)
    return moment.strftime("%Y").zfill(4) + moment.strftime("-%m-%dT%H:%M:%S") + (f".{ms % 1000:03}" if ms % 1000 else "") + "Z"


def from_json(data, kind=None):
    """A text of JSON as a value, or a Fault."""

    def no_constant(name):
        raise Fault("not JSON")

    def integer(text):
        number = int(text)
        if not -INT64_MAX - 1 <= number <= INT64_MAX:
            raise Fault("an integer beyond int64")
        return number

    def real(text):
        number = float(text)
        if not math.isfinite(number):
            raise Fault("a number beyond binary64")
        return number

    try:
        tree = json.loads(data.decode("utf-8"), parse_constant=no_constant, parse_int=integer, parse_float=real)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Fault("not JSON") from error
    value = _of_tree(tree, kind, 0)
    if len(encode(value)) > VALUE_MAX:
        raise Fault("a value of more than 16 MiB", large=True)
    return value


def _deeper(depth, layers):
    if depth + layers > DEPTH_MAX:
        raise Fault("too deep", large=True)
    return depth + layers


def _of_tree(tree, kind, depth):
    if isinstance(tree, str):
        return _of_text(tree, kind, depth)
    if isinstance(tree, list):
        inner = _deeper(depth, 2 if kind == "set" else 1)
        elements = [_of_tree(element, None, inner) for element in tree]
        return Set(elements) if kind == "set" else elements
    if not isinstance(tree, dict):
        return tree
    if len(tree) == 1:
        (key, inner), = tree.items()
        match = re.fullmatch(rf"(\$+)({'|'.join(WORDS)})", key)
        if match and len(match[1]) == 1:
            if not isinstance(inner, list if match[2] == "set" else str):
                raise Fault("a wrapped form of the wrong kind")
            return _of_tree(inner, match[2], depth)
        if match:
            tree = {key[1:]: inner}
    inner_depth = _deeper(depth, 1)
    return {_of_text(key, None, depth): _of_tree(inner, None, inner_depth) for key, inner in tree.items()}


def _of_text(text, kind, depth):
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Fault("half of a surrogate pair") from error
    if kind == "bytes":
        try:
            found = base64.b64decode(text, validate=True)
        except ValueError as error:
            raise Fault("not base64") from error
        if base64.b64encode(found).decode() != text:
            raise Fault("not the one form of base64")
        return found
    if kind in ("date", "ref"):
        _deeper(depth, 1)
    if kind == "ref":
        path(text, "item")
        return Ref(text)
    return Date(date_ms(text)) if kind == "date" else text


def date_ms(text):
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}|[0-9]{1,2})(0*)"
                         r"|\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))", text)
    if match is None or ("." in text and match[7] is None):
        raise Fault("not a date")
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second)
    except ValueError as error:
        raise Fault("a date that the calendar does not have") from error
    ms = DATE_MIN_MS + (moment - datetime.datetime(1, 1, 1)) // datetime.timedelta(milliseconds=1)
    ms += int((match[7] or "").ljust(3, "0"))
    if match[9]:
        if int(match[10]) > 23 or int(match[11]) > 59:
            raise Fault("a zone that does not exist")
        ms -= int(match[9] + "1") * (int(match[10]) * 60 + int(match[11])) * 60000
    if not DATE_MIN_MS <= ms <= DATE_MAX_MS:
        raise Fault("a date beyond the years 1 to 9999")
    return ms


# ---- paths, order ----


def path(text, kind=None):
    """The two or three parts of a path; `kind`: "repo" or "item" if only that will do."""
    parts = text.split("/", 3)
    if len(parts) < 3 or parts[0] or not all(re.fullmatch(NAME, part) for part in parts[1:3]):
        raise Fault("not a path")
    if len(parts) == 4:
        try:
            item_key(parts[3])
        except Fault as fault:
            raise Fault("not the key of an item") from fault
    if kind and len(parts) != {"repo": 3, "item": 4}[kind]:
        raise Fault("a path of the other kind")
    return parts[1:]


def place(value):
    """Sorts as values do: Python compares integers and floats exactly, and tuples as FORMAT.md 5.1 wants it."""
    if value is None:
        return (1,)
    if isinstance(value, bool):
        return (8, value)
    if isinstance(value, (int, float)):
        return (2, value)
    if isinstance(value, str):
        return (3, value.encode())
    if isinstance(value, bytes):
        return (6, len(value), value)
    if isinstance(value, dict):
        return (4, [(place(inner)[0], key.encode(), place(inner)) for key, inner in value.items()])
    if isinstance(value, Date):
        return (9, value.ms)
    if isinstance(value, Ref):
        return (7, value.path.encode())
    return (5, [place(element) for element in (value.elements if isinstance(value, Set) else value)])


# ---- order stamps ----

LEADS = {"d": 1, "c": 2, "b": 4, "a": 8, "w": 1, "x": 2, "y": 4, "z": 8}
STAMP_PART = re.compile(rb"([e-v])|([dw])([0-9a-z])|([cx])([0-9a-z]{2})|([by])([0-9a-z]{4})|([az])([0-9a-z]{8})|"
                        rb"([0-9][0-9a-z]{12})")


def stamp(text):
    """The parts of an order stamp: numbers, and tails as text."""
    if not 14 <= len(text) <= 255:
        raise Fault("a stamp has 14 to 255 characters")
    parts, at = [], 0
    while at < len(text):
        match = STAMP_PART.match(text, at)
        if not match:
            raise Fault("no part of a stamp")
        found = [group.decode() for group in match.groups() if group is not None]
        at = match.end()
        parts.append(stamp_number(found) if found[0][0] > "9" else found[0])
        if isinstance(parts[-1], str) and (len(parts) == 1 or isinstance(parts[-2], str) or parts[-2] == STAMP_MIN):
            raise Fault("a tail where a number is to stand")
    if not isinstance(parts[-1], str):
        raise Fault("a stamp without a tail")
    return parts


def stamp_number(found):
    lead, digits = found[0], "".join(found[1:])
    if not digits:
        return ord(lead) - ord("n")
    nearer = 9 + sum(36**count for count in (1, 2, 4, 8) if count < LEADS[lead])
    if lead >= "w":
        return nearer + int(digits, 36)
    return -nearer - 36 ** LEADS[lead] + int(digits, 36)


STAMP_MIN = stamp_number(["a", "00000000"])


def stamp_place(parts):
    """Sorts as stamps do: tails before numbers."""
    return [(0, part) if isinstance(part, str) else (1, part) for part in parts]


# ---- rich texts ----


def rich(document):
    """The elements of a rich text in its one form: characters, and embeds as maps, each with its attributes."""
    if not isinstance(document, list):
        raise Fault("a rich text is an array")
    elements, last = [], None
    for insertion in document:
        if not isinstance(insertion, dict) or "insert" not in insertion or not insertion.keys() <= {"insert", "attributes"}:
            raise Fault("no insertion")
        content, attributes = insertion["insert"], insertion.get("attributes")
        if not isinstance(content, (str, dict)) or not content:
            raise Fault("nothing is inserted")
        if "attributes" in insertion and (not isinstance(attributes, dict) or not attributes or None in attributes.values()):
            raise Fault("no attributes")
        this = encode(attributes)
        if isinstance(content, str) and this == last:
            raise Fault("two insertions in place of one")
        last = this if isinstance(content, str) else None
        elements += [(element, attributes) for element in ([content] if isinstance(content, dict) else content)]
    return elements


def rich_plain(elements):
    return "".join(element if isinstance(element, str) else "\ufffc" for element, _ in elements)
