"""The check beside Python's protovalidate, on random requests of Sluice's own.

    differential.py CHECK_BATCH [COUNT [SEED]]

A message is made by walking its descriptor, with values around the limits that its annotations name;
one in four is then spoiled byte by byte. Both sides read the same bytes, and have to give the same set
of (field path, rule id); what one cannot parse the other may not either. Under the server's own limits
the check has to say the same again, apart from where it is stricter, which is counted by reason.

Prints its sum as a Criterion program does.
"""

import collections
import importlib
import os
import random
import struct
import subprocess
import sys

import protovalidate
from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet

SERVICES = ("admin", "collection", "ingest", "retrieval")
# Found values and keys are shown up to here (check_scalar.c).
SHOWN_BYTES_MAX = 64
# What the server refuses and protocol buffers do not, as the details and rules say it.
STRICTER = {
    "comes twice": "a message that comes twice",
    "an unknown field, which": "an unknown field in a filter",
    "too many unknown": "too many unknown fields",
    "wire type of another": "a field in another's wire type",
    "a group": "a group",
    "too many entries": "too many entries of a map",
    "nested too deep": "messages nested too deep",
    "more than 64 bits": "a varint of more than 64 bits",
    "wire.nul": "NUL in a string",
}
# Deeper messages are made of the fewest fields.
DEPTH_MAX = 5


def request_types():
    """The messages that a client sends, by name."""
    types = {}
    for name in SERVICES:
        module = importlib.import_module(f"sluice.v1.{name}_service_pb2")
        for service in module.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                types[method.input_type.full_name] = method.input_type._concrete_class
    return [types[name] for name in sorted(types)]


def rules_of(field):
    return field.GetOptions().Extensions[validate_pb2.field]


class Maker:
    """Random messages. care is how likely a value is one that its rules allow."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.care = 1.0

    def message(self, kind, depth=0):
        message = kind()
        likely = 0.75 if depth < DEPTH_MAX else 0.2
        oneofs = {}
        for field in kind.DESCRIPTOR.fields:
            oneof = field.containing_oneof
            if oneof and len(oneof.fields) > 1:
                oneofs.setdefault(oneof.name, []).append(field)
            elif self.careful() if self.wanted(field) else self.random.random() < likely * 0.6:
                self.set(message, field, depth)
        for fields in oneofs.values():
            if self.random.random() < 0.95:
                self.set(message, self.random.choice(fields), depth)
        return message

    def careful(self):
        return self.random.random() < self.care

    def wanted(self, field):
        """Whether a message without it is likely to break a rule."""
        rules = rules_of(field)
        if rules.required or rules.repeated.min_items > 0:
            return True
        return not field.has_presence and rules.WhichOneof("type") in (
            "string", "uint32", "float", "enum",
        )

    def set(self, message, field, depth):
        rules = rules_of(field)
        if field.is_repeated:
            self.set_many(message, field, rules, depth)
        elif field.message_type:
            self.fill(getattr(message, field.name), field, rules, depth)
        else:
            setattr(message, field.name, self.scalar(field, rules))

    def fill(self, to, field, rules, depth):
        to.SetInParent()
        if field.message_type.full_name == "google.protobuf.FieldMask":
            names = list(rules.field_mask.__getattribute__("in")) or ["id"]
            odd = ["", "x", "id.x", "idx", "i", "metadata.title", "vector."]
            for _ in range(self.random.randint(0, 4)):
                to.paths.append(self.random.choice(names if self.careful() else odd))
        else:
            to.MergeFrom(self.message(type(to), depth + 1))

    def set_many(self, message, field, rules, depth):
        values = getattr(message, field.name)
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        count = self.count(rules, small=bool(field.message_type), depth=depth)
        # Keys come twice by chance: a few tries more than there are to be pairs.
        for _ in range(2 * count if is_map else count):
            if is_map and len(values) < count:
                key_field, value_field = field.message_type.fields
                key = self.scalar(key_field, rules.map.keys)
                if value_field.message_type:
                    self.fill(values[key], value_field, rules.map.values, depth)
                else:
                    values[key] = self.scalar(value_field, rules.map.values)
            elif is_map:
                break
            elif field.message_type:
                self.fill(values.add(), field, rules.repeated.items, depth)
            else:
                values.append(self.scalar(field, rules.repeated.items))
        if values and not field.message_type and self.random.random() < 0.2:
            values.append(values[self.random.randrange(len(values))])

    def count(self, rules, small, depth):
        """Of items: few, or around a limit where that costs little."""
        limits = [
            limit
            for limit in (rules.repeated.max_items, rules.map.max_pairs)
            if 0 < limit <= (100 if small and depth < 2 else 0 if small else 1100)
        ]
        if limits and self.random.random() < 0.06:
            return max(0, limits[0] + self.random.choice((-1, 0, 1)))
        return self.random.choice((1, 1, 1, 2, 3, 5) if self.careful() else (0, 0, 1, 4))

    def scalar(self, field, rules):
        kind = field.cpp_type
        if kind == FieldDescriptor.CPPTYPE_STRING:
            if field.type == FieldDescriptor.TYPE_BYTES:
                limit = rules.bytes.max_len or 16
                return self.random.randbytes(self.length(limit))
            return self.string(rules.string)
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return self.random.random() < 0.5
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            numbers = [value.number for value in field.enum_type.values]
            known = [n for n in numbers if n not in rules.enum.not_in]
            return self.random.choice(known if self.careful() else numbers + [-1, 77, 2**31 - 1])
        if kind in (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE):
            return self.real(rules.float if kind == FieldDescriptor.CPPTYPE_FLOAT else rules.double)
        return self.integer(field, rules)

    def length(self, limit):
        if self.careful():
            return self.random.randint(min(1, limit), min(limit, 12))
        return max(0, self.random.choice((0, 1, limit - 1, limit, limit + 1)))

    def string(self, rules):
        if rules.pattern and self.random.random() < 0.95:
            first = self.random.choice("abcxyz")
            size = self.random.choice((0, 1, 5, 61, 62)) if self.careful() else 63
            rest = "".join(self.random.choice("az09_" if self.careful() else "a_-Z \u00fc\n") for _ in range(size))
            return first + rest if self.careful() else self.random.choice(("", "9", "A", "\u00e9", first)) + rest
        limit = rules.max_bytes or rules.max_len or 64
        size = self.length(limit)
        # Two, three and four bytes: code points and bytes are counted apart.
        letter = self.random.choice("aaaz") if self.careful() else self.random.choice("a\u00fc\u20ac\U0001f600\"\\\n\x7f")
        width = len(letter.encode())
        text = letter * (size // width) + "a" * (size % width)
        if self.random.random() < 0.02:
            text += "\0"
        return text

    def real(self, rules):
        odd = [0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), float("-inf"), 1e30, 1e-40]
        bounds = [getattr(rules, name) for name in ("gt", "gte", "lt", "lte") if rules.HasField(name)]
        for bound in bounds:
            odd += [bound, bound * (1 + 2**-23), bound * (1 - 2**-23), bound + 1, bound - 1]
        if self.careful():
            return self.random.uniform(min(bounds), max(bounds)) if bounds else self.random.uniform(-9, 9)
        return self.random.choice(odd)

    def integer(self, field, rules):
        low, high = {
            FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
            FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
            FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
            FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
        }[field.cpp_type]
        kind = rules.WhichOneof("type")
        typed = getattr(rules, kind) if kind else None
        bounds = [getattr(typed, n) for n in ("gt", "gte", "lt", "lte") if typed and typed.HasField(n)]
        if self.careful():
            first = min(bounds) if len(bounds) > 1 else bounds[0] if bounds else 1
            last = max(bounds) if len(bounds) > 1 else first
            return self.random.randint(first, last)
        odd = [low, high, 0, 1] + [b + d for b in bounds for d in (-1, 0, 1)]
        return min(high, max(low, self.random.choice(odd)))

    # --- bytes ---

    def encoded(self, kind):
        self.care = self.random.choice((1.0, 1.0, 0.97, 0.9, 0.6))
        encoded = self.message(kind).SerializeToString()
        choice = self.random.random()
        if choice < 0.08:
            # The same fields again: the last of a scalar counts, lists go on.
            encoded += self.message(kind).SerializeToString()
        elif choice < 0.14:
            for _ in range(self.random.randint(1, 4)):
                encoded += self.unknown()
        elif choice < 0.40:
            encoded = self.spoiled(encoded)
        return encoded

    def unknown(self):
        number = self.random.choice((60, 1000, 19999, 2**29 - 1))
        value = self.random.choice(((0, b"\x05"), (1, bytes(8)), (2, b"\x02\xff\x00"), (5, bytes(4))))
        return varint(number << 3 | value[0]) + value[1]

    def spoiled(self, encoded):
        encoded = bytearray(encoded or b"\0")
        for _ in range(self.random.choice((1, 1, 1, 2, 4))):
            at = self.random.randrange(len(encoded))
            choice = self.random.random()
            if choice < 0.6:
                encoded[at] = self.random.choice((encoded[at] ^ 1 << self.random.randrange(8), self.random.randrange(256)))
            elif choice < 0.75:
                del encoded[at]
            elif choice < 0.9:
                encoded.insert(at, self.random.randrange(256))
            else:
                del encoded[at:]
            if not encoded:
                break
        return bytes(encoded)


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


# --- both sides ---


def quoted(key):
    """As check_path.c shows a string: escaped to ASCII, cut at 64 bytes."""
    raw = key.encode()
    text = "".join(
        "\\" + chr(c) if c in b'"\\' else chr(c) if 32 <= c < 127 else f"\\x{c:02x}"
        for c in raw[:SHOWN_BYTES_MAX]
    )
    return f'"{text}..." ({len(raw)} bytes)' if len(raw) > SHOWN_BYTES_MAX else f'"{text}"'


def path_text(path):
    parts = []
    for element in path.elements if path else ():
        text = element.field_name
        if element.subscript:
            value = element.subscript.value
            if element.subscript.field == "string_key":
                value = quoted(value)
            elif element.subscript.field == "bool_key":
                value = str(value).lower()
            text += f"[{value}]"
        parts.append(text)
    return ".".join(parts)


def answer_of_protovalidate(kind, encoded):
    """The set of "path rule_id", or None: the bytes are no message."""
    try:
        message = kind.FromString(encoded)
    except DecodeError:
        return None
    return {
        f"{path_text(violation.proto.field)} {violation.proto.rule_id}"
        for violation in protovalidate.collect_violations(message)
    }


def answers_of_check(program, limits, messages):
    """For each message a list: "path rule_id" of each violation; "! detail"."""
    stream = b"".join(
        struct.pack("<I", len(name)) + name + struct.pack("<I", len(encoded)) + encoded
        for name, encoded in ((kind.DESCRIPTOR.full_name.encode(), e) for kind, e in messages)
    )
    out = subprocess.run([program, limits], input=stream, stdout=subprocess.PIPE, check=True).stdout
    lines = out.decode().split("\n")
    assert lines.pop() == "" and len(lines) == len(messages), "an answer is missing"
    return [line.split("\t") if line else [] for line in lines]


def has_dropped_entry(message):
    """Whether a map's entry is among the unknown fields: Python puts one there, unread, that has a
    field which it does not know; other readers skip the field."""
    maps = {f.number for f in message.DESCRIPTOR.fields if f.message_type and f.message_type.GetOptions().map_entry}
    if any(unknown.field_number in maps and unknown.wire_type == 2 for unknown in UnknownFieldSet(message)):
        return True
    for field, value in message.ListFields():
        if not field.message_type:
            continue
        if field.message_type.GetOptions().map_entry:
            values = value.values() if field.message_type.fields[1].message_type else ()
        else:
            values = value if field.is_repeated else (value,)
        if any(has_dropped_entry(item) for item in values):
            return True
    return False


def stricter(said):
    for sign, reason in STRICTER.items():
        if any(sign in line for line in said):
            return reason
    return None


def main():
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    maker = Maker(int(sys.argv[3]) if len(sys.argv) > 3 else 20260101)
    kinds = request_types()
    messages = [(kinds[i % len(kinds)], maker.encoded(kinds[i % len(kinds)])) for i in range(count)]
    lenient = answers_of_check(program, "lenient", messages)
    strict = answers_of_check(program, "strict", messages)
    counts, apart, rules, failures = collections.Counter(), collections.Counter(), collections.Counter(), 0

    for (kind, encoded), ours, server in zip(messages, lenient, strict):
        theirs = answer_of_protovalidate(kind, encoded)
        refused = any(line.startswith("! ") or line.endswith(" wire.utf8") for line in ours)
        reason = stricter(server)
        counts["unparsed" if theirs is None else "refused" if theirs else "accepted"] += 1
        if theirs:
            rules.update(line.rsplit(" ", 1)[1] for line in theirs)
        if reason:
            apart[reason] += 1
        # Python merges a message that comes twice, and cuts the varint; under no limits do we.
        if reason in (STRICTER["comes twice"], STRICTER["more than 64 bits"]):
            continue
        if theirs is not None and has_dropped_entry(kind.FromString(encoded)):
            apart["an entry that Python drops"] += 1
            continue
        same = refused if theirs is None else set(ours) == theirs
        if same and (reason or sorted(server) == sorted(ours)):
            continue
        failures += 1
        if failures <= 10:
            print(f"{kind.DESCRIPTOR.full_name} {encoded.hex()}")
            print(f"  protovalidate: {'no message' if theirs is None else sorted(theirs)}")
            print(f"  lenient:       {sorted(ours)}\n  strict:        {sorted(server)}")

    print(f"{count} messages of {len(kinds)} types: {counts['accepted']} accepted, {counts['refused']} refused"
          f" for {sum(rules.values())} violations of {len(rules)} rules, {counts['unparsed']} no message;"
          f" {failures} answers differ")
    for rule, n in sorted(rules.items()):
        print(f"  {rule}: {n}")
    for reason, n in sorted(apart.items()):
        print(f"  apart: {reason}: {n}")
    # A generator that reached nothing would agree with anything.
    dull = min(counts["accepted"], counts["refused"]) < count // 5 or len(rules) < 15
    if dull:
        print("the messages are too much alike")
    failed = bool(failures) + dull
    print(f"Synthesis: Tested: 2 | Passing: {2 - failed} | Failing: {failed} | Crashing: 0")
    return failed


if __name__ == "__main__":
    sys.exit(main())
