"""CBOR as libgoat has it: core deterministic encoding (RFC 8949 section 4.2.1) and the values of core/value,
nothing else. Written from the formats' pages; shares no code with the library."""
import math
import re
import struct

UINT, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)
DATE, SET, REF = 1, 258, 39080
INT64_MAX = 2**63 - 1
DATE_MIN_MS, DATE_MAX_MS = -62135596800000, 253402300799999
NAME = r"(?!\.)[A-Za-z0-9._-]{1,64}"
# Forms of edits: none; only maps with texts as keys lead here, so all; what stands in a map with integers as keys, under
# 0 (an array is one of runs), another integer (the same) or a text; a map is a run, which has integers as keys.
NONE, MAPS, RUNS, MORE, WORD, RUN = range(6)

UNDEFINED = type("Undefined", (), {"__repr__": lambda self: "undefined"})()


class Fault(Exception):
    """What is wrong; `large` if a limit is all that is wrong."""

    def __init__(self, text, large=False):
        super().__init__(text)
        self.large = large


class Reader:
    """A place in bytes, up to an end. Every method reads one thing and stands behind it."""

    def __init__(self, data, begin=0, end=None):
        self.data, self.at, self.end = data, begin, len(data) if end is None else end

    def peek(self):
        if self.at >= self.end:
            raise Fault("cut short")
        return self.data[self.at]

    def take(self, count):
        if count > self.end - self.at:
            raise Fault("cut short")
        self.at += count
        return self.data[self.at - count:self.at]

    def head(self):
        """(major type, argument); the argument of a float is its bits as bytes."""
        first = self.take(1)[0]
        major, low = first >> 5, first & 31
        if low < 24:
            return major, low
        if low > 27:
            raise Fault("an indefinite length, or no head")
        raw = self.take(1 << low - 24)
        if major == SIMPLE:
            return major, raw
        value = int.from_bytes(raw, "big")
        if value < (24, 2**8, 2**16, 2**32)[low - 24]:
            raise Fault("a head is not in its shortest form")
        return major, value

    def of(self, major, what):
        found, argument = self.head()
        if found != major:
            raise Fault(f"{what} is of the wrong type")
        return argument

    def uint(self, what):
        return self.of(UINT, what)

    def array(self, what):
        count = self.of(ARRAY, what)
        if count > self.end - self.at:
            raise Fault("cut short")
        return count

    def map(self, what):
        count = self.of(MAP, what)
        if count > self.end - self.at:
            raise Fault("cut short")
        return count

    def bytes(self, what, length=None):
        value = self.take(self.of(BYTES, what))
        if length is not None and len(value) != length:
            raise Fault(f"{what} does not have {length} bytes")
        return value

    def text(self, what):
        return utf8(self.take(self.of(TEXT, what)))

    def null(self):
        """Passes a null, if one is here."""
        is_null = self.peek() == 0xF6
        self.at += is_null
        return is_null

    def done(self, what):
        if self.at != self.end:
            raise Fault(f"more bytes behind {what}")

    # ---- values ----

    def value(self, depth, edits=NONE):
        """Passes one value at most `depth` deep. True if no form of an edit is in it. `edits`: which forms of
        an edit may stand here. The map of an edit by integer keys is not a layer of the value that it makes, nor is
        the array of runs in it."""
        begin = self.at
        major, argument = self.head()
        if major in (UINT, NEGATIVE):
            if argument > INT64_MAX:
                raise Fault("an integer beyond int64")
            return True
        if major in (BYTES, TEXT):
            content = self.take(argument)
            if major == TEXT:
                utf8(content)
            return True
        if major == SIMPLE:
            return self._simple(begin, argument, edits)
        layers = 2 if (major, argument) == (TAG, SET) else 1
        operation = major == MAP and edits == MAPS and argument > 0 and self.peek() >> 5 == UINT
        depth += operation or (major == ARRAY and edits == RUNS)
        if depth < layers:
            raise Fault("too deep", large=True)
        if major == ARRAY:
            return self._elements(argument, depth - 1, inner=RUN if edits in (RUNS, MORE) else NONE)
        if major == MAP:
            return self._pairs(argument, depth - 1, edits if edits in (MAPS, RUN) else NONE, operation)
        return self._tagged(argument, depth)

    def _simple(self, begin, argument, edits):
        first = self.data[begin]
        if first == 0xF7 and edits in (MAPS, RUNS, MORE, WORD):
            return False
        if first in (0xF4, 0xF5, 0xF6):
            return True
        if first in (0xF9, 0xFA, 0xFB):
            self._float(argument)
            return True
        raise Fault("a simple value that is no value")

    def _float(self, raw):
        value = struct.unpack({2: ">e", 4: ">f", 8: ">d"}[len(raw)], raw)[0]
        if not math.isfinite(value):
            raise Fault("not a number, or infinite")
        if value == int(value) and abs(value) <= 2**53:
            raise Fault("a whole number is written as a float")
        for form in (">e", ">f"):
            try:
                short = struct.pack(form, value)
            except OverflowError:
                continue
            if len(short) < len(raw) and struct.unpack(form, short)[0] == value:
                raise Fault("a float is not in its shortest form")
        return value

    def _elements(self, count, depth, ascending=False, inner=NONE):
        last, plain = None, True
        for _ in range(count):
            begin = self.at
            plain = self.value(depth, inner) and plain
            element = self.data[begin:self.at]
            if ascending and last is not None and element <= last:
                raise Fault("a set is not sorted")
            last = element
        return plain

    def _pairs(self, count, depth, edits, operation):
        last, plain = None, True
        for _ in range(count):
            begin = self.at
            major, argument = self.head()
            if major == TEXT:
                utf8(self.take(argument))
            elif major == UINT and edits != NONE and argument <= INT64_MAX:
                plain = False
            else:
                raise Fault("a map's key is not a text")
            key = self.data[begin:self.at]
            if last is not None and key <= last:
                raise Fault("a map is not sorted by its keys")
            last = key
            inner = NONE if edits in (NONE, RUN) else MAPS
            if operation:
                inner = WORD if major == TEXT else MORE if argument > 0 else RUNS
            plain = self.value(depth, inner) and plain
        return plain

    def _tagged(self, tag, depth):
        begin = self.at
        if tag == SET:
            return self._elements(self.array("a set"), depth - 2, ascending=True)
        if tag == REF:
            path = self.text("a ref")
            parts = path.split("/")
            if len(parts) != 4 or parts[0] or not all(re.fullmatch(NAME, part) for part in parts[1:3]):
                raise Fault("a ref is not a path")
            try:
                item_key(parts[3])
            except Fault as fault:
                raise Fault("a ref is not a path") from fault
            return True
        if tag != DATE:
            raise Fault("an unknown tag")
        major, argument = self.head()
        if major in (UINT, NEGATIVE):
            seconds = argument if major == UINT else -1 - argument
            good = DATE_MIN_MS <= seconds * 1000 <= DATE_MAX_MS
        elif self.data[begin] in (0xF9, 0xFA, 0xFB):
            seconds = self._float(argument)
            ms = round(seconds * 1000)
            good = DATE_MIN_MS <= ms <= DATE_MAX_MS and ms / 1000 == seconds and ms % 1000 != 0
        else:
            good = False
        if not good:
            raise Fault("a date is not a number of milliseconds in the years 1 to 9999")
        return True


def utf8(content):
    try:
        return bytes(content).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault("a text is not UTF-8") from error


def item_key(key):
    size = len(key.encode())
    if size == 0 or key in (".", "..") or re.search(r"[/\x00-\x1f\x7f]", key):
        raise Fault("not an item's key")
    if size > 512:
        raise Fault("an item's key is too long", large=True)


# ---- writing ----


def head(major, argument):
    if argument < 24:
        return bytes([major << 5 | argument])
    for low, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * width:
            return bytes([major << 5 | low]) + argument.to_bytes(width, "big")
    raise ValueError(argument)


def encode(value):
    """Integers that are not negative, bytes, texts, null and arrays: what the signed bytes consist of."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(UINT, value)
    if isinstance(value, bytes):
        return head(BYTES, len(value)) + value
    if isinstance(value, str):
        return head(TEXT, len(value.encode())) + value.encode()
    return head(ARRAY, len(value)) + b"".join(encode(element) for element in value)


def plain(data):
    """A value as Python has it, for reading certificates: maps, texts, bytes, numbers. Checked before."""
    reader = Reader(data)

    def read():
        first = reader.peek()
        major, argument = reader.head()
        if major == UINT:
            return argument
        if major == NEGATIVE:
            return -1 - argument
        if major == BYTES:
            return bytes(reader.take(argument))
        if major == TEXT:
            return utf8(reader.take(argument))
        if major == ARRAY:
            return [read() for _ in range(argument)]
        if major == MAP:
            return {read(): read() for _ in range(argument)}
        if major == TAG:
            return (argument, read())
        return {0xF4: False, 0xF5: True, 0xF6: None, 0xF7: UNDEFINED}.get(first, argument)

    return read()
