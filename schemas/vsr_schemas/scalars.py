"""Scalar types of the policy file: the schema, not YAML's guess, decides what a plain value is.

``no``, ``1e3`` and ``12:30`` stay the text that was meant where the schema wants text, and are refused with a clear
message where it wants a number. The front end hands every unquoted value over as ``Plain``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError


class Plain(str):
    """An unquoted YAML scalar, as it was written."""

    __slots__ = ()


NULLS = frozenset({"", "~", "null", "Null", "NULL"})
# What YAML cannot carry unescaped through every parser on the way: controls, line separators, non-characters.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,3})?")
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)")
_QUANTITY = re.compile(r"([0-9]+)(Ki|Mi|Gi|Ti|k|M|G|T)?")
_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_BYTES = {"": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def _refuse(wanted: str, value: object) -> PydanticCustomError:
    """Return what is expected and what is written instead."""
    found = "a quoted text" if type(value) is str else "a mapping" if isinstance(value, dict) else "a list"
    if value is None or (isinstance(value, Plain) and value in NULLS):
        found = "nothing"
    elif isinstance(value, Plain):
        found = f"`{value[:40]}`"
    return PydanticCustomError("scalar", "expected {wanted}, found {found}", {"wanted": wanted, "found": found})


def _text(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
    if not isinstance(value, str) or (isinstance(value, Plain) and value in NULLS):
        raise _refuse("text", value)
    if bad := _CONTROL.search(value):
        raise PydanticCustomError("form", "the character {code} is not allowed here", {"code": f"U+{ord(bad[0]):04X}"})
    return str(value)


def _integer(value: Any) -> int:  # noqa: ANN401 - as above
    if isinstance(value, Plain) and _INTEGER.fullmatch(value):
        return int(value)
    raise _refuse("an integer", value)


def _number(value: Any) -> float:  # noqa: ANN401 - as above
    if isinstance(value, Plain) and _NUMBER.fullmatch(value):
        return float(value)
    raise _refuse("a number", value)


def _boolean(value: Any) -> bool:  # noqa: ANN401 - as above
    if isinstance(value, Plain) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise _refuse("true or false", value)


def _duration(value: Any) -> int:  # noqa: ANN401 - as above
    parts = _DURATION.findall(value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise _refuse("a duration such as `1s` or `300ms`", value)
    total = sum(float(number) * _MILLISECONDS[unit] for number, unit in parts)
    if total != int(total) or not 0 < total < 2**31:
        raise _refuse("a duration of whole milliseconds, over 0 and under 24 days", value)
    return int(total)


def _quantity(value: Any) -> int:  # noqa: ANN401 - as above
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _refuse("a quantity of bytes such as `8Mi`", value)
    return int(match[1]) * _BYTES[match[2] or ""]


def in_units(number: float, like: str) -> str:
    """A bound in the units of the value that broke it: milliseconds as a duration, bytes as a quantity.

    >>> in_units(600_000, "1h"), in_units(2**30, "2Gi"), in_units(5, "7")
    ('10m', '1Gi', '5')
    """
    units: dict[str, int] = {}
    if _DURATION.match(like):
        units = _MILLISECONDS
    elif (match := _QUANTITY.fullmatch(like)) is not None and match[2]:
        units = {name: _BYTES[name] for name in ("Gi", "Mi", "Ki")}
    name = next((name for name, size in units.items() if number % size == 0), "")
    return f"{number / units[name]:.0f}{name}" if name else f"{number}"


def _matches(pattern: str, what: str) -> AfterValidator:
    """A text of this form, or a message that names the form."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise PydanticCustomError("form", "`{value}` is not {what}", {"value": value[:80], "what": what})
        return value

    return AfterValidator(check)


@dataclass(frozen=True)
class _Shown:
    """As `_matches`, and the schema says the pattern, for editors."""

    form: AfterValidator
    pattern: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401 - whatever pydantic hands over
        return self.form.__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"pattern": f"^{self.pattern}$"}


def _shown(pattern: str, what: str) -> _Shown:
    return _Shown(_matches(pattern, what), pattern)


form, shown = _matches, _shown
"""For scalar types that one section alone has."""


def _json(value: Any) -> Any:  # noqa: ANN401 - as above
    """Return a value as YAML's JSON schema reads it: what is quoted is text, and what looks like a number is one."""
    if isinstance(value, dict):
        return {_text(key): _json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    if value is None or (isinstance(value, Plain) and value in NULLS):
        return None
    if isinstance(value, Plain):
        if value in {"true", "false"}:
            return value == "true"
        if _JSON_NUMBER.fullmatch(value):
            return float(value) if set(value) & set(".eE") else int(value)
    return _text(value)


Json = Annotated[Any, BeforeValidator(_json)]
"""Any JSON value, in YAML's spelling of it."""
JsonObject = Annotated[dict[str, Any], BeforeValidator(_json)]


def _check_not_blank(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("form", "a text must not be blank")
    return value


Text = Annotated[str, BeforeValidator(_text)]
not_blank = AfterValidator(_check_not_blank)
Int = Annotated[int, BeforeValidator(_integer)]
Number = Annotated[float, BeforeValidator(_number)]
Bool = Annotated[bool, BeforeValidator(_boolean)]
Milliseconds = Annotated[
    int,
    BeforeValidator(_duration),
    Field(json_schema_extra={"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?(ms|h|m|s))+$"}),
]
"""A Go duration in the file, milliseconds in the model."""
Bytes = Annotated[
    int,
    BeforeValidator(_quantity),
    Field(json_schema_extra={"type": ["string", "integer"], "pattern": "^[0-9]+(Ki|Mi|Gi|Ti|k|M|G|T)?$"}),
]
"""A Kubernetes quantity in the file, bytes in the model."""
DNS_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
Label = Annotated[
    Text,
    _shown(DNS_LABEL, "a DNS label (lower-case letters, digits and `-`, at most 63)"),
]
Name = Annotated[
    Text,
    _matches(r"\S(.{0,251}\S)?", "a name (1 to 253 characters on one line, no blank at either end)"),
    Field(json_schema_extra={"minLength": 1, "maxLength": 253}),
]
Header = Annotated[
    Text,
    _shown(r"[\x21-\x7e]{1,253}", "a name that a header can carry (printable ASCII without blanks, at most 253)"),
]
"""A name that travels as a header value: a model's. ``meta-llama/Llama-3.1-8B`` and ``mistral:latest`` are ordinary."""
Port = Annotated[Int, Field(ge=1, le=65535)]
_PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REGISTRY = r"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?/)?"
_IMAGE = rf"{_REGISTRY}{_PART}(?:/{_PART})*(:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(@sha256:[0-9a-f]{{64}})?"
"""As container runtimes read one: the registry and the tag may have capitals, the name may not."""
Image = Annotated[
    Text, _matches(_IMAGE, "an image reference such as `registry.example/name:1.2.3`, whose name is lower-case")
]
Release = Annotated[Text, _matches(r"v?[0-9]{1,4}(\.[0-9]{1,4}){1,2}(-[a-z0-9.]{1,20})?", "a release such as `1.30.3`")]
_OBJECT = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?){0,8}"
ObjectName = Annotated[
    Text,
    _shown(_OBJECT, "a name of a Kubernetes object (lower-case letters, digits, `-` and `.`)"),
    Field(max_length=253),
]
"""The name of an object whose kind allows DNS subdomains, such as a Secret or a StorageClass."""
_LABEL_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
LabelKey = Annotated[
    Text,
    _shown(rf"([a-z0-9]([-a-z0-9.]{{0,251}}[a-z0-9])?/)?{_LABEL_NAME}", "a label key, such as `example.com/zone`"),
]
LabelValue = Annotated[
    Text, _shown(rf"({_LABEL_NAME})?", "a label value (letters, digits, `-`, `_` and `.`, at most 63)")
]
VariableName = Annotated[
    Text, _shown(r"[A-Za-z_][A-Za-z0-9_]{0,127}", "a name of an environment variable (letters, digits and `_`)")
]
FolderPath = Annotated[
    Text,
    _shown(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._-]{1,128}){1,16}", "an absolute path of a folder, such as `/adapters`"),
]
_SECRET_KEY = r"([-_a-zA-Z0-9]|\.[-_a-zA-Z0-9])[-._a-zA-Z0-9]{0,251}"  # noqa: S105 - the form of a key's name
"""Kubernetes takes no key that is `.` or begins with `..`, which would lead out of a folder."""
SecretKeyName = Annotated[
    Text,
    _shown(_SECRET_KEY, "a key of a Secret (letters, digits, `-`, `.` and `_`)"),
]
_STORAGE = r"[1-9][0-9]*(Mi|Gi|Ti)"
Storage = Annotated[
    Text,
    _shown(_STORAGE, "a size in Mi, Gi or Ti, such as `40Gi`"),
]
_AMOUNT = r"[0-9]{1,18}(\.[0-9]{1,9})?([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]{1,2})?"
Amount = Annotated[Text, _shown(_AMOUNT, "an amount such as `500m`, `2` or `16Gi`")]
"""How much of a resource. An amount of storage or memory is of bytes, one of `cpu` of cores."""
_RESOURCE = r"(cpu|memory|ephemeral-storage|hugepages-[0-9]+[KMG]i|[a-z0-9.-]{1,253}/[A-Za-z0-9._-]{1,63})"
ResourceName = Annotated[
    Text,
    _shown(_RESOURCE, "a resource: `cpu`, `memory`, `ephemeral-storage`, or one of a device, such as `nvidia.com/gpu`"),
]
_API = r"https://[a-zA-Z0-9.-]+(:[0-9]{1,5})?(/[\w./-]*)?(\?[A-Za-z0-9_.~%=&-]{1,512})?"
ApiUrl = Annotated[
    Text,
    _shown(_API, "the https URL of an API, such as `https://api.example.com/v1`"),
    Field(max_length=1024),
]
_SERVER = r"https://\S+"
ServerUrl = Annotated[
    Text,
    _shown(_SERVER, "the URL of an API server, such as `https://kubernetes.default.svc`"),
    Field(max_length=1024),
]
_SERVICE = r"[a-z0-9-]+(\.[a-z0-9-]+)?(:[0-9]{1,5})?"
ServiceAddress = Annotated[
    Text,
    _shown(_SERVICE, "a Service as in `name`, `name:port` or `name.namespace:port`"),
]
_REPOSITORY = r"[\w.-]+/[\w.-]+"
HostPort = Annotated[
    Text,
    _shown(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?:[1-9][0-9]{0,4}", "a host and a port, such as `redis.cache:6379`"),
]
Repository = Annotated[
    Text,
    _shown(_REPOSITORY, "a repository on Hugging Face, such as `owner/name`"),
]
_COMMIT = r"[0-9a-f]{40}"
Commit = Annotated[
    Text,
    _shown(_COMMIT, "a commit (40 hexadecimal digits): branches and tags move"),
]
FileHash = Annotated[
    Text,
    _shown(r"[0-9a-f]{64}", "a sha256 (64 hexadecimal digits)"),
]
HeaderName = Annotated[
    Text,
    _shown(r"[a-z0-9!#$%&'*+.^_`|~-]{1,128}", "a lower-case header name"),
]
RoutingHeader = Annotated[
    Text,
    _shown(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}", "a header name"),
]
HeaderValue = Annotated[
    Text,
    _shown(r"([!-~]([ -~]{0,4094}[!-~])?)?", "a header value (printable ASCII, at most 4096, no blank at either end)"),
]

_ORIGIN = r"\*|https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?"
Origin = Annotated[
    Text,
    _matches(_ORIGIN, "an origin such as `https://chat.example.org`, or `*`"),
    Field(json_schema_extra={"pattern": f"^({_ORIGIN})$"}),
]

TOKEN_SECRET = "hf-token-secret"  # noqa: S105 - the Secret's name, not a secret
"""The Secret that holds a Hugging Face token, where a policy names no other."""
