"""What a call fails with: the status, and what the server says of it."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Iterator, Mapping, Sequence

import grpc
from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"


@dataclasses.dataclass(frozen=True)
class Violation:
    """One field that is not as the contract has it."""

    field: str  # its path: "chunks[3].id"
    description: str
    reason: str  # the rule: "string.min_len"


class SluiceError(Exception):
    """A call that failed."""

    def __init__(self, code, message, reason="", metadata=None, violations=(), retry_seconds=None):
        super().__init__(message)
        self.code: grpc.StatusCode = code
        self.reason: str = reason  # of ErrorInfo: "COLLECTION_NOT_FOUND"
        self.metadata: Mapping[str, str] = metadata or {}
        self.violations: Sequence[Violation] = violations
        self.retry_seconds: float | None = retry_seconds

    def __str__(self):
        what = f"{self.code.name}: {self.args[0]}"
        return f"{what} [{self.reason}]" if self.reason else what


class NotFound(SluiceError, KeyError):
    """There is no such collection or chunk."""

    __str__ = SluiceError.__str__


class Invalid(SluiceError, ValueError):
    """The request breaks a rule of the contract or of the collection; violations says which."""


class Unavailable(SluiceError, ConnectionError):
    """The server is not there, or is about to go: the call may be tried again."""


class DeadlineExceeded(SluiceError, TimeoutError):
    """It took longer than its timeout."""


_CLASSES = {
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.INVALID_ARGUMENT: Invalid,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
}


def error_of(error: grpc.RpcError) -> SluiceError:
    """The same as an exception of ours, with the details unpacked."""
    reason, metadata, violations, retry_seconds = "", {}, [], None
    for key, value in error.trailing_metadata() or ():
        if key != _DETAILS:
            continue
        for detail in status_pb2.Status.FromString(value).details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            retry = error_details_pb2.RetryInfo()
            if detail.Unpack(info):
                reason, metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                violations += [
                    Violation(each.field, each.description, getattr(each, "reason", ""))
                    for each in bad.field_violations
                ]
            elif detail.Unpack(retry):
                retry_seconds = retry.retry_delay.ToTimedelta().total_seconds()
    made = _CLASSES.get(error.code(), SluiceError)
    return made(error.code(), error.details(), reason, metadata, violations, retry_seconds)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Makes errors of gRPC ours."""
    try:
        yield
    except grpc.RpcError as error:
        raise error_of(error) from None
