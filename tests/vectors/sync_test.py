#!/usr/bin/env python3
"""Reads the golden messages and transcripts of core/sync/PROTOCOL.md without the library: every message in its one
form; every proof over both HELLOs; every certificate, frame and signature; filters that hold what their sender holds
and not what was sent in answer to them; the order in which things may be said."""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import goat_ed25519 as ed25519  # noqa: E402
from goat_batch import H, hash_batch, read_batch  # noqa: E402
from goat_cbor import Fault, encode  # noqa: E402
from goat_sync import RECEIPT, may_hold, messages, places, siphash, sizes  # noqa: E402

ANSWER, WANTED = 2, 4


def expect(condition, text):
    if not condition:
        sys.exit(text)


def load(name):
    with open(os.path.join(HERE, "sync", name), encoding="utf-8") as file:
        return json.load(file)


def read_messages():
    seen = set()
    for case in load("messages.json")["cases"]:
        raw = bytes.fromhex(case["bytes"])
        found = list(messages(raw))
        expect(len(found) == 1, f"{case['name']}: {len(found)} messages")
        seen.add(found[0][0])
        for cut in range(1, len(raw)):
            try:
                list(messages(raw[:cut]))
            except Fault:
                continue
            sys.exit(f"{case['name']}: nothing is missed when it is cut to {cut} bytes")
    expect(len(seen) == 18, f"only {sorted(seen)} have a vector")
    return len(seen)


def read_invalid():
    cases = load("invalid.json")["cases"]
    for case in cases:
        raw = bytes.fromhex(case["bytes"])
        expect(case["status"] in ("GOAT_INVALID", "GOAT_TOO_LARGE"), f"{case['name']}: {case['status']}")
        expect(0 <= int(case["position"]) <= len(raw), f"{case['name']}: the position")
        if not raw:
            continue
        try:
            list(messages(raw))
        except Fault:
            continue
        sys.exit(f"{case['name']}: nothing is found")
    return len(cases)


def read_filters():
    cases = load("filters.json")["cases"]
    for case in cases:
        elements, salt = int(case["elements"]), bytes.fromhex(case["salt"])
        bits, hashes = sizes(elements)
        expect((int(case["bits"]), int(case["hashes"])) == (bits, hashes), f"{case['name']}: the sizes")
        content = bytearray(bits // 8)
        for i in range(elements):
            for place in places(salt, bits, hashes, H(i.to_bytes(4, "little"))):
                content[place // 8] |= 1 << place % 8
        expect(content.hex() == case["content"], f"{case['name']}: the bits")
    return len(cases)


class Transcript:
    """One exchange, looked at as somebody would who sits between the two and knows the keys."""

    def __init__(self, name, network, keys):
        self.name, self.network = name, network
        self.keys = {H(key): key for key in keys}
        self.hello, self.key, self.proved = {}, {}, set()
        self.paths, self.filters, self.held, self.receipts = {}, {}, {"C": set(), "S": set()}, 0
        self.batches = self.proofs = self.over = 0

    def expect(self, condition, text):
        expect(condition, f"{self.name}: {text}")

    def take(self, sender, packet):
        for name, message, raw in messages(packet):
            first = name in ("HELLO", "PROOF", "BYE")
            self.expect(first or sender in self.proved, f"{name} of {sender} before its proof")
            getattr(self, "take_" + name.lower(), lambda *_: None)(sender, message, raw)

    def take_hello(self, sender, message, raw):
        _, version, role, network, root, key, nonce, _, window, certificate = message
        self.expect((version, role) == (1, 0 if sender == "C" else 1), "the version or the role")
        self.expect(len(nonce) == 32 and 2**16 <= window <= 2**28, "the nonce or the window")
        self.expect(sender == "C" or (network == self.network and H(root) == network), "the network of S")
        self.expect(certificate is not None or sender == "C" or key == root, "S shows no certificate")
        self.hello[sender], self.key[sender] = raw, key

    def take_proof(self, sender, message, _):
        signed = encode(["goat.hello.1", self.network, "", 0 if sender == "C" else 1, H(self.hello["C"]),
                         H(self.hello["S"])])
        self.expect(ed25519.verify(self.key[sender], signed, message[1]), f"the proof of {sender}")
        self.proved.add(sender)
        self.proofs += 1

    def take_open(self, sender, message, _):
        self.expect(sender == "C" and 1 <= message[1] <= 1024, "who opens which channel")
        self.paths[message[1]] = message[2]

    def take_data(self, sender, message, _):
        _, channel, flags, records = message
        other = "S" if sender == "C" else "C"
        for record in records:
            if isinstance(record, list):
                self.expect(record[0] == RECEIPT and isinstance(record[1], bytes), "a receipt")
                self.receipts += 1
                continue
            batch = read_batch(record)
            hash_batch(batch, self.network, self.paths[channel])
            self.expect(ed25519.verify(self.keys[batch.session], batch.signed, batch.signature), "a batch's signature")
            if flags & ANSWER:
                self.expect(not may_hold(self.filters[other], batch.id), "what a filter holds is sent in answer to it")
            self.held[sender].add(batch.id)
            self.held[other].add(batch.id)
            self.batches += 1

    def take_compare(self, sender, message, _):
        _, _, _, step, count, digest, part = message
        self.expect((part is not None) == (step < 2) and len(digest) == 32 and step < 4, "a step of COMPARE")
        if part is not None:
            self.filters[sender] = part
            for batch in self.held[sender]:
                self.expect(count == 0 or may_hold(part, batch), "a filter that has lost what its sender holds")
        self.over += step == 3


def read_transcripts():
    content = load("transcripts.json")
    network, keys = bytes.fromhex(content["network"]), [bytes.fromhex(key["public_key"]) for key in content["keys"]]
    expect(H(keys[0]) == network, "the network is not the hash of the root's key")
    counts = [0, 0, 0, 0]
    for case in content["cases"]:
        transcript = Transcript(case["name"], network, keys)
        for packet in case["packets"]:
            transcript.take(packet["from"], bytes.fromhex(packet["bytes"]))
        for i, number in enumerate((transcript.proofs, transcript.batches, transcript.receipts, transcript.over)):
            counts[i] += number
    expect(all(counts), f"a kind of thing is in no transcript: {counts}")
    return len(content["cases"]), counts


def a_changed_transcript_is_found():
    """A proof over another nonce, and a batch with one bit changed."""
    content = load("transcripts.json")
    network, keys = bytes.fromhex(content["network"]), [bytes.fromhex(key["public_key"]) for key in content["keys"]]
    case = content["cases"][0]
    for number, place in ((0, 60), (len(case["packets"]) - 1, -40)):
        transcript = Transcript("changed", network, keys)
        try:
            for i, packet in enumerate(case["packets"]):
                raw = bytearray.fromhex(packet["bytes"])
                if i == number:
                    raw[place] ^= 1
                transcript.take(packet["from"], bytes(raw))
        except (SystemExit, Fault, Exception):  # whatever it is that finds it
            continue
        sys.exit(f"a change in packet {number} is not found")


def main():
    # The reference's own vector: key 00 01 … 0f, message 00 01 … 0e.
    expect(siphash(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5, "SipHash")
    kinds, invalid, filters = read_messages(), read_invalid(), read_filters()
    cases, counts = read_transcripts()
    a_changed_transcript_is_found()
    print(f"{kinds} kinds of messages, {invalid} that are none; {filters} filters; {cases} transcripts with "
          f"{counts[0]} proofs, {counts[1]} batches, {counts[2]} receipts, {counts[3]} ends of a comparison")


main()
