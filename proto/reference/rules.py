"""What an annotation of buf.validate allows, in words.

Every rule is worded or the page is not made: a rule that a reader is not told of is worse than none.
"""

# Rules that a value has to meet, by name; %s is the operand.
PHRASES = {
    "min_len": "at least %s characters",
    "max_len": "at most %s characters",
    "min_bytes": "at least %s bytes",
    "max_bytes": "at most %s bytes",
    "pattern": "matches `%s`",
    "gt": "above %s",
    "gte": "at least %s",
    "lt": "below %s",
    "lte": "at most %s",
    "min_items": "at least %s entries",
    "max_items": "at most %s entries",
    "min_pairs": "at least %s entries",
    "max_pairs": "at most %s entries",
}
FLAGS = {
    "finite": "finite",
    "unique": "no two alike",
    "defined_only": "a declared value",
}
# Two that are one to the eye.
PAIRS = [
    ("gte", "lte", "%s to %s"),
    ("min_items", "max_items", "%s to %s entries"),
    ("min_pairs", "max_pairs", "%s to %s entries"),
    ("min_bytes", "max_bytes", "%s to %s bytes"),
    ("min_len", "max_len", "%s to %s characters"),
]
SIZES = {"min_len", "min_bytes", "min_items", "min_pairs"}
PARTS = {"items": "each ", "keys": "keys: ", "values": "values: "}


class UnknownRule(Exception):
    pass


def number(text):
    """Grouped, where it is a number: 4096 is 4,096."""
    return f"{int(text):,}" if text.isdigit() else text


def of_value(kind, rules):
    """Of the rules of one type, "string" say: phrases."""
    rules = dict(rules)
    for low, high, phrase in PAIRS:
        if low in rules and high in rules:
            yield phrase % (number(rules.pop(low)[0]), number(rules.pop(high)[0]))
    for name, operands in rules.items():
        if name in SIZES and operands == ["1"]:
            yield "not empty"
        elif name in PARTS:
            yield PARTS[name] + ", ".join(of_field(operands[0]))
        elif name in FLAGS and operands == ["true"]:
            yield FLAGS[name]
        elif name == "not_in" and kind == "enum" and operands == ["0"]:
            yield "not 0"
        elif name == "in":
            yield ("any of " if kind == "field_mask" else "one of ") + ", ".join(f"`{operand}`" for operand in operands)
        elif name in PHRASES:
            phrase = PHRASES[name] if kind != "bytes" else PHRASES[name].replace("characters", "bytes")
            yield phrase % number(operands[0])
        else:
            raise UnknownRule(f"{kind}.{name}: {operands}")


def of_field(annotation):
    """Of a (buf.validate.field): phrases."""
    phrases = []
    for name, operands in annotation.items():
        if name == "required" and operands == ["true"]:
            phrases.append("required")
        elif name == "ignore" and operands == ["IGNORE_IF_ZERO_VALUE"]:
            pass
        elif isinstance(operands[0], dict):
            phrases += of_value(name, operands[0])
        else:
            raise UnknownRule(f"{name}: {operands}")
    if annotation.get("ignore"):
        phrases.append("or empty" if "string" in annotation or "bytes" in annotation else "or 0")
    return phrases
