"""Rules that write text and know, at every character, how likely each next one is.

A grammar draws words; a character model reads letters. What the rules say about the next letter is found by keeping
every derivation that fits the text so far, with its weight (prefix probabilities, Jelinek and Lafferty 1991, from the
top down). The weights are whole numbers, so that nothing is rounded: the probabilities sum to exactly 1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd, lcm

Stack = tuple  # what is still to be written: () or (item, the stack below it); an item is letters or "{a rule}"
Rule = tuple[list[tuple[int, list[str]]], int]  # alternatives, each a weight and its items, and the sum of the weights


@dataclass(frozen=True, eq=False)
class Situation:
    """Where a text can stand in the grammar after some characters.

    Attributes:
        derivations: what may still have to be written, each with its weight: whole numbers without a common divisor, in
            proportion to the probabilities.
        following: for a column before and beyond the width, each character that may come next, with its probability
            and the situation after it; filled in when first asked for.
    """

    derivations: dict[Stack, int]
    following: dict[bool, dict[str, tuple[Fraction, "Situation"]]] = field(default_factory=dict)

    def due(self) -> Iterator[Iterator[str]]:
        """Yield, for each derivation, the letters and "{rules}" that are still to be written, in their order."""
        return map(_items, self.derivations)


class CharacterGrammar:
    """Weighted rules of a text without end, asked one character at a time.

    A rule is a string of alternatives, as in "2*the {noun}|a {noun}": separated by "|", each chosen in proportion to
    the number before its "*" (1 where there is none), with the names of other rules in braces. A name with its first
    letter in upper case, "{Noun}", is the same rule with its first letter in upper case. A rule may lead back to itself
    at its end (a text without end must), not at its beginning.

    A space that comes when the line already holds `width` characters or more is written as a line break. So the place
    of a break follows from the text before it, and costs nothing.

    Args:
        rules: every rule by its name.
        start: the rule that the text begins with.
        width: characters of a line from which on a space breaks it.

    Example:
        >>> grammar = CharacterGrammar({"row": "3*a{row}|bb{row}"}, start="row", width=9)
        >>> {character: float(share) for character, (share, _) in grammar.following(grammar.start, 0).items()}
        {'a': 0.75, 'b': 0.25}
    """

    def __init__(self, rules: dict[str, str], *, start: str, width: int):
        """Read the rules and stand before the first character."""
        read = {name: _read_rule(text) for name, text in rules.items()}
        self._rules = {_upper_first(name): _with_capital(rule) for name, rule in read.items()} | read
        self._situations: dict[frozenset, Situation] = {}
        self._width = width
        self.start = self._situation({("{" + start + "}", ()): 1})

    def following(self, situation: Situation, column: int) -> dict[str, tuple[Fraction, Situation]]:
        """Return which characters may come next.

        Args:
            situation: `start`, or one that this method returned.
            column: how many characters the line holds already.

        Returns:
            By the character, in their order: its probability given all before it, and the situation after it.
        """
        breaks = column >= self._width
        if breaks not in situation.following:
            situation.following[breaks] = self._follow(situation, breaks)
        return situation.following[breaks]

    def _follow(self, situation: Situation, breaks: bool) -> dict[str, tuple[Fraction, Situation]]:
        found = [
            (final, weight * times, parts)
            for stack, weight in situation.derivations.items()
            for final, times, parts in self._first_letters(stack)
        ]
        common = lcm(*(parts for *_, parts in found))
        fitting: dict[str, dict[Stack, int]] = {}
        for (letters, below), times, parts in found:
            character = "\n" if breaks and letters[0] == " " else letters[0]
            left = (letters[1:], below) if letters[1:] else below
            group = fitting.setdefault(character, {})
            group[left] = group.get(left, 0) + times * (common // parts)
        whole = sum(sum(group.values()) for group in fitting.values())
        return {
            character: (Fraction(sum(group.values()), whole), self._situation(group))
            for character, group in sorted(fitting.items())
        }

    def _first_letters(self, stack: Stack) -> Iterator[tuple[Stack, int, int]]:
        """Apply rules until every derivation begins with letters; yield each with its share, `times` in `parts`."""
        item, below = stack
        if item[0] != "{":
            yield stack, 1, 1
            return
        alternatives, whole = self._rules[item[1:-1]]
        for weight, items in alternatives:
            longer = below
            for each in reversed(items):
                longer = (each, longer)
            for final, times, parts in self._first_letters(longer):
                yield final, weight * times, whole * parts

    def _situation(self, weights: dict[Stack, int]) -> Situation:
        """Return the one situation with these weights, whatever their common divisor."""
        divisor = gcd(*weights.values())
        derivations = {stack: weight // divisor for stack, weight in weights.items()}
        return self._situations.setdefault(frozenset(derivations.items()), Situation(derivations))


def _read_rule(text: str) -> Rule:
    """Read the alternatives of a rule: the weight of each with its letters and rules in order, and the sum."""
    found = [re.fullmatch(r"(?:(\d+)\*)?(.*)", each, re.DOTALL).groups() for each in text.split("|")]
    alternatives = [(int(weight or 1), re.findall(r"\{[^}]+\}|[^{}]+", items)) for weight, items in found]
    return alternatives, sum(weight for weight, _ in alternatives)


def _with_capital(rule: Rule) -> Rule:
    alternatives, whole = rule
    return [(weight, [*map(_capital, items[:1]), *items[1:]]) for weight, items in alternatives], whole


def _capital(item: str) -> str:
    return "{" + _upper_first(item[1:]) if item[0] == "{" else _upper_first(item)


def _upper_first(name: str) -> str:
    return name[:1].upper() + name[1:]


def _items(stack: Stack) -> Iterator[str]:
    while stack:
        item, stack = stack
        yield item
