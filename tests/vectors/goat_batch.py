"""Commits, trees and batches, read from core/commit/FORMAT.md alone. Every rule of it is a check here."""
import hashlib
import re
from dataclasses import dataclass, field

from goat_cbor import MAP, MAPS, NONE, TEXT, UINT, Fault, Reader, encode, head, item_key, utf8

KINDS = ("had", "hidden", "pruned", "not asked for", "refused")
VALUE_MAX, DEPTH_MAX = 16 << 20, 64
FRAME_MAX = 64 << 20


class Mismatch(Exception):
    """Bytes that are well made but not what their hash or their order says; `status` as the library names it."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


class Newer(Exception):
    """A format number that this page does not know."""


def H(*pieces):
    return hashlib.sha256(b"".join(pieces)).digest()


# ---- commits ----


@dataclass
class Commit:
    header: bytes = b""
    payload: bytes | None = None
    key: str = ""
    parents: list = field(default_factory=list)
    time: int = 0
    namespace: str = ""
    version: int = 0
    schema_hash: bytes = b""
    reverts: list = field(default_factory=list)
    delta: bytes | None = None
    delta_is_state: bool = False
    full: bytes | None = None
    message: str | None = None
    sealed: bytes | None = None


def read_ids(reader, what, least, most):
    count = reader.array(what)
    if count > most:
        raise Fault(f"too many {what}", large=True)
    if count < least:
        raise Fault(f"too few {what}")
    ids = [reader.bytes(what, 32) for _ in range(count)]
    if any(a >= b for a, b in zip(ids, ids[1:])):
        raise Fault(f"{what} are not ascending")
    return ids


def read_fields(reader, state):
    """A delta or a state: its bytes, and whether it has no form of an edit."""
    begin, plain = reader.at, True
    last = None
    for index in range(reader.map("a state" if state else "a delta")):
        at = reader.at
        major, argument = reader.head()
        if major == UINT and argument == 0 and index == 0:
            value = reader.take(1)[0]
            if value != 0xF5 and (state or value != 0xF4):
                raise Fault("key 0 is not what it may be")
            plain, last = False, reader.data[at:at + 1]
            continue
        if major != TEXT:
            raise Fault("a field's name is not a text")
        utf8(reader.take(argument))
        if not 1 <= argument <= 128:
            raise Fault("a field's name is empty or too long", large=argument > 128)
        name = reader.data[at:reader.at]
        if last is not None and name <= last:
            raise Fault("fields are not sorted")
        last = name
        plain = reader.value(DEPTH_MAX - 1, NONE if state else MAPS) and plain
    content = reader.data[begin:reader.at]
    if len(content) > VALUE_MAX:
        raise Fault("more than 16 MiB", large=True)
    return content, plain


def read_keys(reader, most, readers):
    """A map with integer keys in ascending order; gives the set of them."""
    seen = []
    for _ in range(reader.map("a part of a commit")):
        key = reader.uint("a key")
        if key > most or (seen and key <= seen[-1]):
            raise Fault("a key that is unknown or not in order")
        seen.append(key)
        readers[key]()
    return set(seen)


def read_header(reader, commit):
    def key():
        commit.key = reader.text("an item's key")
        item_key(commit.key)

    def parents():
        commit.parents = read_ids(reader, "parents", 1, 1024)

    def time():
        commit.time = reader.uint("the time")
        if commit.time >= 2**63:
            raise Fault("a time of 2^63 or more")

    def schema():
        if reader.array("the schema") != 3:
            raise Fault("the schema does not have three parts")
        commit.namespace = reader.text("the namespace")
        if not re.fullmatch(r"[A-Za-z0-9._-]+", commit.namespace):
            raise Fault("not a namespace")
        if len(commit.namespace) > 64:
            raise Fault("a namespace is too long", large=True)
        commit.version = reader.uint("the schema's version")
        if not 1 <= commit.version < 2**32:
            raise Fault("not a version")
        commit.schema_hash = reader.bytes("the schema's hash", 8)

    def reverts():
        commit.reverts = read_ids(reader, "reverts", 1, 65536)

    begin = reader.at
    seen = read_keys(reader, 4, [key, parents, time, schema, reverts])
    if not {0, 2, 3} <= seen:
        raise Fault("a part of the header is missing")
    if commit.reverts and not commit.parents:
        raise Fault("reverts without parents")
    commit.header = reader.data[begin:reader.at]


def read_payload(reader, commit):
    def delta():
        commit.delta, commit.delta_is_state = read_fields(reader, state=False)

    def full():
        commit.full, _ = read_fields(reader, state=True)

    def message():
        commit.message = reader.text("the message")
        if len(commit.message.encode()) > 4096:
            raise Fault("a message is too long", large=True)

    def sealed():
        begin_sealed = reader.at
        if reader.array("what is sealed") != 2:
            raise Fault("what is sealed does not have two parts")
        reader.bytes("a key id", 8)
        reader.bytes("what is sealed")
        commit.sealed = reader.data[begin_sealed:reader.at]

    begin = reader.at
    seen = read_keys(reader, 3, [delta, full, message, sealed])
    if seen != {3} and (3 in seen or 0 not in seen):
        raise Fault("neither a delta nor sealed alone")
    if commit.full is not None and not commit.parents:
        raise Fault("a full state without parents")
    commit.payload = reader.data[begin:reader.at]


def read_commit(data, pruned=False):
    reader, commit = Reader(bytes(data)), Commit()
    read_header(reader, commit)
    if not pruned:
        read_payload(reader, commit)
    reader.done("a commit")
    return commit


def commit_id(session, inner, header):
    return H(b"\x00", session, inner, header)


# ---- the tree ----


def split(n):
    """The leaves of the left child of n > 1 leaves: the largest power of two below n."""
    return 1 << (n - 1).bit_length() - 1


def tree_nodes(size):
    """Every node as (first, count) with its parent."""
    parents, waiting = {}, [((0, size), None)]
    while waiting:
        (first, count), parent = waiting.pop()
        parents[first, count] = parent
        if count > 1:
            k = split(count)
            waiting += [((first, k), (first, count)), ((first + k, count - k), (first, count))]
    return parents


def tree_hash(hashes, first, count):
    """The hash of a node from those in `hashes`, which cover its leaves."""
    if (first, count) in hashes:
        return hashes[first, count]
    k = split(count)
    return H(b"\x01", tree_hash(hashes, first, k), tree_hash(hashes, first + k, count - k))


# ---- batches ----


@dataclass
class Node:
    kind: str
    first: int
    count: int
    hash: bytes | None = None
    salt: bytes | None = None
    inner: bytes | None = None
    commit: Commit | None = None


@dataclass
class Batch:
    session: bytes = b""
    seq: int = 0
    prev: list = field(default_factory=list)
    skip: bytes | None = None
    groups: list = field(default_factory=list)  # of runs, as in the frame
    flags: int = 0
    size: int = 0
    given_root: bytes | None = None
    signature: bytes = b""
    nodes: list = field(default_factory=list)
    root: bytes = b""
    id: bytes = b""
    signed: bytes = b""

    def leaf_groups(self):
        return [[leaf for first, count in zip(group[::2], group[1::2]) for leaf in range(first, first + count)]
                for group in self.groups]


def read_groups(reader):
    groups = []
    for _ in range(reader.array("groups")):
        if reader.peek() >> 5 == 4:
            group = []
            for _ in range(reader.array("a group")):
                if reader.peek() >> 5 == 4:
                    raise Fault("too deep", large=True)
                group.append(reader.uint("a group"))
            groups.append(group)
        else:
            raise Fault("a group is not an array")
    return groups


def check_groups(groups, size):
    used, least = set(), -1
    for group in groups:
        if len(group) % 2 or not group:
            raise Fault("a group is not pairs")
        end, total = -1, 0
        for first, count in zip(group[::2], group[1::2]):
            if count == 0 or first + count > size or first <= end:
                raise Fault("a run is out of place")
            leaves = set(range(first, first + count))
            if used & leaves:
                raise Fault("groups share a leaf")
            used |= leaves
            end, total = first + count, total + count
        if total < 2 or group[0] <= least:
            raise Fault("a group is too small or not in order")
        least = group[0]


def read_node(reader, first):
    major = reader.peek() >> 5
    if major == 2:
        content = reader.bytes("a leaf")
        if len(content) < 16:
            raise Fault("a leaf is shorter than a salt")
        return Node("leaf", first, 1, salt=content[:16], commit=read_commit(content[16:]))
    parts, reason = reader.array("a node"), reader.uint("a reason")
    if reason >= len(KINDS) or parts != 3:
        raise Fault("a node that is none")
    if KINDS[reason] == "pruned":
        inner, header = reader.bytes("inner", 32), reader.bytes("a header")
        return Node("pruned", first, 1, inner=inner, commit=read_commit(header, pruned=True))
    count = reader.uint("a count")
    return Node(KINDS[reason], first, count, hash=reader.bytes("a hash", 32))


def check_nodes(batch):
    nodes, known = batch.nodes, tree_nodes(batch.size)
    for node in nodes:
        if (node.first, node.count) not in known:
            raise Fault("a node that is none of the tree's")
    if sum(node.count for node in nodes) != batch.size:
        raise Fault("nodes do not cover the leaves")
    for a, b in zip(nodes, nodes[1:]):
        siblings = known[a.first, a.count] is not None and known[a.first, a.count] == known[b.first, b.count]
        if siblings and a.kind == b.kind and a.kind not in ("leaf", "pruned"):
            raise Fault("an elision that is not maximal")
    if (batch.given_root is None) != all(node.kind == "leaf" for node in nodes):
        raise Fault("the root is given where it is not needed, or missing")
    kind_of = {leaf: node.kind for node in nodes for leaf in range(node.first, node.first + node.count)}
    for leaves in batch.leaf_groups():
        if {"leaf", "not asked for"} <= {kind_of[leaf] for leaf in leaves}:
            raise Fault("a group is there in part")


def read_batch(frame):
    if len(frame) > FRAME_MAX:
        raise Fault("more than 64 MiB", large=True)
    reader, batch = Reader(bytes(frame)), Batch()
    parts, number = reader.array("a frame"), reader.uint("the format")
    if number > 1:
        raise Newer()
    if number != 1 or parts != 11:
        raise Fault("not a frame")
    batch.session = reader.bytes("the session", 32)
    batch.seq = reader.uint("seq")
    if not 1 <= batch.seq < 2**63:
        raise Fault("seq is out of range")
    batch.prev = read_ids(reader, "prev", 0, 16)
    if (batch.seq == 1) != (not batch.prev):
        raise Fault("prev is empty only in the first batch")
    batch.skip = None if reader.null() else reader.bytes("skip", 32)
    if (batch.skip is None) != (batch.seq % 2 == 1 or batch.seq & batch.seq - 1 == 0):
        raise Fault("skip is where it should not be, or missing")
    batch.groups = read_groups(reader)
    batch.flags = reader.uint("flags")
    if batch.flags:
        raise Fault("unknown flags")
    batch.size = reader.uint("size")
    if not 1 <= batch.size <= 65536:
        raise Fault("size is out of range", large=batch.size > 0)
    check_groups(batch.groups, batch.size)
    batch.given_root = None if reader.null() else reader.bytes("the root", 32)
    batch.signature = reader.bytes("the signature", 64)
    first = 0
    for _ in range(reader.array("nodes")):
        batch.nodes.append(read_node(reader, first))
        first += batch.nodes[-1].count
    reader.done("a frame")
    check_nodes(batch)
    return batch


def check_order(batch):
    """Within a batch every commit is there once, behind its parents and later."""
    seen = {}
    there = {node.hash: node for node in batch.nodes if node.commit}
    for node in batch.nodes:
        if not node.commit:
            continue
        if node.hash in seen:
            raise Mismatch("GOAT_INVALID", "one commit twice")
        for parent in node.commit.parents:
            if parent in there and parent not in seen:
                raise Mismatch("GOAT_INVALID", "a commit before its parent")
            if parent in there and there[parent].commit.time >= node.commit.time:
                raise Mismatch("GOAT_INVALID", "a commit that is not later than its parent")
        seen[node.hash] = node


def hash_batch(batch, network, repository):
    """Computes all hashes. Mismatch if the root given is another."""
    for node in batch.nodes:
        if node.kind == "leaf":
            node.inner = H(b"\x02", node.salt, node.commit.payload)
        if node.commit:
            node.hash = commit_id(batch.session, node.inner, node.commit.header)
    batch.root = tree_hash({(node.first, node.count): node.hash for node in batch.nodes}, 0, batch.size)
    if batch.given_root not in (None, batch.root):
        raise Mismatch("GOAT_CORRUPT", "the root is not the tree's")
    batch.signed = encode(["goat.batch.1", network, repository, batch.session, batch.seq, batch.prev, batch.skip,
                           batch.groups, batch.flags, batch.size, batch.root])
    batch.id = H(batch.signed)
    check_order(batch)


# ---- writing ----


def encode_commit(commit):
    """The one encoding of what a commit says."""
    parts = [(0, encode(commit.key)), (2, encode(commit.time)),
             (3, encode([commit.namespace, commit.version, commit.schema_hash]))]
    if commit.parents:
        parts.insert(1, (1, encode(commit.parents)))
    if commit.reverts:
        parts.append((4, encode(commit.reverts)))
    message = None if commit.message is None else encode(commit.message)
    payload = [(key, value) for key, value in
               ((0, commit.delta), (1, commit.full), (2, message), (3, commit.sealed)) if value is not None]
    return tuple(head(MAP, len(pairs)) + b"".join(encode(key) + value for key, value in pairs)
                 for pairs in (parts, payload))


def encode_frame(batch):
    nodes = []
    for node in batch.nodes:
        if node.kind == "leaf":
            nodes.append(node.salt + node.commit.header + node.commit.payload)
        elif node.kind == "pruned":
            nodes.append([2, node.inner, node.commit.header])
        else:
            nodes.append([KINDS.index(node.kind), node.count, node.hash])
    root = None if all(node.kind == "leaf" for node in batch.nodes) else batch.root
    return encode([1, batch.session, batch.seq, batch.prev, batch.skip, batch.groups, batch.flags, batch.size, root,
                   batch.signature, nodes])


def elide(whole, kinds):
    """The nodes of a frame of `whole`, whose leaves are all there, for the kind wanted of each leaf."""
    hashes = {(node.first, 1): node.hash for node in whole.nodes}

    def below(first, count):
        kind = kinds[first]
        if count == 1 and kind in ("leaf", "pruned"):
            node = whole.nodes[first]
            return [Node(kind, first, 1, node.hash, node.salt, node.inner, node.commit)]
        if kind not in ("leaf", "pruned") and all(other == kind for other in kinds[first:first + count]):
            return [Node(kind, first, count, tree_hash(hashes, first, count))]
        k = split(count)
        return below(first, k) + below(first + k, count - k)

    return below(0, whole.size)
