"""The vectors of values (value.json) and of the built-in schemas (schemas.json), checked against goat_value.py."""
import hashlib
import json
import os

import goat_value
from goat_cbor import Fault


def run(folder, report):
    """Checks what is there of the two files; false if neither is."""
    found = False
    for name, check in (("value.json", values), ("schemas.json", schemas)):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            found = True
            with open(path, encoding="utf-8") as file:
                check(name, json.load(file), report)
    return found


def cases(name, content, part, report):
    for number, case in enumerate(content[part]):
        report.count("vectors")
        yield f"{name}, {part} {number}", case


def text_of(case):
    return case["text"].encode("utf-8") if "text" in case else bytes.fromhex(case["text_hex"])


def refusal(report, where, case, act, *arguments):
    """Positions are the library's to find (tests/unit/value_vectors_test.c); the status is checked here."""
    try:
        act(*arguments)
        status = "GOAT_OK"
    except Fault as fault:
        status = "GOAT_TOO_LARGE" if fault.large else "GOAT_INVALID"
    report.check(where, "status", status, case.get("status", "GOAT_INVALID"))


def taken(report, where, act, *arguments):
    try:
        return act(*arguments)
    except Fault as fault:
        report.fault(where, f"is refused: {fault}")
        return None


def values(name, content, report):
    check = report.check
    for where, case in cases(name, content, "values", report):
        data = bytes.fromhex(case["hex"])
        value = taken(report, where, goat_value.decode, data)
        check(where, "encoding", goat_value.encode(value), data)
        check(where, "JSON", goat_value.to_json(value), case["json"])
        read = taken(report, where, goat_value.from_json, case["json"].encode())
        check(where, "encoding of its JSON", goat_value.encode(read), data)
    for where, case in cases(name, content, "refused", report):
        refusal(report, where, case, goat_value.decode, bytes.fromhex(case["hex"]))
    for where, case in cases(name, content, "texts", report):
        value = taken(report, where, goat_value.from_json, text_of(case), case.get("kind"))
        check(where, "encoding", goat_value.encode(value), bytes.fromhex(case["hex"]))
    for where, case in cases(name, content, "refused_texts", report):
        refusal(report, where, case, goat_value.from_json, text_of(case), case.get("kind"))
    for where, case in cases(name, content, "plain", report):
        value = taken(report, where, goat_value.decode, bytes.fromhex(case["hex"]))
        check(where, "JSON", goat_value.to_json(value, case["kind"]), case["json"])
    last = None
    for where, equals in cases(name, content, "ascending", report):
        places = [goat_value.place(goat_value.decode(bytes.fromhex(data))) for data in equals]
        check(where, "equal to each other", all(place == places[0] for place in places), True)
        check(where, "above the one before", last is None or places[0] > last, True)
        last = places[0]
    for where, case in cases(name, content, "paths", report):
        check(where, "parts", taken(report, where, path_of, case), case["parts"])
    for where, case in cases(name, content, "refused_paths", report):
        refusal(report, where, case, path_of, case)
    last = None
    for where, case in cases(name, content, "stamps", report):
        parts = taken(report, where, goat_value.stamp, text_of(case))
        check(where, "parts", parts, case["parts"])
        place = goat_value.stamp_place(parts or [])
        check(where, "above the one before", last is None or place > last, True)
        last = place
    for where, case in cases(name, content, "refused_stamps", report):
        refusal(report, where, case, goat_value.stamp, text_of(case))
    for where, case in cases(name, content, "richtexts", report):
        document = taken(report, where, goat_value.decode, bytes.fromhex(case["hex"]))
        check(where, "encoding", goat_value.encode(document), bytes.fromhex(case["hex"]))
        check(where, "JSON", goat_value.to_json(document), case["json"])
        elements = taken(report, where, goat_value.rich, document) or []
        check(where, "elements", len(elements), case["elements"])
        check(where, "plain text", goat_value.rich_plain(elements), case["plain"])
    for where, case in cases(name, content, "refused_richtexts", report):
        document = taken(report, where, goat_value.decode, bytes.fromhex(case["hex"]))
        refusal(report, where, case, goat_value.rich, document)


def path_of(case):
    try:
        return goat_value.path(text_of(case).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Fault("a path is not UTF-8") from error


def schemas(name, content, report):
    for where, case in cases(name, content, "cases", report):
        definition = bytes.fromhex(case["definition"])
        value = taken(report, where, goat_value.decode, definition)
        read = taken(report, where, goat_value.from_json, case["json"].encode())
        report.check(where, "definition", goat_value.encode(read), definition)
        report.check(where, "hash", hashlib.sha256(definition).digest()[:8], bytes.fromhex(case["hash"]))
        report.check(where, "key", f"{value['ns']}@{value['version']}", case["key"])
        delta = {"ns": value["ns"], "version": value["version"], "definition": value}
        report.check(where, "delta", goat_value.encode(delta), bytes.fromhex(case["delta"]))
