"""The JSON Schemas against the checker: each sample is accepted by both or refused by both.

A sample's JSON is given to Python's jsonschema with the schema that Sluice prints, and by way of
google.protobuf.json_format to Sluice's checker as bytes; what json_format cannot read is refused.

The difference that JSON Schema leaves is parity_gap.txt: it counts code points where the rules count
bytes. Each line is a sample that the schema accepts and the checker refuses; the test fails where the
list is not as the file has it (--gap FILE writes it).
"""

import argparse
import collections
import importlib
import json
import pathlib
import re
import subprocess
import sys

import jsonschema
from google.protobuf import descriptor_pool, json_format, message_factory

import bases

BYTE_RULES = {"string.max_bytes", "string.min_bytes", "string.len_bytes"}


def ecma_pattern(validator, pattern, instance, schema):
    """JSON Schema's patterns are ECMA-262's, where $ is the end; Python's also matches before a last
    line feed."""
    if not validator.is_type(instance, "string"):
        return
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1] + r"\Z"
    if not re.search(pattern, instance):
        yield jsonschema.ValidationError(f"{instance[:40]!r} does not match {pattern!r}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": ecma_pattern})


class Case:
    def __init__(self, message, sample, validator, message_class):
        self.message = message
        self.sample = sample
        self.by_schema = validator.is_valid(sample)
        self.said = None
        try:
            self.wire = json_format.ParseDict(sample, message_class()).SerializeToString().hex()
        except (json_format.ParseError, ValueError, TypeError, OverflowError, AttributeError) as why:
            self.wire = None
            self.said = f"not read: {why}"[:200]

    @property
    def by_checker(self):
        return self.said == "ok"

    def rules(self):
        return {part.rsplit(" ", 1)[-1] for part in self.said.split("; ")}

    def in_gap(self):
        """Too long in bytes, and not in code points."""
        return self.rules() <= BYTE_RULES

    def shortened(self):
        return shorten(json.dumps(self.sample, ensure_ascii=False))

    def longest(self):
        """The longest string in the sample."""
        found = [""]

        def walk(value):
            if isinstance(value, str):
                found.append(value)
            for inner in value.values() if isinstance(value, dict) else []:
                walk(inner)
            for inner in value if isinstance(value, list) else []:
                walk(inner)

        walk(self.sample)
        return shorten(max(found, key=lambda text: len(text.encode())))


def shorten(text):
    """A run of the same character once, with its length."""
    run = re.sub(r"(.)\1{9,}", lambda m: f"{m[1]}*{len(m[0])}", text)
    return run if len(run) <= 400 else run[:400] + "..."


def cases_of(message, program, target):
    schema = json.loads(subprocess.check_output([program, target, "schema", message]))
    Validator.check_schema(schema)
    validator = Validator(schema)
    descriptor = descriptor_pool.Default().FindMessageTypeByName(message)
    message_class = message_factory.GetMessageClass(descriptor)
    samples = importlib.import_module("samples")
    seen = set()
    for base in bases.BASES[message]:
        for sample in samples.changes(descriptor, base):
            key = json.dumps(sample, sort_keys=True)
            if key not in seen:
                seen.add(key)
                yield Case(message, sample, validator, message_class)


def check(cases, program, target):
    """Asks the checker, all at once."""
    asked = [case for case in cases if case.wire is not None]
    lines = "".join(f"{case.message} {case.wire}\n" for case in asked)
    answers = subprocess.run(
        [program, target, "check"], input=lines, stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()
    assert len(answers) == len(asked), f"{len(answers)} answers to {len(asked)} samples"
    for case, answer in zip(asked, answers):
        case.said = answer


def differs(case):
    """Why the two do not agree; None where they do, or where the gap explains it."""
    if case.by_schema == case.by_checker:
        return None
    if case.by_checker:
        return "the schema refuses what the checker accepts"
    if case.message in bases.ONE_WAY or case.in_gap():
        return None
    return "the schema accepts what the checker refuses"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--set", required=True, help="a FileDescriptorSet of the same .proto files")
    parser.add_argument("--stubs", required=True)
    parser.add_argument("--gap", help="write the list of the gap there")
    options = parser.parse_args()
    sys.path.insert(0, options.stubs)
    for path in sorted(pathlib.Path(options.stubs).rglob("*_pb2.py")):
        module = path.relative_to(options.stubs).with_suffix("").parts
        importlib.import_module(".".join(module))

    tests = {m: list(cases_of(m, options.program, options.set)) for m in bases.BASES}
    every = [case for cases in tests.values() for case in cases]
    check(every, options.program, options.set)

    failed = 0
    total = collections.Counter()
    for message, cases in tests.items():
        wrong = [(case, differs(case)) for case in cases if differs(case)]
        accepted = sum(case.by_checker for case in cases)
        total["accepted"] += accepted
        total["refused"] += len(cases) - accepted
        failed += bool(wrong)
        print(f"{'FAILED' if wrong else 'ok'} {message}: {len(cases)} samples, {accepted} accepted")
        for case, why in wrong[:10]:
            print(f"  {why}: {case.shortened()}\n    checker: {case.said[:300]}")

    lines = [
        f"{case.message}: {case.said}: {case.longest()}\n"
        for case in every
        if case.by_schema and not case.by_checker and case.message not in bases.ONE_WAY
    ]
    gap = "".join(sorted(set(lines)))
    listed = pathlib.Path(__file__).with_name("parity_gap.txt")
    if options.gap:
        pathlib.Path(options.gap).write_text(gap, encoding="utf-8")
    same = gap == (listed.read_text(encoding="utf-8") if listed.exists() else "")
    print(f"{'ok' if same else 'FAILED'} the gap: {gap.count(chr(10))} samples")
    enough = min(total.values()) >= 250
    print(f"{'ok' if enough else 'FAILED'} {total['accepted']} accepted, {total['refused']} refused")
    failed += (not same) + (not enough)
    tested = len(tests) + 2
    print(f"Synthesis: Tested: {tested} | Passing: {tested - failed} | Failing: {failed} | Crashing: 0")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
