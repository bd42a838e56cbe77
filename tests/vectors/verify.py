#!/usr/bin/env python3
"""Verifies golden vectors, or a whole database, without the library.

    verify.py FOLDER        tests/vectors (values, schemas), tests/vectors/commit, or a folder with such files
    verify.py DATABASE      a folder with repos/ in it: every log, hash, tree, chain, signature and certificate

Prints what was looked at, and each fault on a line; exit 1 on any. Needs nothing but Python 3.10; signatures are
checked by python3-nacl where it is installed.
"""
import argparse
import json
import os
import sys

import goat_ed25519
import value_vectors
from goat_batch import (H, Mismatch, Newer, commit_id, elide, encode_commit, encode_frame, hash_batch, read_batch,
                        read_commit)
from goat_cbor import Fault, encode, plain
from goat_log import RECEIPT, read_log
from goat_receipt import encode_receipt, hash_receipt, read_receipt


class Report:
    def __init__(self):
        self.counts, self.faults = {}, []

    def count(self, what, number=1):
        self.counts[what] = self.counts.get(what, 0) + number

    def fault(self, where, text):
        self.faults.append(f"{where}: {text}")

    def check(self, where, what, found, expected):
        self.count("comparisons")
        if found != expected:
            self.fault(where, f"{what} is {show(found)}, not {show(expected)}")

    def end(self):
        for fault in self.faults:
            print(fault)
        words = ", ".join(f"{number:,} {what}" for what, number in self.counts.items())
        print(f"{words}; signatures by {goat_ed25519.BACKEND}; {len(self.faults)} faults")
        return 1 if self.faults or not self.counts else 0


def show(value):
    return value.hex() if isinstance(value, bytes) else repr(value)


def unhex(text):
    return None if text is None else bytes.fromhex(text)


# ---- vectors ----


class Vectors:
    def __init__(self, folder, report):
        self.folder, self.report = folder, report

    def file(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            content = json.load(file)
        self.network, self.session = unhex(content["network"]), unhex(content["session"])
        self.key, self.repository = unhex(content["public_key"]), content["repository"]
        check = self.report.check
        check(name, "network", self.network, H(unhex(content["root_public_key"])))
        check(name, "session", self.session, H(self.key))
        for case in content["cases"]:
            self.report.count("vectors")
            yield f"{name}, {case['name']}", case

    def commit(self, where, case, commit, session, salt):
        """The hashes of a leaf."""
        check = self.report.check
        check(where, "header", commit.header, unhex(case["header"]))
        check(where, "payload", commit.payload, unhex(case["payload"]))
        inner = H(b"\x02", salt, commit.payload)
        check(where, "inner", inner, unhex(case["inner"]))
        check(where, "id", commit_id(session, inner, commit.header), unhex(case["id"]))
        check(where, "encoding", encode_commit(commit), (commit.header, commit.payload))

    def commits(self):
        for where, case in self.file("commits.json"):
            commit = read_commit(unhex(case["header"] + case["payload"]))
            self.commit(where, case, commit, self.session, unhex(case["salt"]))
            says = case["says"]
            found = {
                "key": commit.key, "parents": [id.hex() for id in commit.parents], "time": str(commit.time),
                "namespace": commit.namespace, "version": str(commit.version),
                "schema_hash": commit.schema_hash.hex(), "reverts": [id.hex() for id in commit.reverts],
                "delta": commit.delta and commit.delta.hex(), "full": commit.full and commit.full.hex(),
                "message": commit.message, "sealed": commit.sealed and commit.sealed.hex(),
            }
            for name in says.keys() | found.keys():
                self.report.check(where, name, found.get(name), says.get(name))
            self.report.check(where, "delta_is_state", commit.delta_is_state, case["delta_is_state"])

    def signature(self, where, batch):
        self.report.count("signatures")
        backends = {goat_ed25519.BACKEND, "plain Python"}
        if not all(goat_ed25519.verify(self.key, batch.signed, batch.signature, backend) for backend in backends):
            self.report.fault(where, "the signature does not hold")

    def batches(self):
        chain = {}
        for where, case in self.file("batches.json"):
            check = self.report.check
            batch = read_batch(unhex(case["frame"]))
            hash_batch(batch, self.network, self.repository)
            check(where, "seq", batch.seq, int(case["seq"]))
            check(where, "prev", batch.prev, [unhex(id) for id in case["prev"]])
            check(where, "skip", batch.skip, unhex(case["skip"]))
            check(where, "groups", batch.leaf_groups(), case["groups"])
            check(where, "size", batch.size, case["size"])
            check(where, "leaves", len(batch.nodes), len(case["leaves"]))
            for node, leaf in zip(batch.nodes, case["leaves"]):
                check(where, "salt", node.salt, unhex(leaf["salt"]))
                self.commit(where, leaf, node.commit, batch.session, node.salt)
            check(where, "root", batch.root, unhex(case["root"]))
            check(where, "signed", batch.signed, unhex(case["signed"]))
            check(where, "id", batch.id, unhex(case["id"]))
            check(where, "signature", batch.signature, unhex(case["signature"]))
            check(where, "encoding", encode_frame(batch), unhex(case["frame"]))
            self.signature(where, batch)
            if batch.prev or "chain" in case["name"]:
                for text in chain_faults(batch, chain):
                    self.report.fault(where, text)
                chain[batch.id] = batch

    def elided(self):
        for where, case in self.file("elided.json"):
            check = self.report.check
            whole, batch = read_batch(unhex(case["whole"])), read_batch(unhex(case["frame"]))
            for each in (whole, batch):
                hash_batch(each, self.network, self.repository)
                check(where, "root", each.root, unhex(case["root"]))
                check(where, "id", each.id, unhex(case["id"]))
                self.signature(where, each)
            found = [(node.kind, node.first, node.count, node.hash.hex()) for node in batch.nodes]
            check(where, "nodes", found, [(n["kind"], n["first"], n["count"], n["hash"]) for n in case["nodes"]])
            whole.nodes = elide(whole, case["leaves"])
            check(where, "encoding", encode_frame(whole), unhex(case["frame"]))

    def receipts(self):
        for where, case in self.file("receipts.json"):
            check = self.report.check
            receipt = read_receipt(unhex(case["bytes"]))
            hash_receipt(receipt, self.network, self.repository)
            check(where, "log_identity", receipt.log_identity, unhex(case["log_identity"]))
            check(where, "previous", receipt.previous, unhex(case["previous"]))
            check(where, "time", receipt.time, int(case["time"]))
            check(where, "first", receipt.first, int(case["first"]))
            check(where, "size", receipt.size, case["size"])
            found = [(n.first, n.count, n.hash, n.batch, n.batch and n.admitted) for n in receipt.nodes]
            check(where, "nodes", found, [(n["first"], n["count"], unhex(n["hash"]), unhex(n.get("batch")),
                                           n.get("admitted")) for n in case["nodes"]])
            check(where, "refused", b"".join(encode([list(each) for each in n.refused]) for n in receipt.nodes if n.batch),
                  b"".join(unhex(n["refused"]) for n in case["nodes"] if "batch" in n))
            check(where, "root", receipt.root, unhex(case["root"]))
            check(where, "signed", receipt.signed, unhex(case["signed"]))
            check(where, "id", receipt.id, unhex(case["id"]))
            check(where, "signature", receipt.signature, unhex(case["signature"]))
            check(where, "encoding", encode_receipt(receipt), unhex(case["bytes"]))
            self.signature(where, receipt)

    def invalid_receipts(self):
        for where, case in self.file("invalid_receipts.json"):
            found, status = self.receipt_refusal(unhex(case["bytes"]))
            self.report.check(where, "found by", found, case["found"])
            self.report.check(where, "status", status, case["status"])

    def receipt_refusal(self, data):
        try:
            receipt = read_receipt(data)
        except Fault as fault:
            return "decoding", "GOAT_TOO_LARGE" if fault.large else "GOAT_INVALID"
        except Newer:
            return "decoding", "GOAT_NEWER_FORMAT"
        hash_receipt(receipt, self.network, self.repository)
        if not goat_ed25519.verify(self.key, receipt.signed, receipt.signature):
            return "verifying", "GOAT_UNTRUSTED"
        return "nobody", "GOAT_OK"

    def invalid(self):
        for where, case in self.file("invalid.json"):
            found, status = self.refusal(case["kind"], unhex(case["bytes"]))
            self.report.check(where, "found by", found, case["found"])
            self.report.check(where, "status", status, case["status"])

    def refusal(self, kind, data):
        try:
            if kind != "frame":
                read_commit(data, pruned=kind == "header")
                return "nobody", "GOAT_OK"
            batch = read_batch(data)
        except Fault as fault:
            return "decoding", "GOAT_TOO_LARGE" if fault.large else "GOAT_INVALID"
        except Newer:
            return "decoding", "GOAT_NEWER_FORMAT"
        try:
            hash_batch(batch, self.network, self.repository)
        except Mismatch as mismatch:
            return "hashing", mismatch.status
        backends = {goat_ed25519.BACKEND, "plain Python"}
        if not any(goat_ed25519.verify(self.key, batch.signed, batch.signature, backend) for backend in backends):
            return "verifying", "GOAT_UNTRUSTED"
        return "nobody", "GOAT_OK"


# ---- databases ----


def chain_faults(batch, known):
    """What is wrong with a batch's place in its session's chain; `known` holds the session's batches by id."""
    missing = [id for id in batch.prev if id not in known]
    if missing:
        yield f"a batch before it is not there: {missing[0].hex()}"
        return
    before = [known[id] for id in batch.prev]
    if batch.seq != 1 + max((one.seq for one in before), default=0):
        yield f"seq is {batch.seq} and does not follow those before"
    if batch.skip is None:
        return
    target = batch.seq & batch.seq - 1
    while before:
        one = min(before, key=lambda other: (-other.seq, other.id))
        if one.seq <= target:
            break
        before = [known[id] for id in one.prev if id in known]
    if not before or one.seq != target or one.id != batch.skip:
        yield "skip is not the batch that it has to be"


class Order:
    """The records of one log, and how far its own receipts have named them."""

    def __init__(self, log):
        self.log, self.records, self.last = log, [], None
        self.named, self.entries = 0, 0  # records, and entries in them

    def add(self, batch):
        if batch is not None:
            leaves = [node.first for node in batch.nodes if node.kind == "leaf"]
            self.records.append((batch.id, batch.size, leaves))

    def begin(self, receipt):
        """The first receipt may name what came after others."""
        entries = 0
        for self.named, (id, _, leaves) in enumerate(self.records):
            if entries == receipt.first and id == receipt.nodes[0].batch:
                self.entries = entries
                return
            entries += len(leaves)
        self.named, self.entries = 0, 0

    def faults(self, receipt):
        if receipt.log_identity != self.log.identity or receipt.previous != self.last:
            return  # of another log, or of an earlier life of this one
        if self.last is None:
            self.begin(receipt)
        self.last = receipt.id
        if self.log.aside or self.log.holes:
            return  # records are not where they were
        if receipt.first != self.entries:
            yield f"the first entry is {receipt.first}, not {self.entries}"
        for node in receipt.nodes:
            if self.named >= len(self.records):
                yield "more batches than the log has"
                return
            id, size, leaves = self.records[self.named]
            runs = node.admitted is not True and [leaf for first, count in zip(node.admitted[::2], node.admitted[1::2])
                                                  for leaf in range(first, first + count)]
            if node.batch != id or (len(leaves) != size if node.admitted is True else runs != leaves):
                yield f"leaf {node.first} does not say what the log has"
            self.named += 1
            self.entries += len(leaves)


class Database:
    def __init__(self, folder, report):
        self.folder, self.report = folder, report
        self.keys = {}  # session → public key
        self.roles = {}  # session → role
        self.network = None

    def logs(self):
        """Every log, /sys/sessions first."""
        repos = os.path.join(self.folder, "repos")
        for parent, folders, files in sorted(os.walk(repos), key=lambda entry: not entry[0].endswith("sys")):
            for name in sorted(files, key=lambda name: name != "sessions.log"):
                if name.endswith(".log"):
                    yield os.path.join(parent, name)

    def run(self):
        for path in self.logs():
            where, faults = os.path.relpath(path, self.folder), []
            with open(path, "rb") as file:
                log = read_log(file.read(), faults)
            for text in faults:
                self.report.fault(where, text)
            self.report.count("logs")
            if log is not None:
                self.repository(where, log)

    def repository(self, where, log):
        expected = "repos" + log.repository + ".log"
        self.report.check(where, "file", where.replace(os.sep, "/"), expected)
        self.network = self.network or log.network
        self.report.check(where, "network", log.network, self.network)
        chains, commits, order = {}, {}, Order(log)
        for offset, kind, payload in log.records if log.aside else []:  # what came again stands behind what needs it
            if kind == 1:
                self.note(log, payload, chains, commits)
        for offset, kind, payload in log.records:
            self.report.count("records")
            at = f"{where}, record at {offset}"
            if kind == 1:
                order.add(self.batch(at, log, payload, chains, commits))
            elif kind == RECEIPT:
                self.receipt(at, log, payload, order)
            elif kind >= 128:
                self.report.fault(at, f"a record of type {kind} is not known")

    def note(self, log, frame, chains, commits):
        try:
            batch = read_batch(frame)
            hash_batch(batch, log.network, log.repository)
        except (Fault, Mismatch, Newer):
            return
        chains.setdefault(batch.session, {})[batch.id] = batch
        for node in batch.nodes:
            if node.commit:
                commits.setdefault(node.hash, (node.commit, (batch.id, node.first)))

    def receipt(self, at, log, payload, order):
        try:
            receipt = read_receipt(payload)
        except Fault as fault:
            self.report.fault(at, str(fault))
            return
        except Newer:
            self.report.fault(at, "a receipt of a newer format")
            return
        hash_receipt(receipt, log.network, log.repository)
        self.report.count("receipts")
        self.report.check(at, "encoding", encode_receipt(receipt), bytes(payload))
        if self.roles.get(receipt.session) not in ("root", "server"):
            self.report.fault(at, f"session {receipt.session.hex()} is no server")
        elif not goat_ed25519.verify(self.keys[receipt.session], receipt.signed, receipt.signature):
            self.report.fault(at, "the signature does not hold")
        self.report.count("signatures")
        for text in order.faults(receipt):
            self.report.fault(at, text)

    def batch(self, at, log, frame, chains, commits):
        try:
            batch = read_batch(frame)
            hash_batch(batch, log.network, log.repository)
        except (Fault, Mismatch) as fault:
            self.report.fault(at, str(fault))
            return None
        except Newer:
            self.report.fault(at, "a batch of a newer format")
            return None
        self.report.count("batches")
        self.report.check(at, "encoding", encode_frame(batch), bytes(frame))
        if log.repository == "/sys/sessions":
            self.learn(at, batch)
        self.signature(at, log, batch)
        known = chains.setdefault(batch.session, {})
        for text in chain_faults(batch, known):
            self.report.fault(at, text)
        known[batch.id] = batch
        for node in batch.nodes:
            if node.commit:
                self.commit(at, batch, node, commits)
        return batch

    def signature(self, at, log, batch):
        key = self.keys.get(batch.session)
        if key is None:
            self.report.fault(at, f"session {batch.session.hex()} has no certificate")
            return
        if log.repository == "/sys/sessions" and batch.session != log.network:
            self.report.fault(at, "a certificate that the root did not sign")
        self.report.count("signatures")
        if not goat_ed25519.verify(key, batch.signed, batch.signature):
            self.report.fault(at, "the signature does not hold")

    def learn(self, at, batch):
        for node in batch.nodes:
            if node.kind != "leaf" or node.commit.delta is None:
                continue
            key = plain(node.commit.delta).get("public_key")
            if not isinstance(key, bytes) or H(key).hex() != node.commit.key:
                self.report.fault(at, f"a certificate of another key: {node.commit.key}")
                continue
            self.report.count("certificates")
            self.keys[H(key)] = key
            self.roles[H(key)] = plain(node.commit.delta).get("role")

    def commit(self, at, batch, node, commits):
        self.report.count("commits")
        entry = (batch.id, node.first)
        if commits.get(node.hash, (None, entry))[1] != entry:
            self.report.fault(at, f"commit {node.hash.hex()} is there in two batches")
        for parent in node.commit.parents:
            if parent not in commits:
                self.report.fault(at, f"a parent of leaf {node.first} is not there: {parent.hex()}")
            elif commits[parent][0].time >= node.commit.time or commits[parent][0].key != node.commit.key:
                self.report.fault(at, f"leaf {node.first} is not a later commit of its parent's item")
        commits[node.hash] = (node.commit, entry)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    arguments = parser.parse_args()
    report = Report()
    if os.path.isdir(os.path.join(arguments.folder, "repos")):
        Database(arguments.folder, report).run()
    elif not value_vectors.run(arguments.folder, report):
        vectors = Vectors(arguments.folder, report)
        for part in (vectors.commits, vectors.batches, vectors.elided, vectors.invalid, vectors.receipts,
                     vectors.invalid_receipts):
            part()
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
