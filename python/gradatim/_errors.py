"""Errors: what the library refuses, as subclasses of Python's own kinds, each with its code.

The message is one line that names the thing, the rule, the value and the remedy, and ends with
the code; docs/errors.md lists the codes.
"""

__all__ = [
    "DataError",
    "DistributedError",
    "GradatimError",
    "ModelError",
    "NumericError",
    "UsageError",
]


class GradatimError(Exception):
    """The base of every error of the library.

    Attributes
    ----------
    code : str
        The stable code, such as "GRD-2022".
    """

    code: str

    def __init__(self, message: str = "", code: str = "") -> None:
        tail = f" ({code})" if code else ""
        super().__init__(message if message.endswith(tail) else message + tail)
        self.code = code

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return type(self), (str(self), self.code)


class UsageError(GradatimError, ValueError):
    """GRD-1xxx: a name, a setting or a combination that does not exist."""


class DataError(GradatimError, ValueError):
    """GRD-2xxx: a table, a column or a cell that cannot be used."""


class ModelError(GradatimError, ValueError, OSError):
    """GRD-3xxx: a file that is no whole and valid model, or that cannot be read."""


class NumericError(GradatimError, ArithmeticError):
    """GRD-4xxx: numbers that diverge, or a quantity that is not defined."""


class DistributedError(GradatimError, RuntimeError):
    """GRD-5xxx: a group of processes that does not hold together."""
