"""The text exposition format of Prometheus, version 0.0.4: reads it, and names whatever breaks a rule of the format or
one of the conventions that `promtool check metrics` looks at. Standard library only."""
import math
import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|\Z)')
KINDS = ("counter", "gauge", "histogram", "summary", "untyped")
UNITS = {"milliseconds": "seconds", "microseconds": "seconds", "ms": "seconds", "us": "seconds", "minutes": "seconds",
         "kilobytes": "bytes", "kib": "bytes", "mib": "bytes", "bits": "bytes", "percent": "ratio"}


class Broken(Exception):
    """A rule that the text breaks."""


class Metric:
    def __init__(self, name):
        self.name, self.help, self.kind = name, None, None
        self.samples = {}  # (name, labels) → number, in order


def read_labels(text):
    labels, at = [], 0
    while at < len(text):
        found = LABEL.match(text, at)
        if not found:
            raise Broken(f"labels: {text}")
        labels.append((found[1], found[2]))
        at = found.end()
    if len(dict(labels)) != len(labels):
        raise Broken(f"a label stands twice: {text}")
    return tuple(sorted(labels))


def read_number(text):
    if text in ("+Inf", "-Inf", "NaN"):
        return float(text)
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
        raise Broken(f"no number: {text}")
    return float(text)


def read_sample(line):
    found = re.fullmatch(r"([^\s{]+)(?:\{(.*)\})? +(\S+)", line)
    if not found or not NAME.match(found[1]):
        raise Broken(f"no sample: {line}")
    return found[1], read_labels(found[2] or ""), read_number(found[3])


def family(metrics, current, name):
    """The metric that a sample belongs to: a histogram's has a suffix."""
    if current is not None and current.kind == "histogram":
        if name in (current.name + suffix for suffix in ("_bucket", "_sum", "_count")):
            return current
    if current is None or current.name != name:
        raise Broken(f"{name} has no HELP and TYPE before it, or not all of its lines are together")
    return metrics[name]


def read(text):
    """Every metric by its name."""
    metrics, current = {}, None
    if not text.endswith("\n"):
        raise Broken("the last line has no end")
    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            word, name, rest = (line[2:].split(" ", 2) + ["", ""])[:3]
            if word not in ("HELP", "TYPE") or not NAME.match(name):
                raise Broken(line)
            if word == "HELP":
                if name in metrics:
                    raise Broken(f"a second HELP of {name}")
                current = metrics[name] = Metric(name)
                current.help = rest
                continue
            if current is None or current.name != name or current.kind is not None or current.samples:
                raise Broken(f"TYPE of {name} is not behind its HELP, or there are two")
            if rest not in KINDS:
                raise Broken(line)
            current.kind = rest
            continue
        name, labels, number = read_sample(line)
        metric = family(metrics, current, name)
        if (name, labels) in metric.samples:
            raise Broken(f"twice: {line}")
        metric.samples[name, labels] = number
    return metrics


def check_histogram(metric):
    series = {}
    for (name, labels), number in metric.samples.items():
        others = tuple(label for label in labels if label[0] != "le")
        one = series.setdefault(others, {"buckets": []})
        if name.endswith("_bucket"):
            one["buckets"].append((read_number(dict(labels)["le"]), number))
        else:
            one[name[len(metric.name):]] = number
    for one in series.values():
        bounds, counts = zip(*one["buckets"])
        if list(bounds) != sorted(set(bounds)) or bounds[-1] != math.inf:
            raise Broken(f"{metric.name}: the bounds do not rise to +Inf: {bounds}")
        if list(counts) != sorted(counts):
            raise Broken(f"{metric.name}: the buckets are not cumulative: {counts}")
        if one.get("_count") != counts[-1] or "_sum" not in one:
            raise Broken(f"{metric.name}: +Inf is not the count, or there is no sum")
        if one["_count"] == 0 and one["_sum"] != 0:
            raise Broken(f"{metric.name}: a sum of nothing")


def check_name(metric):
    name, kind, words = metric.name, metric.kind, metric.name.split("_")
    if (kind == "counter") != name.endswith("_total"):
        raise Broken(f"{name}: counters, and nothing else, end with _total")
    if name.endswith(("_count", "_sum", "_bucket")) or name != name.lower() or ":" in name:
        raise Broken(f"{name}: a suffix of histograms, upper case or a colon")
    for word in words:
        if word in KINDS or word in UNITS:
            raise Broken(f"{name}: {word} has no place in a name")
    if kind == "histogram" and words[-1] not in ("seconds", "bytes"):
        raise Broken(f"{name}: in which unit?")
    for (_, labels) in metric.samples:
        if kind != "histogram" and any(label in ("le", "quantile") for label, _ in labels):
            raise Broken(f"{name}: le is for histograms")


def check(text):
    """Every metric by its name, or Broken."""
    metrics = read(text)
    for metric in metrics.values():
        if not metric.help or metric.kind is None or not metric.samples:
            raise Broken(f"{metric.name} has no HELP, no TYPE or no sample")
        check_name(metric)
        if metric.kind == "histogram":
            check_histogram(metric)
        elif metric.kind == "counter" and any(number < 0 or number != int(number) for number in metric.samples.values()):
            raise Broken(f"{metric.name}: a count is a whole number")
    return metrics
