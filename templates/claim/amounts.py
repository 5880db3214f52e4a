"""Numbers with their units and bounds as one symbol: "about 43 %", "between 2 and 3 ha", "half"."""

import re
from collections.abc import Sequence

from templates.claim.measures import Amount, Unit
from templates.claim.rewrite import rewritten
from templates.claim.tokens import Symbol, merged

_AMOUNT = re.compile(
    r"(?P<mods>[O~<>]*)(?:(?P<between>a?)(?P<low>9)(?P<low_unit>[%1]?)(?P<to>[-+i])~?"
    r"(?P<high>9)(?P<high_unit>[%1]?)|(?P<n>9)(?P<times>\*)|(?P<one>9)(?P<unit>[%1]?)|(?P<word>[Q*#]))"
)


def with_amounts(symbols: list[Symbol]) -> list[Symbol]:
    """Put every amount together; bounds and units that belong to none become other words."""
    return _without_idle_bounds(rewritten(symbols, _AMOUNT, _amount))


def _amount(symbols: Sequence[Symbol], match: re.Match[str]) -> list[Symbol]:
    """Put modifiers, numbers and units together; what makes no amount stays as it is."""
    parts = list(symbols[match.start() : match.end()])
    if match["to"] and not _is_range(symbols, match):
        cut = match.end("low_unit") - match.start()
        first = _measure(parts[:cut], match["mods"])
        joint = parts[cut]
        rest = rewritten(parts[cut + 1 :], _AMOUNT, _amount)
        return [*first, joint, *rest]
    return _measure(parts, match["mods"])


def _is_range(symbols: Sequence[Symbol], match: re.Match[str]) -> bool:
    """Tell ranges, "between 40 and 45 %", "40 to 45 %", from a change, "from 40 % to 45 %"."""
    joint = symbols[match.start("to")]
    if match["low_unit"] and match["to"] == "i":
        return False
    if match["to"] == "+":
        return bool(match["between"])
    return match["to"] == "-" or joint.word == "to"


def _measure(parts: list[Symbol], mods: str) -> list[Symbol]:
    numbers = [part for part in parts if part.symbol == "9"]
    side = ">" if ">" in mods else "<" if "<" in mods else ""
    last = parts[-1]
    about = "~" in mods
    if last.symbol in "Q#":
        return [_worded(parts, last, side, about)]
    if last.symbol == "*":
        times = _number(numbers[0]) if numbers else last.payload
        if not isinstance(times, float) or (times == 0.0) or side:
            return [merged("u", parts, None)]
        return [merged("*", parts, Amount(value=times, unit="times"), last.word)]
    unit, factor = _unit(last)
    low, high = _number(numbers[0]) * factor, _number(numbers[-1]) * factor
    ranged = len(numbers) > 1
    amount = Amount(
        value=min(low, high),
        unit=unit,
        side="-" if ranged else side,  # type: ignore[arg-type]
        upper=max(low, high) if ranged else 0.0,
        about=about,
    )
    symbol = {"%": "Q", "count": "#", "px": "A", "m2": "A", "m": "d"}[unit]
    return [merged(symbol, parts, amount)]


def _worded(parts: list[Symbol], last: Symbol, side: str, about: bool) -> Symbol:
    amount = last.payload
    assert isinstance(amount, Amount)
    if amount.fraction and (side or about):
        amount = Amount(
            value=amount.value,
            fraction=True,
            side=side,  # type: ignore[arg-type]
            about=about,
        )
    elif side or (about and not amount.word):
        return merged("u", parts, None)
    return merged(last.symbol, parts, amount, last.word)


def _unit(symbol: Symbol) -> tuple[Unit, float]:
    if symbol.symbol == "%":
        return "%", 1.0
    if symbol.symbol == "1" and isinstance(symbol.payload, tuple):
        unit, factor = symbol.payload
        return unit, factor  # type: ignore[return-value]
    return "count", 1.0


def _number(symbol: Symbol) -> float:
    return symbol.payload if isinstance(symbol.payload, float) else 0.0


# bounds that stand before no amount are other words; so are units without a number
_IDLE = {
    "over": "i",
    "under": "i",
    "above": "i",
    "below": "i",
    "up to": "i",
    "around": "i",
    "about": "i",
    "more than": "lt",
    "larger than": "lt",
    "greater than": "lt",
    "higher than": "lt",
    "less than": "qt",
    "fewer than": "qt",
    "smaller than": "qt",
    "lower than": "qt",
    "exceeding": "F",
    "some": "",
}


def _without_idle_bounds(symbols: list[Symbol]) -> list[Symbol]:
    done: list[Symbol] = []
    for number, symbol in enumerate(symbols):
        if symbol.symbol == "1" and symbol.word.startswith("p"):
            if done and done[-1].symbol == "d":  # "10 m pixels"; else it is of the picture
                done.append(Symbol("R", symbol.start, symbol.end))
            continue
        if symbol.word == "separate" and done and done[-1].symbol == "#":
            continue  # "three separate forests"
        if symbol.word == "one" and done and done[-1].symbol in "yD2":
            continue  # "the smallest one"
        if symbol.symbol not in "~<>":
            done.append(symbol)
            continue
        following = symbols[number + 1].symbol if number + 1 < len(symbols) else ""
        if symbol.symbol == "~" and following in ("=", "*"):
            continue
        for other in _IDLE.get(symbol.word, "u"):
            done.append(Symbol(other, symbol.start, symbol.end, None, symbol.word))
    return done
