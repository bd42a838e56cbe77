"""The log file: core/log/FORMAT.md sections 2 and 3."""
import hashlib
from dataclasses import dataclass

from goat_cbor import Fault, Reader

SET_ASIDE, RECEIPT = 2, 128
HEADER, OVERHEAD, PAYLOAD_MAX = 1024, 40, 64 << 20


def _table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


TABLE = _table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def u32(data, at):
    return int.from_bytes(data[at:at + 4], "little")


@dataclass
class Log:
    network: bytes
    repository: str
    marker: bytes
    identity: bytes
    records: list  # of (offset, type, payload)
    holes: list  # of (begin, end): where no record is
    aside: list  # of (begin, end): what was set aside

    def is_aside(self, begin, end):
        for first, last in sorted(self.aside):
            if first <= begin < last:
                begin = last
        return begin >= end


def read_header(data, faults):
    """The first block that is good; faults of the other are named."""
    good = []
    for at in (0, 512):
        block = data[at:at + 512]
        if len(block) == 512 and block[:8] == b"GOATLOG\0" and u32(block, 508) == crc32c(block[:508]):
            good.append(block)
        else:
            faults.append(f"header block at {at} is damaged")
    if not good:
        return None
    if len(good) == 2 and good[0] != good[1]:
        faults.append("the two header blocks differ")
    block = good[0]
    version, length = int.from_bytes(block[8:10], "little"), int.from_bytes(block[10:12], "little")
    if version != 1:
        faults.append(f"format version {version} is not known")
        return None
    if u32(block, 12) != 0 or length > 130 or any(block[80 + length:508]) or not any(block[64:72]):
        faults.append("the header does not keep its format")
    return Log(block[16:48], block[80:80 + length].decode(), block[64:72], block[48:64], [], [], [])


def record_at(data, at, marker):
    """(type, payload, chain, end) of the record that begins there; None if there is none that is sound."""
    front = data[at:at + 20]
    if len(front) < 20 or front[:8] != marker or any(front[9:12]) or u32(front, 16) != crc32c(front[:16]):
        return None
    length = u32(front, 12)
    end = at + OVERHEAD + length
    if length > PAYLOAD_MAX or end > len(data):
        return None
    body = data[at + 20:end - 4]
    if u32(data, end - 4) != crc32c(body):
        return None
    return front[8], body[:length], body[length:], end


def read_log(data, faults):
    """All sound records; what lies between them and was not set aside, and chains that do not fit, are faults."""
    log = read_header(data, faults)
    if log is None:
        return None
    at, chain = HEADER, bytes(16)
    while at < len(data):
        record = record_at(data, at, log.marker)
        if record is None:
            end = next_record(data, at + 1, log.marker)
            log.holes.append((at, end))
            at, chain = end, None
            continue
        kind, payload, found, end = record
        expected = chain and hashlib.sha256(chain + data[at + 8:at + 20 + len(payload)]).digest()[:16]
        if expected is not None and found != expected:
            faults.append(f"the record at {at} does not continue the chain")
        log.records.append((at, kind, payload))
        if kind == SET_ASIDE:
            read_aside(log, at, payload, faults)
        at, chain = end, found
    for at, end in log.holes:
        if not log.is_aside(at, end):
            faults.append(f"bytes {at} to {end} are no record" + (" (a torn tail)" if end == len(data) else ""))
    return log


def read_aside(log, at, payload, faults):
    try:
        reader = Reader(payload)
        parts, offset, length = reader.array("a stretch"), reader.uint("an offset"), reader.uint("a length")
        reader.done("a stretch")
    except Fault as fault:
        faults.append(f"the record at {at} sets nothing aside: {fault}")
        return
    if parts != 2 or offset < HEADER or length == 0 or offset + length > at:
        faults.append(f"the record at {at} sets aside what does not stand before it")
    else:
        log.aside.append((offset, offset + length))


def next_record(data, at, marker):
    while (at := data.find(marker, at)) >= 0:
        if record_at(data, at, marker):
            return at
        at += 1
    return len(data)
