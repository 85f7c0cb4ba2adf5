"""The arguments of vLLM's server, by release.

Source: the source distributions on PyPI: `vllm/engine/arg_utils.py` (EngineArgs, AsyncEngineArgs), `cli_args.py`
(FrontendArgs) and `vllm/utils/argparse_utils.py` (underscores, `-O`, JSON paths). The names are in `data/arguments/`;
`python tests/support/vllm_arguments.py FOLDER` prints those of an unpacked source distribution.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_compiler.releases.data import FOLDER
from vsr_compiler.releases.model_servers import VLLM
from vsr_compiler.releases.numbers import numbers


@dataclass(frozen=True, slots=True)
class VllmArguments:
    """The arguments of a release.

    Attributes:
        switches: Arguments that `--no-` negates.
        marks: Arguments without a value and without a negation.
        options: Arguments with a value, or several.
        short: Short names with their long names.
    """

    switches: frozenset[str]
    marks: frozenset[str]
    options: frozenset[str]
    short: Mapping[str, str]

    @property
    def names(self) -> frozenset[str]:
        """Every long name."""
        negated = {f"--no-{name.removeprefix('--')}" for name in self.switches}
        return self.switches | self.marks | self.options | negated

    def takes_value(self, name: str) -> bool:
        """Return whether the next item of a list can be the value of an argument. Unknown ones may have a value."""
        return name not in self.switches and name not in self.marks and not name.startswith("--no-")


def _flags(text: str) -> frozenset[str]:
    return frozenset(f"--{word}" for word in text.split())


def _arguments(name: str) -> VllmArguments:
    data = tomllib.loads((FOLDER / "arguments" / f"vllm-{name}.toml").read_text(encoding="utf-8"))
    switches, marks, options = (_flags(data[key]) for key in ("switches", "marks", "options"))
    return VllmArguments(switches, marks, options, MappingProxyType(data["short"]))


@functools.cache
def arguments_of(release: str) -> VllmArguments:
    """Return the arguments of a release.

    Raises:
        KeyError: The release is not known.
    """
    return _arguments(VLLM[release].arguments)


def removed_since(name: str, release: str) -> str:
    """Return the newest older release that has an argument; empty if none has it."""
    number = numbers(release) or ()
    older = [item for item in VLLM if (numbers(item) or ()) < number and name in arguments_of(item).names]
    return older[-1] if older else ""
