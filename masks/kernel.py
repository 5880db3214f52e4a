"""The one way in which this package compiles its inner loops.

A kernel is private to its file and calls kernels of the same file only: numba keeps compiled code
beside the source and compiles again when that file changes, not when another one does.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function on its first call, without the interpreter lock, and keep the code.

    Worker processes share the kept code: the first one to need a kernel writes it under a
    temporary name and renames it, the others read it.
    """
    return cast(Callable[P, R], njit(cache=True, nogil=True, error_model="numpy")(function))
