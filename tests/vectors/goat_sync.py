"""Messages of core/sync/PROTOCOL.md: packets to lists and back, the Bloom filter, what PROOF signs. Written from the
page; shares no code with the library."""
import math
import re

from goat_cbor import ARRAY, BYTES, NAME, TEXT, UINT, Fault, Reader, encode, head, utf8

NAMES = ("HELLO PROOF OPEN OPENED CLOSE DATA ACK POINT COMPARE WANT CREDIT LIST REPOS CERTIFY AGAIN BYE REFUSE LOST").split()
RECEIPT = 128


# ---- what may stand where: functions that are true for what may ----


def number(most, least=0):
    return lambda x: type(x) is int and least <= x <= most


def octets(*lengths):
    return lambda x: isinstance(x, bytes) and len(x) in lengths


def null_or(check):
    return lambda x: x is None or check(x)


def many(check, most, least=0):
    return lambda x: isinstance(x, list) and least <= len(x) <= most and all(check(one) for one in x)


def some_bytes(x):
    return isinstance(x, bytes)


def boolean(x):
    return x is True or x is False


def reason(x):
    return isinstance(x, str) and len(x.encode()) <= 512


def path(x):
    return isinstance(x, str) and re.fullmatch(rf"/{NAME}/{NAME}", x) is not None


def record(x):
    return some_bytes(x) or (isinstance(x, list) and len(x) == 2 and x[0] == RECEIPT and some_bytes(x[1]))


def a_filter(x):
    return (many(lambda _: True, 4, 4)(x) and octets(16)(x[0]) and number(2**26, 64)(x[1]) and x[1] % 64 == 0
            and number(32, 1)(x[2]) and octets(x[1] // 8)(x[3]))


COUNT, ID, KEY, CHANNEL, STATUS, POINT = (number(2**63 - 1), octets(32), octets(32), number(1024, 1), number(999),
                                          octets(24))
FORMS = {
    "HELLO": (number(2**32 - 1), number(1), null_or(ID), null_or(KEY), KEY, octets(32), COUNT, number(2**28, 2**16),
              null_or(some_bytes)),
    "PROOF": (octets(64),),
    "OPEN": (CHANNEL, path, number(3), COUNT, null_or(POINT)),
    "OPENED": (CHANNEL, number(2), COUNT, COUNT),
    "CLOSE": (CHANNEL, STATUS, reason),
    "DATA": (CHANNEL, number(15), many(record, 4096)),
    "ACK": (CHANNEL, number(3), many(ID, 1024, 1)),
    "POINT": (CHANNEL, COUNT, POINT),
    "COMPARE": (CHANNEL, number(2**31 - 1), number(3), COUNT, octets(32), null_or(a_filter)),
    "WANT": (CHANNEL, many(ID, 256, 1)),
    "CREDIT": (number(2**28),),
    "LIST": (),
    "REPOS": (many(path, 1024), boolean),
    "CERTIFY": (),
    "AGAIN": (CHANNEL,),
    "BYE": (STATUS, reason),
    "LOST": (CHANNEL, many(ID, 256, 1)),
    "REFUSE": (number(1024), ID, STATUS, reason),
}


def read(reader):
    """Any item that messages are made of: unsigned numbers, bytes, texts, arrays, null, true, false."""
    first = reader.peek()
    if first in (0xF4, 0xF5, 0xF6):
        reader.take(1)
        return {0xF4: False, 0xF5: True, 0xF6: None}[first]
    major, argument = reader.head()
    if major == UINT:
        return argument
    if major == BYTES:
        return bytes(reader.take(argument))
    if major == TEXT:
        return utf8(reader.take(argument))
    if major == ARRAY:
        return [read(reader) for _ in range(argument)]
    raise Fault("nothing that a message is made of")


def write(value):
    if value is True or value is False:
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, list):
        return head(ARRAY, len(value)) + b"".join(write(element) for element in value)
    return encode(value)


def messages(packet):
    """(name, elements, bytes) of each message in a packet; each is held to its one encoding."""
    reader = Reader(packet)
    while reader.at < reader.end:
        begin = reader.at
        message = read(reader)
        if not isinstance(message, list) or not message or not number(len(NAMES) - 1)(message[0]):
            raise Fault("not a message")
        name = NAMES[message[0]]
        if len(message) != 1 + len(FORMS[name]):
            raise Fault(f"{name} has {len(message)} elements")
        for place, (check, element) in enumerate(zip(FORMS[name], message[1:])):
            if not check(element):
                raise Fault(f"{name}: element {place + 1}")
        raw = packet[begin:reader.at]
        if write(message) != raw:
            raise Fault(f"{name} is not in its only form")
        yield name, message, raw


# ---- the filter, section 7.3 ----

MASK = 2**64 - 1


def siphash(key, data):
    """SipHash-2-4 (Aumasson and Bernstein 2012)."""
    k0, k1 = (int.from_bytes(key[i:i + 8], "little") for i in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(value, by):
        return (value << by | value >> 64 - by) & MASK

    def rounds(count):
        for _ in range(count):
            v[0] = v[0] + v[1] & MASK
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = v[2] + v[3] & MASK
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = v[0] + v[3] & MASK
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = v[2] + v[1] & MASK
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    whole = len(data) // 8 * 8
    words = [data[i:i + 8] for i in range(0, whole, 8)]
    words.append(data[whole:].ljust(7, b"\0") + bytes([len(data) & 255]))
    for word in words:
        number = int.from_bytes(word, "little")
        v[3] ^= number
        rounds(2)
        v[0] ^= number
    v[2] ^= 255
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def sizes(elements):
    """(bits, hashes) of a filter made for so many."""
    elements = max(elements, 1)
    each = math.ceil(144 * math.ceil(math.log2(8 * elements)) / 100)
    each = max(10, min(each, 8 * 65536 // elements))
    return min((each * elements + 63) // 64 * 64, 8 * 2**23), min(32, math.ceil(69 * each / 100))


def places(salt, bits, hashes, element):
    first, step = siphash(salt, element), siphash(salt[:-1] + bytes([salt[-1] ^ 1]), element) | 1
    return [((first + i * step) & MASK) % bits for i in range(hashes)]


def may_hold(part, element):
    salt, bits, hashes, content = part
    return all(content[place // 8] >> place % 8 & 1 for place in places(salt, bits, hashes, element))
