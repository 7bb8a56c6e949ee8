"""Writes the reference of a package: one page of Markdown, from a FileDescriptorSet with its comments.

    page.py --protoc PROTOC -I DIR... FILE

A section for each file, services first, each with what is declared in it, in that order.
"""

import argparse
import re
import sys

import rules
import textproto

PACKAGE = "sluice.v1"
HEAD = """\
# API reference: sluice.v1

Made from the comments and annotations of `proto/sluice/v1/*.proto` by `bazel run //proto/reference -- --write`; a test
says when it is not current. The [README](../README.md) tells how it all belongs together, and has the status code
of each error ([Errors](../README.md#errors)).

What stands under *allowed* is checked before anything is done: a request that breaks a rule is `INVALID_ARGUMENT`, and
its `BadRequest` lists every rule that it breaks. A field that is not set is zero or empty; unset is other than zero for
*optional* fields, messages and members of a oneof. JSON has the names in lowerCamelCase. Besides these services a server
has `grpc.health.v1.Health` and both versions of `grpc.reflection`.
"""
# What is asked for comes before what it is made of.
FILES = ["collection_service", "ingest_service", "retrieval_service", "admin_service", "chunk", "filter", "errors"]
WELL_KNOWN = "https://protobuf.dev/reference/protobuf/google.protobuf/#"
# FileDescriptorProto's fields, as paths of SourceCodeInfo number them.
MESSAGE, ENUM, SERVICE = "4", "5", "6"
FIELD, ONEOF, VALUE, METHOD = "2", "8", "2", "2"

# What a comment says of the contract rather than in English: Service.Method and CamelCase, a_field and
# metadata["sequence"], A_CONSTANT and a status code, a header's name.
IDENTIFIER = re.compile(
    r"`[^`]*`|\bgoogle\.rpc\.[A-Z]\w+|\b[A-Z][a-z]+(?:\.?[A-Z][a-z]+)+\b"
    r"|\b[a-z]+(?:_[a-z]+)+\b|\b[a-z]+\[\"\w+\"\]"
    r"|\b[A-Z][A-Z0-9]*_[A-Z0-9_]*|\b[A-Z]{6,}\b"
    r"|\bgrpc(?:-[a-z]+)+\b")


class Page:
    def __init__(self, files):
        self.files = files
        self.lines = []
        self.anchors = {}
        self.users = {}
        self.heading = ""
        for file in files:
            for kind in ("service", "message_type", "enum_type"):
                for declared in file.get(kind, []):
                    self.index(declared)

    def index(self, declared):
        """Notes what headings there will be, and who names whom."""
        name = declared["name"][0]
        for heading in [name] + [method["name"][0] for method in declared.get("method", [])]:
            if heading.lower() in self.anchors.values():
                raise ValueError(f"two headings would be {heading}")
            self.anchors[heading] = heading.lower()
        for method in declared.get("method", []):
            self.note("Request of", method["input_type"][0], method["name"][0])
            self.note("Response of", method["output_type"][0], method["name"][0])
        for field in declared.get("field", []):
            for used in self.types_of(declared, field):
                self.note("Part of", used, name)

    def note(self, role, used, user):
        users = self.users.setdefault((role, used.rpartition(".")[2]), [])
        if user not in users:
            users.append(user)

    def types_of(self, message, field):
        entry = self.map_entry(message, field)
        fields = entry["field"] if entry else [field]
        return [one["type_name"][0] for one in fields if "type_name" in one]

    def map_entry(self, message, field):
        """The nested message that a map's field is on the wire, or None."""
        for nested in message.get("nested_type", []):
            if field.get("type_name", [""])[0].endswith(f".{message['name'][0]}.{nested['name'][0]}"):
                return nested
        return None

    # Text

    def link(self, name):
        return f"[{name}](#{self.anchors[name]})" if name in self.anchors else f"`{name}`"

    def identifier(self, match):
        """A name in a comment: a link where it has a heading, else code."""
        name = match[0]
        last = name.rsplit(".", 1)[-1]
        if last == self.heading or name.startswith("`"):
            return name
        return f"[{name}](#{self.anchors[last]})" if last in self.anchors else f"`{name}`"

    def prose(self, comment):
        """A comment's paragraphs, each in one line, its names marked."""
        paragraphs = []
        for paragraph in comment.strip().split("\n\n"):
            text = " ".join(line.strip() for line in paragraph.split("\n"))
            text = text.replace("<", "&lt;").replace("*", "\\*")
            paragraphs.append(IDENTIFIER.sub(self.identifier, text))
        return paragraphs

    def cell(self, comment):
        return " ".join(self.prose(comment)).replace("|", "\\|")

    def put(self, *lines):
        self.lines += lines

    def head(self, level, heading):
        self.heading = heading
        self.put(f"{'#' * level} {heading}", "")

    def paragraphs(self, comment):
        for paragraph in self.prose(comment):
            if paragraph:
                self.put(paragraph, "")

    # Declarations

    def type_name(self, field):
        kind = field["type"][0].removeprefix("TYPE_").lower()
        if kind not in ("message", "enum"):
            return kind
        full = field["type_name"][0].lstrip(".")
        name = full.rsplit(".", 1)[1]
        if full.startswith("google.protobuf."):
            return f"[{name}]({WELL_KNOWN}{re.sub('(?<!^)(?=[A-Z])', '-', name).lower()})"
        return self.link(name)

    def type_text(self, message, field):
        entry = self.map_entry(message, field)
        if entry:
            key, value = entry["field"]
            return f"map of {self.type_name(key)} to {self.type_name(value)}"
        if field.get("label") == ["LABEL_REPEATED"]:
            return f"list of {self.type_name(field)}"
        optional = "optional " if field.get("proto3_optional") else ""
        return optional + self.type_name(field)

    def allowed(self, field):
        annotation = field.get("options", [{}])[0].get("[buf.validate.field]", [{}])[0]
        try:
            phrases = rules.of_field(annotation)
        except rules.UnknownRule as unknown:
            raise ValueError(f"{field['name'][0]}: a rule without words: {unknown}") from None
        return "; ".join(phrases).replace("|", "\\|")

    def choices(self, message, comment_of):
        """What a message's oneofs ask for, and its rules over several fields."""
        for i, oneof in enumerate(message.get("oneof_decl", [])):
            members = [field for field in message["field"] if field.get("oneof_index") == [str(i)]]
            if any(field.get("proto3_optional") for field in members):
                continue
            required = oneof.get("options", [{}])[0].get("[buf.validate.oneof]", [{}])[0].get("required")
            self.put(f"{'Exactly' if required else 'At most'} one of {self.names(members)}"
                     f" (oneof `{oneof['name'][0]}`).", "")
            self.paragraphs(comment_of(ONEOF, i))
        ruled = message.get("options", [{}])[0].get("[buf.validate.message]", [{}])[0]
        for oneof in ruled.get("oneof", []):
            required = oneof.get("required") == ["true"]
            members = [{"name": [name]} for name in oneof["fields"]]
            self.put(f"{'Exactly' if required else 'At most'} one of {self.names(members)}.", "")
        if set(ruled) - {"oneof"}:
            raise ValueError(f"{message['name'][0]}: rules without words: {sorted(ruled)}")

    @staticmethod
    def names(fields):
        return ", ".join(f"`{field['name'][0]}`" for field in fields)

    def uses(self, name):
        """Where a message or an enum is met, in one line."""
        places = []
        for role in ("Request of", "Response of", "Part of"):
            if users := self.users.get((role, name)):
                places.append(f"{role} {', '.join(self.link(user) for user in users)}.")
        if places:
            self.put(" ".join(places), "")

    def message(self, message, comment_of):
        name = message["name"][0]
        self.head(3, name)
        self.paragraphs(comment_of())
        self.uses(name)
        if not message.get("field"):
            self.put("No fields.", "")
            return
        self.choices(message, comment_of)
        fields = list(enumerate(message["field"]))
        ruled = any(self.allowed(field) for _, field in fields)
        told = any(comment_of(FIELD, i) for i, _ in fields)
        columns = ["#", "field", "type"] + ["allowed"] * ruled + [""] * told
        self.put("| " + " | ".join(columns) + " |", "|" + "---|" * len(columns))
        for i, field in fields:
            cells = [field["number"][0], f"`{field['name'][0]}`", self.type_text(message, field)]
            cells += [self.allowed(field)] * ruled + [self.cell(comment_of(FIELD, i))] * told
            self.put("| " + " | ".join(cells) + " |")
        self.put("")

    def enum(self, enum, comment_of):
        name = enum["name"][0]
        self.head(3, name)
        self.paragraphs(comment_of())
        self.uses(name)
        self.put("| # | value | |", "|---|---|---|")
        for i, value in enumerate(enum["value"]):
            self.put(f"| {value['number'][0]} | `{value['name'][0]}` | {self.cell(comment_of(VALUE, i))} |")
        self.put("")

    def service(self, service, comment_of):
        self.paragraphs(comment_of())
        for i, method in enumerate(service["method"]):
            arrow = []
            for side in ("input", "output"):
                streams = method.get("client_streaming" if side == "input" else "server_streaming")
                name = method[f"{side}_type"][0].rsplit(".", 1)[1]
                arrow.append(("stream of " if streams else "") + self.link(name))
            self.head(3, method["name"][0])
            self.put(" → ".join(arrow), "")
            self.paragraphs(comment_of(METHOD, i))

    def file(self, file):
        path = file["name"][0]
        comments = {}
        for location in file["source_code_info"][0]["location"]:
            parts = [location.get(part, [""])[0] for part in ("leading_comments", "trailing_comments")]
            comments[tuple(location.get("path", []))] = "\n\n".join(filter(None, map(str.strip, parts)))

        def comment_of(kind, i):
            return lambda *inner: comments.get((kind, str(i), *map(str, inner)), "")

        services = file.get("service", [])
        title = services[0]["name"][0] if services else path.rpartition("/")[2]
        self.head(2, title)
        self.put(f"[{path}]({path})", "")
        for i, service in enumerate(services):
            self.service(service, comment_of(SERVICE, i))
        for i, message in enumerate(file.get("message_type", [])):
            self.message(message, comment_of(MESSAGE, i))
        for i, enum in enumerate(file.get("enum_type", [])):
            self.enum(enum, comment_of(ENUM, i))

    def contents(self):
        self.put("| service | methods |", "|---|---|")
        for file in self.files:
            for service in file.get("service", []):
                methods = ", ".join(self.link(method["name"][0]) for method in service["method"])
                self.put(f"| {self.link(service['name'][0])} | {methods} |")
        self.put("")

    def text(self):
        self.put(*HEAD.split("\n"))
        self.contents()
        for file in self.files:
            self.file(file)
        return "\n".join(self.lines).rstrip("\n") + "\n"


def order(file):
    stem = file["name"][0].rpartition("/")[2].removesuffix(".proto")
    return FILES.index(stem) if stem in FILES else len(FILES), stem


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--protoc", default="protoc")
    parser.add_argument("-I", dest="roots", action="append", default=[])
    parser.add_argument("set")
    options = parser.parse_args()
    found = textproto.descriptor_set(options.set, options.protoc, options.roots)["file"]
    files = sorted((file for file in found if file.get("package") == [PACKAGE]), key=order)
    sys.stdout.buffer.write(Page(files).text().encode())


main()
