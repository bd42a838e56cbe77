#!/usr/bin/env python3
"""Tests verify.py: it takes the golden vectors and a database made of them, and names what is wrong with each
after a change. With the goat command at hand (GOAT_PROGRAM) it also verifies a database that the library wrote."""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import goat_ed25519 as ed25519  # noqa: E402
from goat_batch import Batch, H, Node, encode_frame, hash_batch, read_batch, read_commit  # noqa: E402
from goat_cbor import MAP, encode, head  # noqa: E402
from goat_log import crc32c  # noqa: E402
from goat_receipt import Leaf, Receipt, encode_receipt, hash_receipt  # noqa: E402

VECTORS = os.path.join(HERE, "commit")


def run(folder):
    done = subprocess.run([sys.executable, "-B", os.path.join(HERE, "verify.py"), folder], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def expect(condition, text):
    if not condition:
        sys.exit(text)


def passes(folder):
    code, output = run(folder)
    expect(code == 0, f"{folder} is refused:\n{output}")
    print(output.strip())


def fails(folder, what):
    code, output = run(folder)
    expect(code == 1 and "Traceback" not in output, f"not found ({code}): {what}\n{output}")


def sign(seed, message):
    """RFC 8032 section 5.1.6."""
    digest = hashlib.sha512(seed).digest()
    a = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    key = ed25519._encode(ed25519._times(a, ed25519.BASE))
    r = int.from_bytes(hashlib.sha512(digest[32:] + message).digest(), "little") % ed25519.L
    point = ed25519._encode(ed25519._times(r, ed25519.BASE))
    k = int.from_bytes(hashlib.sha512(point + key + message).digest(), "little") % ed25519.L
    return point + ((r + k * a) % ed25519.L).to_bytes(32, "little")


def vectors_can_fail():
    """Every kind of file with one digit changed somewhere in each case."""
    for name in ("commits.json", "batches.json", "elided.json", "receipts.json"):
        with tempfile.TemporaryDirectory() as folder:
            for other in os.listdir(VECTORS):
                with open(os.path.join(VECTORS, other), encoding="utf-8") as file:
                    content = json.load(file)
                if other == name:
                    changed = len(content["cases"])
                    for case in content["cases"]:
                        field = "root" if "root" in case else "id"
                        case[field] = f"{int(case[field][0], 16) ^ 1:x}" + case[field][1:]
                with open(os.path.join(folder, other), "w", encoding="utf-8") as file:
                    json.dump(content, file)
            code, output = run(folder)
            expect(code == 1 and output.count(name) >= changed, f"{name} changed, and not found:\n{output}")


def values_can_fail():
    """Every part of value.json with each case changed."""
    with open(os.path.join(HERE, "value.json"), encoding="utf-8") as file:
        good = file.read()
    changes = {
        "values": lambda case: case.update(json=case["json"] + " "),
        "refused": lambda case: case.update(status="GOAT_OK"),
        "texts": lambda case: case.update(hex=case["hex"][:-1] + f"{int(case['hex'][-1], 16) ^ 1:x}"),
        "refused_texts": lambda case: case.update(status="GOAT_OK"),
        "plain": lambda case: case.update(json=case["json"] + " "),
        "paths": lambda case: case["parts"].pop(),
        "refused_paths": lambda case: case.update(status="GOAT_OK"),
        "stamps": lambda case: case["parts"].pop(),
        "refused_stamps": lambda case: case.update(status="GOAT_OK"),
        "richtexts": lambda case: case.update(elements=case["elements"] + 1),
        "refused_richtexts": lambda case: case.update(status="GOAT_OK"),
    }
    for part, change in changes.items():
        content = json.loads(good)
        for case in content[part]:
            change(case)
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "value.json"), "w", encoding="utf-8") as file:
                json.dump(content, file)
            code, output = run(folder)
            found = output.count(f"value.json, {part} ")
            expect(code == 1 and found >= len(content[part]), f"{part} changed, and not found:\n{output}")


# ---- a database ----


def record(marker, chain, kind, payload):
    front = bytes([kind, 0, 0, 0]) + len(payload).to_bytes(4, "little")
    front = marker + front + crc32c(marker + front).to_bytes(4, "little")
    chain = hashlib.sha256(chain + front[8:] + payload).digest()[:16]
    body = payload + chain
    return front + body + crc32c(body).to_bytes(4, "little"), chain


def write_log(database, network, repository, frames):
    """`frames` are batches, or pairs of a record's type and its payload."""
    marker, name = b"\x01MARKER\x02", repository.encode()
    block = b"GOATLOG\0" + (1).to_bytes(2, "little") + len(name).to_bytes(2, "little") + bytes(4) + network
    block += bytes(range(16)) + marker + bytes(8) + name
    block = block.ljust(508, b"\0")
    block += crc32c(block).to_bytes(4, "little")
    data, chain = block * 2, bytes(16)
    for frame in frames:
        kind, payload = frame if isinstance(frame, tuple) else (1, frame)
        piece, chain = record(marker, chain, kind, payload)
        data += piece
    path = os.path.join(database, "repos" + repository + ".log")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def certificates(network, root_seed, keys):
    """The batch of /sys/sessions that certifies `keys`, the root's first."""
    batch = Batch(session=network, seq=1, size=len(keys))
    for index, key in enumerate(keys):
        delta = head(MAP, 2) + encode("role") + encode("user" if index else "root") + encode("public_key") + encode(key)
        header = head(MAP, 3) + encode(0) + encode(H(key).hex()) + encode(2) + encode(index + 1) + encode(3)
        header += encode(["sys.session", 1, bytes(8)])
        commit = read_commit(header + head(MAP, 1) + encode(0) + delta)
        batch.nodes.append(Node("leaf", index, 1, salt=bytes([index] * 16), commit=commit))
    hash_batch(batch, network, "/sys/sessions")
    batch.signature = sign(root_seed, batch.signed)
    return encode_frame(batch)


def make_database(folder):
    with open(os.path.join(VECTORS, "batches.json"), encoding="utf-8") as file:
        content = json.load(file)
    frames = [bytes.fromhex(case["frame"]) for case in content["cases"] if "chain" in case["name"]]
    keys = [bytes.fromhex(content[name]) for name in ("root_public_key", "public_key")]
    network = bytes.fromhex(content["network"])
    certified = certificates(network, bytes.fromhex(content["root_seed"]), keys)
    expect(len(frames) == 10, "the chain has ten batches")
    write_log(folder, network, "/sys/sessions", [certified])
    return network, frames, certified


def a_database_is_read():
    with tempfile.TemporaryDirectory() as folder:
        network, frames, certified = make_database(folder)
        path = write_log(folder, network, "/data/goats", frames)
        passes(folder)
        with open(path, "rb") as file:
            good = file.read()
        for at in range(0, len(good), 61):
            with open(path, "wb") as file:
                file.write(good[:at] + bytes([good[at] ^ 4]) + good[at + 1:])
            fails(folder, f"bit 2 of byte {at}")
        with open(path, "wb") as file:
            file.write(good[:-1])
        fails(folder, "the last byte cut off")

        # What a checksum does not show.
        write_log(folder, network, "/data/goats", frames[:3] + frames[4:])
        fails(folder, "the fourth batch left out")
        write_log(folder, network, "/data/goats", frames[:4] + [frames[5], frames[4]])
        fails(folder, "two batches in the wrong order")
        write_log(folder, network, "/data/sheep", frames)
        fails(folder, "batches of another repository")
        os.remove(os.path.join(folder, "repos/data/sheep.log"))
        write_log(folder, network, "/data/goats", frames)
        write_log(folder, network, "/sys/sessions", [])
        fails(folder, "no certificates")
        changed = read_batch(certified)
        changed.signature = changed.signature[:32] + bytes(32)
        write_log(folder, network, "/sys/sessions", [encode_frame(changed)])
        fails(folder, "a certificate that the root did not sign")


# ---- receipts ----


def receipt(network, seed, key, nodes, first, previous, **changes):
    """The record of one by the session of `key`, about the log that write_log() makes, and its id."""
    made = Receipt(session=H(key), log_identity=bytes(range(16)), previous=previous, time=1, first=first)
    for index, (batch, admitted) in enumerate(nodes):
        leaf = head(4, 3) + encode(batch) + (b"\xf5" if admitted is True else encode(admitted)) + encode([])
        made.nodes.append(Leaf(index, 1, H(b"\x00", leaf), batch, admitted))
    made.size = len(nodes)
    for name, value in changes.items():
        setattr(made, name, value)
    hash_receipt(made, network, "/data/goats")
    made.signature = sign(seed, made.signed)
    return (128, encode_receipt(made)), made.id


def receipts_are_read():
    with open(os.path.join(VECTORS, "batches.json"), encoding="utf-8") as file:
        content = json.load(file)
    network, seed = bytes.fromhex(content["network"]), bytes.fromhex(content["root_seed"])
    root, key = bytes.fromhex(content["root_public_key"]), bytes.fromhex(content["public_key"])
    with tempfile.TemporaryDirectory() as folder:
        _, frames, _ = make_database(folder)
        ids = []
        for frame in frames:
            batch = read_batch(frame)
            hash_batch(batch, network, "/data/goats")
            ids.append(batch.id)

        def log(changed=None, key=root, seed=seed, **changes):
            """Two batches, a receipt of the second, three more, one of these; `changed` is the one that is not so."""
            named = [[(ids[1], True)], [(ids[2], True), (ids[3], [0, 1]), (ids[4], True)]]
            named[1][1] = (ids[3], True)
            records, previous = list(frames[:2]), None
            for number, (nodes, first) in enumerate(zip(named, (1, 2))):
                values = dict(nodes=nodes, first=first, previous=previous)
                signer = (seed, key)
                if number == changed:
                    values.update({name: value for name, value in changes.items() if name in values})
                other = {name: value for name, value in changes.items() if name not in values and number == changed}
                made, previous = receipt(network, *signer, values["nodes"], values["first"], values["previous"], **other)
                records += frames[2:5] * (number == 1) + [made]
            return write_log(folder, network, "/data/goats", records)

        log()
        passes(folder)
        log(1, first=3)
        fails(folder, "a receipt that skips an entry")
        log(0, first=0)
        fails(folder, "a first receipt whose number is another batch's")
        log(1, nodes=[(ids[2], True), (ids[4], True)])
        fails(folder, "a receipt that leaves a batch out")
        log(1, nodes=[(ids[2], True), (ids[4], True), (ids[3], True)])
        fails(folder, "a receipt that names batches in another order")
        log(1, nodes=[(ids[2], True), (ids[3], []), (ids[4], True)])
        fails(folder, "a receipt that admits less than the log has")
        log(1, nodes=[(id, True) for id in ids[2:6]])
        fails(folder, "a receipt that names what is not there")
        log(1, nodes=[(ids[5], True)], log_identity=bytes(16))
        passes(folder)  # of another log, it says nothing about this one
        log(1, previous=ids[0], first=7)
        passes(folder)  # of an earlier life of the log
        log(key=key, seed=bytes.fromhex(content["seed"]))
        fails(folder, "receipts of a session that is no server's")
        path = log()
        with open(path, "rb") as file:
            good = file.read()
        with open(path, "wb") as file:
            file.write(good[:-100] + bytes([good[-100] ^ 1]) + good[-99:])
        fails(folder, "a receipt with a bit flipped")

        # Damage that was healed: the third batch comes again at the end.
        records = frames[:5] + [frames[2]]
        path = write_log(folder, network, "/data/goats", records)
        with open(path, "rb") as file:
            begin, length = nth_record(file.read(), 2)
        path = write_log(folder, network, "/data/goats", records + [(2, encode([begin, length]))])
        with open(path, "rb") as file:
            good = bytearray(file.read())
        good[begin + 50] ^= 1
        with open(path, "wb") as file:
            file.write(good)
        passes(folder)
        path = write_log(folder, network, "/data/goats", records + [(2, encode([begin, length - 1]))])
        with open(path, "rb") as file:
            good = bytearray(file.read())
        good[begin + 50] ^= 1
        with open(path, "wb") as file:
            file.write(good)
        fails(folder, "damage that was set aside in part")


def nth_record(data, number):
    at = 1024
    for _ in range(number):
        at += 40 + int.from_bytes(data[at + 12:at + 16], "little")
    return at, 40 + int.from_bytes(data[at + 12:at + 16], "little")


# ---- a database of the library's ----


def the_librarys_database_is_read(program):
    schema = {"ns": "goat", "version": 1, "fields": {"id": {"type": "string"}, "name": {"type": "string", "required": True},
                                                     "tags": {"type": "set"}, "born": {"type": "date"},
                                                     "votes": {"type": "counter"}, "meta": {"type": "map"}}}
    with tempfile.TemporaryDirectory() as folder:
        database, definition, lines = (os.path.join(folder, name) for name in ("db", "goat.json", "goats.ndjson"))
        with open(definition, "w", encoding="utf-8") as file:
            json.dump(schema, file)
        with open(lines, "w", encoding="utf-8") as file:
            for number in range(1000):
                file.write(json.dumps({"id": f"g{number}", "name": f"Goat {number}", "meta": {"n": number}}) + "\n")

        def goat(*words):
            subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL)

        goat("init", database)
        goat("schema", database, "add", definition)
        goat("import", database, "/data/goats", "--schema", "goat", "--key", "id", "--batch", "100", lines)
        goat("set", database, "/data/goats/g7", 'name="Goat seven"')
        goat("unset", database, "/data/goats/g8", "meta")
        goat("delete", database, "/data/goats/g9")
        passes(database)


if __name__ == "__main__":
    passes(HERE)
    values_can_fail()
    passes(VECTORS)
    vectors_can_fail()
    a_database_is_read()
    receipts_are_read()
    if os.environ.get("GOAT_PROGRAM"):
        the_librarys_database_is_read(os.environ["GOAT_PROGRAM"])
