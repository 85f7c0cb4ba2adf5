"""Reads quadlets as Podman and systemd do, so that tests see what the process of a container gets.

Facts: containers/podman, pkg/systemd/quadlet/quadlet.go and pkg/systemd/parser/split.go at v4.7.0; systemd.service(5)
for `$` and systemd.unit(5) for `%`.
"""

from __future__ import annotations

import re

_KEYS = """
Container: AddDevice ContainerName DropCapability Environment EnvironmentFile Exec Group HealthCmd HealthInterval
  HealthRetries HealthStartPeriod HealthTimeout Image Label LogDriver Mount Network NoNewPrivileges PidsLimit PodmanArgs
  PublishPort ReadOnly ShmSize Tmpfs Ulimit User Volume
Network: Internal NetworkName
Volume: VolumeName
Unit: After Description Requires Wants
Service: RemainAfterExit Restart RestartSec TimeoutStartSec TimeoutStopSec Type
Install: WantedBy
"""
KEYS = {
    section: frozenset(words.split()) for section, words in re.findall(r"^(\w+):(.*(?:\n  .*)*)", _KEYS, re.MULTILINE)
}
"""The keys of each section that the first release with all of ours has."""
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'"}

Unit = dict[str, list[tuple[str, str]]]


def read(text: str) -> Unit:
    """Return the lines of each section. Whatever a reader would not take as a line of ours is a failure."""
    sections: Unit = {}
    current: list[tuple[str, str]] | None = None
    for line in text.split("\n"):
        if line.startswith("#") or not line:
            continue
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
            continue
        key, mark, value = line.partition("=")
        assert mark, line
        assert current is not None, line
        assert not value.endswith("\\"), "a line that goes on"
        current.append((key, value))
    for section, lines in sections.items():
        assert {key for key, _ in lines} <= KEYS[section], section
    return sections


def values(unit: Unit, key: str, section: str = "Container") -> list[str]:
    """Return all values of a key."""
    return [value for name, value in unit[section] if name == key]


def words(value: str) -> list[str]:
    """Split a value into words, with quotes and escapes, and expand specifiers and variables of systemd.

    A specifier or a variable other than the doubled sign is a failure.
    """
    found: list[str] = []
    word, quote, index = None, "", 0
    while index < len(value):
        character = value[index]
        if character == "\\":
            word, index = (word or "") + _ESCAPES[value[index + 1]], index + 1
        elif character in "\"'" and not quote:
            word, quote = word or "", character
        elif character == quote:
            quote = ""
        elif character in " \t" and not quote:
            if word is not None:
                found.append(word)
            word = None
        else:
            word = (word or "") + character
        index += 1
    assert not quote, value
    return [expanded(item) for item in [*found, *([word] if word is not None else [])]]


def expanded(text: str) -> str:
    """Return a text without specifiers and variables."""
    for sign in "%$":
        assert not re.sub(re.escape(sign * 2), "", text).count(sign), text
        text = text.replace(sign * 2, sign)
    return text
