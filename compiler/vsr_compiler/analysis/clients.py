"""Sets of clients: what the policy's conditions distinguish of who sends a request.

A client has one user, one team and one tenant, and one value of every other claim, or none. The values that the policy
names get numbers, and the bits of a client's number are variables: so no client has two of them. A client can have
several roles; each is a variable of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.analysis.bdd import TRUE, Bdd
from vsr_compiler.ir.signals import ClientSignal
from vsr_schemas.identity import ROLE


class Clients:
    """Sets of clients of one policy. The variables of diagrams are those below ``size``."""

    def __init__(self, policy: ir.Policy, bdd: Bdd) -> None:
        self._bdd = bdd
        self._bits: dict[str, list[int]] = {}
        self._numbers: dict[str, dict[str, int]] = {}
        self._roles: dict[str, int] = {}
        self.size = 0
        for test in _tests(policy):
            if test.attribute == ROLE:
                for role in test.values:
                    self._roles.setdefault(role, len(self._roles))
                continue
            numbers = self._numbers.setdefault(test.attribute, {})
            for value in test.values:
                numbers.setdefault(value, len(numbers) + 1)  # 0 is any other value, or none
        for attribute, numbers in sorted(self._numbers.items()):
            self._bits[attribute] = [self.size + bit for bit in range(len(numbers).bit_length())]
            self.size += len(self._bits[attribute])
        self._roles = {role: self.size + number for role, number in self._roles.items()}
        self.size += len(self._roles)

    def of(self, tests: Collection[ir.ClientTest]) -> int:
        """Return the clients that pass at least one test."""
        found = 0
        for test in tests:
            for value in test.values:
                found = self._bdd.either(found, self._one(test.attribute, value))
        return found

    def describe(self, chosen: Mapping[int, bool]) -> Iterator[str]:
        """Yield what an assignment says of the client, in words. Variables that do not matter are missing in it."""
        for attribute, bits in self._bits.items():
            if not any(bit in chosen for bit in bits):
                continue
            number = sum(1 << place for place, bit in enumerate(bits) if chosen.get(bit))
            names = {other: value for value, other in self._numbers[attribute].items()}
            yield f"of the {attribute} `{names[number]}`" if number in names else f"of another {attribute}, or of none"
        has = [f"`{role}`" for role, variable in self._roles.items() if chosen.get(variable)]
        lacks = [f"`{role}`" for role, variable in self._roles.items() if chosen.get(variable) is False]
        if has:
            yield f"with the role {' and '.join(has)}"
        if lacks:
            yield f"without the role {' and '.join(lacks)}"

    def _one(self, attribute: str, value: str) -> int:
        if attribute == ROLE:
            return self._bdd.variable(self._roles[value])
        number, result = self._numbers[attribute][value], TRUE
        for place, bit in enumerate(self._bits[attribute]):
            variable = self._bdd.variable(bit)
            result = self._bdd.both(result, variable if number >> place & 1 else self._bdd.without(variable))
        return result


def _tests(policy: ir.Policy) -> Iterator[ir.ClientTest]:
    for signal in policy.signals:
        if isinstance(signal.kind, ClientSignal):
            yield from signal.kind.tests
    for model in policy.models:
        yield from model.allow
    for limit in policy.limits:
        if limit.over is not None:
            yield from limit.clients
    for assertion in policy.assertions:
        yield from assertion.statement.clients
