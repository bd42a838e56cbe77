"""Messages of core/sync/PROTOCOL.md: packets to lists and back, the Bloom filter, what PROOF signs. Written from the
page; shares no code with the library."""
from goat_cbor import ARRAY, BYTES, TEXT, UINT, Fault, Reader, encode, head, utf8

NAMES = ("HELLO PROOF OPEN OPENED CLOSE DATA ACK POINT COMPARE WANT CREDIT LIST REPOS CERTIFY AGAIN BYE REFUSE").split()
ELEMENTS = dict(zip(NAMES, (10, 2, 6, 5, 4, 4, 4, 4, 7, 3, 2, 1, 3, 1, 2, 3, 5)))
RECEIPT = 128


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
        if not isinstance(message, list) or not message or message[0] >= len(NAMES):
            raise Fault("not a message")
        name = NAMES[message[0]]
        if len(message) != ELEMENTS[name]:
            raise Fault(f"{name} has {len(message)} elements")
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


def may_hold(part, element):
    salt, bits, hashes, content = part
    if len(content) * 8 != bits or bits % 64 or not 1 <= hashes <= 32 or len(salt) != 16:
        raise Fault("not a filter")
    first, step = siphash(salt, element), siphash(salt[:-1] + bytes([salt[-1] ^ 1]), element) | 1
    places = (((first + i * step) & MASK) % bits for i in range(hashes))
    return all(content[place // 8] >> place % 8 & 1 for place in places)
