"""The one way in which this package compiles an inner loop.

A compiled function calls only compiled functions of its own file: numba keeps machine code by file.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function compiled to machine code, which is kept beside its file."""
    return cast(Callable[P, R], njit(cache=True, nogil=True)(function))
