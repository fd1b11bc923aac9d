"""Strong models from many small steps."""

import gradatim._native as _native
from gradatim import boost, neural, process, processes
from gradatim._convert import convert
from gradatim._errors import (
    DataError,
    DistributedError,
    GradatimError,
    ModelError,
    NumericError,
    UsageError,
)
from gradatim._export import api_export, export
from gradatim._judge import cv, search
from gradatim._load import load

__all__ = [
    "DataError",
    "DistributedError",
    "GradatimError",
    "ModelError",
    "NumericError",
    "UsageError",
    "api_export",
    "boost",
    "convert",
    "cv",
    "export",
    "load",
    "neural",
    "process",
    "processes",
    "search",
]

__version__: str = _native.version
