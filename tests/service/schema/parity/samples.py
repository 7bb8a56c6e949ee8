"""Samples of a message in its JSON form, valid and not, with the edges of every rule.

A sample is a base, which is valid, with one thing changed: a field given another value, left out, or
given beside another member of its oneof; an item of a list or a map; a field that is not there. The
values come from the field's type and from its annotations. The same samples each time.
"""

import base64
import copy

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor as F

INTEGERS = {
    F.TYPE_INT32: (-(2**31), 2**31 - 1),
    F.TYPE_SINT32: (-(2**31), 2**31 - 1),
    F.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    F.TYPE_UINT32: (0, 2**32 - 1),
    F.TYPE_FIXED32: (0, 2**32 - 1),
    F.TYPE_INT64: (-(2**63), 2**63 - 1),
    F.TYPE_SINT64: (-(2**63), 2**63 - 1),
    F.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    F.TYPE_UINT64: (0, 2**64 - 1),
    F.TYPE_FIXED64: (0, 2**64 - 1),
}
WIDE = {F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64, F.TYPE_UINT64, F.TYPE_FIXED64}
FLOATS = {F.TYPE_FLOAT, F.TYPE_DOUBLE}
# One, two, three and four bytes of UTF-8.
CHARACTERS = ["a", "\u00e9", "\u20ac", "\U0001f600"]
# Around the patterns, prefixes and sets that the annotations name.
WORDS = [
    "docs", "Docs", "a" * 63, "a" * 64, "a-b_c9", "9a", "-a", "\u00e9", "docs\n", " docs", "abc9",
    "abc99", "pre", "prefix", "spre", "fix", "mid", "amidb", "b\u00fc", "x", "xz", "xyz", "bb", "a\x00b",
    "yes", "no",
]
KNOWN = {
    "google.protobuf.Duration": ["1s", "0s", "3s", "-1.5s", "1.000000001s", "1", "s", 1, {}],
    "google.protobuf.Timestamp": [
        "1970-01-01T00:00:03Z", "1970-01-01T00:00:01.5Z", "2001-09-09T01:46:40+01:00",
        "1970-01-01", "yesterday", 3,
    ],
    "google.protobuf.FieldMask": [
        "", "id", "id,text", "documentId", "document_id", "tokenCount,vector", "nonsense",
        "id,nonsense", "metadata.a", "a", "b.c", "b.c.d", "a,b", "b", 5, ["id"],
    ],
    "google.protobuf.Any": ["x", 5, []],
}


def rules_of(field):
    """The FieldRules of a field."""
    return field.GetOptions().Extensions[validate_pb2.field]


def typed(rules):
    """Its typed rules, or None."""
    which = rules.WhichOneof("type")
    return getattr(rules, which) if which else None


def operands(rules, names):
    """The operands of those rules that are set."""
    found = []
    for name in names:
        field = rules.DESCRIPTOR.fields_by_name.get(name) if rules is not None else None
        if field is None:
            continue
        value = getattr(rules, name)
        if field.is_repeated:
            found += list(value)
        elif rules.HasField(name):
            found.append(value)
    return found


def integers(field, rules):
    low, high = INTEGERS[field.type]
    near = [0, low, high]
    near += operands(rules, ["const", "lt", "lte", "gt", "gte", "in", "not_in"])
    values = sorted({value + step for value in near for step in (-1, 0, 1)})
    forms = values + [float(value) for value in values if abs(value) < 2**50] + [1.5]
    if field.type in WIDE:
        forms += [str(value) for value in values] + ["1.5", "one", ""]
    return forms + ["x", [], {}]


def floats(field, rules):
    near = [0.0] + operands(rules, ["const", "lt", "lte", "gt", "gte", "in", "not_in"])
    values = sorted({round(value + step, 6) for value in near for step in (-0.25, 0.0, 0.25)})
    if field.type == F.TYPE_FLOAT:
        values += [3.4e38, -3.4e38, 1e39, -1e39]
    return values + [1, "NaN", "Infinity", "-Infinity", "x", [], {}]


def strings(rules):
    values = ["", "a"] + WORDS + operands(rules, ["const", "in", "not_in"])
    for size in operands(rules, ["len", "min_len", "max_len", "len_bytes", "min_bytes", "max_bytes"]):
        for character in CHARACTERS:
            width = len(character.encode())
            for n in sorted({size - 1, size, size + 1, size // width, size // width + 1}):
                if 0 < n <= 70000:
                    values.append(character * n)
    return list(dict.fromkeys(values)) + [5, True, [], {}]


def blobs(rules):
    sizes = {0, 1, 2, 3}
    for size in operands(rules, ["len", "min_len", "max_len"]):
        sizes |= {size - 1, size, size + 1, size + 2}
    values = []
    for size in sorted(size for size in sizes if size >= 0):
        text = base64.b64encode((b"\xfb\xff\xfe" * (size // 3 + 1))[:size]).decode()
        values += [text, text.rstrip("="), text.replace("+", "-").replace("/", "_")]
    for value in operands(rules, ["const", "in", "not_in", "prefix"]):
        values.append(base64.b64encode(value).decode())
    return list(dict.fromkeys(values)) + [5, True, [], {}]


def scalars(field, rules):
    """Values of one field that is no message, with the rules of it or of its items."""
    if field.type in INTEGERS:
        return integers(field, rules)
    if field.type in FLOATS:
        return floats(field, rules)
    if field.type == F.TYPE_STRING:
        return strings(rules)
    if field.type == F.TYPE_BYTES:
        return blobs(rules)
    if field.type == F.TYPE_BOOL:
        return [True, False, 1, "true", [], {}]
    return [value.name for value in field.enum_type.values] + ["NONSENSE", "", [], {}]


def good(field, i):
    """The i-th of different values that most rules allow."""
    if field.type == F.TYPE_STRING:
        return f"a{i}"
    if field.type == F.TYPE_BYTES:
        return base64.b64encode(i.to_bytes(4, "big")).decode()
    if field.type == F.TYPE_BOOL:
        return True
    if field.type in FLOATS:
        return i / 16384
    if field.type in INTEGERS:
        return 10 + i
    return field.enum_type.values[1].name


def lists(field, present):
    rules = typed(rules_of(field))
    items = rules.items if rules is not None else None
    first = present[0] if present else None
    values = [[], {}, "x", 5, [None]]

    def many(n):
        if field.type == F.TYPE_MESSAGE:
            return [copy.deepcopy(first) for _ in range(n)] if first is not None else []
        return [good(field, i) for i in range(n)]

    for size in [1, 2, 4] + operands(rules, ["min_items", "max_items"]):
        values += [many(n) for n in (size - 1, size, size + 1) if 0 < n <= 10001]
    if field.type == F.TYPE_MESSAGE:
        if first is not None:
            values += [[sample] for sample in changes(field.message_type, first)]
    else:
        values += [[value] for value in scalars(field, typed(items) if items else None)]
        values.append([good(field, 0), good(field, 0)])
    return values


def keys(field, rules):
    if field.type == F.TYPE_STRING:
        return [value for value in strings(rules) if isinstance(value, str)]
    if field.type == F.TYPE_BOOL:
        return ["true", "false", "yes"]
    return [value for value in integers(field, rules) if isinstance(value, int)]


def maps(field, present):
    key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    rules = typed(rules_of(field))
    first = {} if value.type == F.TYPE_MESSAGE else good(value, 0)
    first = next(iter(present.values()), first)
    values = [{}, [], "x"]
    for size in [1] + operands(rules, ["min_pairs", "max_pairs"]):
        for n in (size - 1, size, size + 1):
            values.append({str(good(key, i)): copy.deepcopy(first) for i in range(n)})
    for name in keys(key, typed(rules.keys) if rules is not None else None):
        values.append({str(name): copy.deepcopy(first)})
    name = str(next(iter(present), good(key, 0)))
    if value.type == F.TYPE_MESSAGE and present:
        values += [{name: sample} for sample in changes(value.message_type, first)]
    elif value.type != F.TYPE_MESSAGE:
        inner = typed(rules.values) if rules is not None else None
        values += [{name: sample} for sample in scalars(value, inner)]
    return values


def is_map(field):
    return field.type == F.TYPE_MESSAGE and field.message_type.GetOptions().map_entry


def wrapped(field):
    """The field within google.protobuf.Int32Value and its kin, or None."""
    message = field.message_type
    if message.full_name.startswith("google.protobuf.") and message.name.endswith("Value"):
        return message.fields_by_name.get("value")
    return None


def values_of(field, present):
    """What to give a field. present  what the base gives it, or None."""
    if is_map(field):
        return maps(field, present or {})
    if field.is_repeated:
        return lists(field, present or [])
    if field.type != F.TYPE_MESSAGE:
        return scalars(field, typed(rules_of(field)))
    if field.message_type.full_name in KNOWN:
        return KNOWN[field.message_type.full_name]
    if wrapped(field) is not None:
        return scalars(wrapped(field), typed(rules_of(field)))
    # Not []: json_format takes it for a message without fields.
    samples = [{}, "x", 5]
    if present is not None:
        samples += list(changes(field.message_type, present))
    return samples


def changes(message, base):
    """Every sample that is one change away from the base."""
    yield copy.deepcopy(base)
    yield {**copy.deepcopy(base), "nonsense": 1}
    for field in message.fields:
        name = field.json_name
        present = base.get(name)
        without = {key: value for key, value in base.items() if key != name}
        if name in base:
            yield copy.deepcopy(without)
        # A member of a oneof alone, and beside the member of the base.
        others = set()
        if field.containing_oneof is not None:
            others = {member.json_name for member in field.containing_oneof.fields} - {name}
        alone = {key: value for key, value in without.items() if key not in others}
        values = values_of(field, present)
        for value in values:
            yield {**copy.deepcopy(alone), name: value}
        if alone != without:
            yield {**copy.deepcopy(without), name: values[0]}
    # Those that rules of the message name together.
    for rule in message.GetOptions().Extensions[validate_pb2.message].oneof:
        named = [message.fields_by_name[name] for name in rule.fields]
        for one in named:
            for other in named:
                if one.number < other.number:
                    yield {**copy.deepcopy(base), **pair(base, one), **pair(base, other)}


def pair(base, field):
    """A member with a value, the base's first of all."""
    if field.json_name in base:
        return {field.json_name: copy.deepcopy(base[field.json_name])}
    if field.type != F.TYPE_MESSAGE:
        value = good(field, 1)
        return {field.json_name: [value] if field.is_repeated else value}
    same = [v for v in base.values() if isinstance(v, dict)]
    return {field.json_name: copy.deepcopy(same[0]) if same else {}}
