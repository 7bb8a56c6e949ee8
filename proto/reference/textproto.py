"""Descriptors as plain Python: what protoc --decode prints, read back.

A message is a dict of lists, by field name: a repeated field has several entries, any other one. An
extension's name is in brackets, as protoc writes it: "[buf.validate.field]".
"""

import re
import subprocess

LINE = re.compile(r'\s*(?:(\})|([\w.]+|\[[\w.]+\])(?:(?:: )("(?:[^"\\]|\\.)*"|\S+)| (\{)))$')
ESCAPE = re.compile(rb"\\([0-7]{3}|x[0-9a-fA-F]{2}|.)")
ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def unescape(match):
    code = match[1]
    if len(code) == 3 and code.isdigit():
        return bytes([int(code, 8)])
    if len(code) == 3:
        return bytes([int(code[1:], 16)])
    return ESCAPED.get(code, code)


def value(text):
    if text.startswith('"'):
        return ESCAPE.sub(unescape, text[1:-1].encode()).decode()
    return text


def parse(text):
    """The message that the lines are; ValueError where one is none."""
    root = {}
    stack = [root]
    for line in text.splitlines():
        found = LINE.match(line)
        if not found:
            raise ValueError(f"not a line of a text message: {line}")
        closes, name, scalar, opens = found.groups()
        if closes:
            stack.pop()
        elif opens:
            message = {}
            stack[-1].setdefault(name, []).append(message)
            stack.append(message)
        else:
            stack[-1].setdefault(name, []).append(value(scalar))
    return root


def descriptor_set(path, protoc, roots):
    """The FileDescriptorSet of a file, with buf.validate's annotations; the roots are protoc's -I."""
    with open(path, "rb") as file:
        text = subprocess.run(
            [protoc, *(f"-I{root}" for root in roots), "--decode=google.protobuf.FileDescriptorSet",
             "google/protobuf/descriptor.proto", "buf/validate/validate.proto"],
            stdin=file, stdout=subprocess.PIPE, check=True, text=True).stdout
    return parse(text)
