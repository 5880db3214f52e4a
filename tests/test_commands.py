"""The command line offers every command that there is."""

import importlib
import inspect
import pkgutil

import commands
from cli import COMMANDS, app

SHARED = {"console", "options"}


def test_every_public_function_of_the_commands_is_offered_once() -> None:
    modules = [one.name for one in pkgutil.iter_modules(commands.__path__)]
    there = [
        name
        for module in sorted({*modules} - SHARED)
        for name, found in vars(importlib.import_module(f"commands.{module}")).items()
        if inspect.isfunction(found) and found.__module__ == f"commands.{module}"
    ]
    offered = [command.__name__ for group in COMMANDS.values() for command in group]
    assert sorted(offered) == sorted(there)
    assert [one.callback.__name__ for one in app.registered_commands if one.callback] == offered
