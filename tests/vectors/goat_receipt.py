"""Receipts, read from core/commit/FORMAT.md section 9 alone. Every rule of it is a check here."""
from dataclasses import dataclass, field

from goat_batch import H, Newer, tree_hash, tree_nodes
from goat_cbor import Fault, Reader, encode, head

LEAVES_MAX, BATCH_MAX = 4096, 65536
RECEIPT_MAX = 16 << 20
ARRAY = 4


@dataclass
class Leaf:
    """A leaf, or (batch None) a subtree that is left out."""
    first: int
    count: int
    hash: bytes
    batch: bytes | None = None
    admitted: bool | list = True  # True, or runs as in the record
    refused: list = field(default_factory=list)  # of (index, commit id, reason)

    def entries(self, size):
        """How many entries it names; `size` is the batch's."""
        return size if self.admitted is True else sum(self.admitted[1::2])


@dataclass
class Receipt:
    session: bytes = b""
    log_identity: bytes = b""
    previous: bytes | None = None
    time: int = 0
    first: int = 0
    signature: bytes = b""
    nodes: list = field(default_factory=list)
    size: int = 0
    root: bytes = b""
    signed: bytes = b""
    id: bytes = b""


def number(reader, what):
    value = reader.uint(what)
    if value >= 2**63:
        raise Fault(f"{what} is out of range")
    return value


def read_runs(reader):
    runs = [reader.uint("a run") for _ in range(reader.array("what was admitted"))]
    if len(runs) % 2:
        raise Fault("runs are not pairs")
    end = -1
    for first, count in zip(runs[::2], runs[1::2]):
        if count == 0 or first + count > BATCH_MAX or first <= end:
            raise Fault("a run is out of place")
        end = first + count
    return runs


def read_refused(reader, admitted):
    refused = []
    for _ in range(reader.array("what was refused")):
        if reader.array("a refused leaf") != 3:
            raise Fault("a refused leaf does not have three parts")
        index, commit, reason = reader.uint("an index"), reader.bytes("a commit", 32), reader.uint("a reason")
        if index >= BATCH_MAX or reason >= 2**31 or (refused and index <= refused[-1][0]):
            raise Fault("a refused leaf is out of place")
        refused.append((index, commit, reason))
    if refused and admitted is True:
        raise Fault("all was admitted, and something refused")
    named = set() if admitted is True else {leaf for first, count in zip(admitted[::2], admitted[1::2])
                                            for leaf in range(first, first + count)}
    if named & {index for index, _, _ in refused}:
        raise Fault("a leaf was admitted and refused")
    return refused


def read_node(reader, first):
    begin, parts = reader.at, reader.array("a node")
    if parts == 2:
        count = reader.uint("a count")
        if count == 0:
            raise Fault("a subtree without leaves")
        if count > LEAVES_MAX:
            raise Fault("too many leaves", large=True)
        return Leaf(first, count, reader.bytes("a hash", 32))
    if parts != 3:
        raise Fault("neither a leaf nor a subtree")
    batch = reader.bytes("a batch", 32)
    if reader.peek() == 0xF5:
        reader.take(1)
        admitted = True
    else:
        admitted = read_runs(reader)
    refused = read_refused(reader, admitted)
    return Leaf(first, 1, H(b"\x00", reader.data[begin:reader.at]), batch, admitted, refused)


def read_receipt(data):
    if len(data) > RECEIPT_MAX:
        raise Fault("more than 16 MiB", large=True)
    reader, receipt = Reader(bytes(data)), Receipt()
    parts, form = reader.array("a receipt"), reader.uint("the format")
    if form > 1:
        raise Newer()
    if form != 1 or parts != 8:
        raise Fault("not a receipt")
    receipt.session = reader.bytes("the session", 32)
    receipt.log_identity = reader.bytes("the log's identity", 16)
    receipt.previous = None if reader.null() else reader.bytes("the receipt before it", 32)
    receipt.time, receipt.first = number(reader, "the time"), number(reader, "the first entry")
    receipt.signature = reader.bytes("the signature", 64)
    count = reader.array("nodes")
    if count > LEAVES_MAX:
        raise Fault("too many leaves", large=True)
    if count == 0:
        raise Fault("no leaves")
    for _ in range(count):
        node = read_node(reader, receipt.size)
        receipt.nodes.append(node)
        receipt.size += node.count
        if receipt.size > LEAVES_MAX:
            raise Fault("too many leaves", large=True)
    known = tree_nodes(receipt.size)
    for node in receipt.nodes:
        if (node.first, node.count) not in known:
            raise Fault("a subtree that is none of the tree's")
    for a, b in zip(receipt.nodes, receipt.nodes[1:]):
        siblings = known[a.first, a.count] is not None and known[a.first, a.count] == known[b.first, b.count]
        if a.batch is None and b.batch is None and siblings:
            raise Fault("an elision that is not maximal")
    reader.done("a receipt")
    return receipt


def hash_receipt(receipt, network, repository):
    hashes = {(node.first, node.count): node.hash for node in receipt.nodes}
    receipt.root = tree_hash(hashes, 0, receipt.size)
    receipt.signed = encode(["goat.receipt.1", network, repository, receipt.log_identity, receipt.previous, receipt.time,
                             receipt.first, receipt.size, receipt.root])
    receipt.id = H(receipt.signed)


def encode_receipt(receipt):
    data = head(ARRAY, 8) + encode(1) + encode(receipt.session) + encode(receipt.log_identity) + encode(receipt.previous)
    data += encode(receipt.time) + encode(receipt.first) + encode(receipt.signature) + head(ARRAY, len(receipt.nodes))
    for node in receipt.nodes:
        if node.batch is None:
            data += encode([node.count, node.hash])
            continue
        admitted = b"\xf5" if node.admitted is True else encode(node.admitted)
        data += head(ARRAY, 3) + encode(node.batch) + admitted + encode([list(each) for each in node.refused])
    return data
