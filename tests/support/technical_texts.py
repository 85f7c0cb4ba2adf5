# ruff: noqa: E501, S311, S608 - texts that repeat, and are none of a program
"""Technical texts without personal data: code, logs, Kubernetes manifests, and chat about them. Seeded."""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Iterator

NAMES = "api auth billing cache cart checkout gateway indexer ingest mailer orders payments search worker web".split()  # noqa: SIM905 - shorter
SERVICES = "S3 EKS EC2 RDS SQS SNS IAM VPC ECS GKE AKS BigQuery Lambda Route53 CloudFront DynamoDB Redis Kafka".split()  # noqa: SIM905 - as above
LEVELS = ("INFO", "WARN", "ERROR", "DEBUG")
WORDS = "timeout retry shard replica queue buffer handler lease token batch thread socket index commit offset".split()  # noqa: SIM905 - as above


class Maker:
    """Random technical values."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def pick(self, values) -> str:
        """One of them."""
        return self.random.choice(list(values))

    def digits(self, least: int, most: int | None = None) -> str:
        """A number that does not begin with 0."""
        size = self.random.randint(least, most or least)
        return self.pick("123456789") + "".join(self.pick(string.digits) for _ in range(size - 1))

    def hexadecimal(self, size: int) -> str:
        """A hash."""
        return "".join(self.pick("0123456789abcdef") for _ in range(size))

    def uuid(self) -> str:
        """A UUID."""
        return "-".join(self.hexadecimal(size) for size in (8, 4, 4, 4, 12))

    def version(self) -> str:
        """A version."""
        numbers = ".".join(str(self.random.randint(0, 30)) for _ in range(3))
        return self.pick(("", "v")) + numbers + self.pick(("", "", "-rc1", "-alpine", "+build.7"))

    def quantity(self) -> str:
        """A quantity of Kubernetes."""
        return self.pick(
            (f"{self.digits(1, 4)}Mi", f"{self.digits(1, 2)}Gi", f"{self.digits(3)}m", f"{self.digits(1)}")
        )

    def base64(self) -> str:
        """Bytes."""
        return base64.b64encode(self.random.randbytes(self.random.randint(9, 60))).decode()

    def clock(self) -> str:
        """A time of day."""
        return f"{self.random.randint(0, 23):02}:{self.random.randint(0, 59):02}:{self.random.randint(0, 59):02}"

    def stamp(self) -> str:
        """A time as logs write it."""
        date = f"20{self.random.randint(20, 26)}-{self.random.randint(1, 12):02}-{self.random.randint(1, 28):02}"
        return f"{date}{self.pick('T ')}{self.clock()}{self.pick(('Z', f'.{self.digits(3)}Z', f',{self.digits(3)}', '+00:00'))}"

    def epoch(self) -> str:
        """A time as a number of seconds, milliseconds, microseconds or nanoseconds."""
        return f"17{self.digits(8 + self.pick((0, 3, 6, 9)))}"

    def pod(self) -> str:
        """The name of a pod."""
        return f"{self.pick(NAMES)}-{self.hexadecimal(10)}-{self.hexadecimal(5)}"


def code(m: Maker) -> str:
    """Some lines of a program."""
    return m.pick(
        (
            f'def test_{m.pick(WORDS)}():\n    assert checksum("{m.hexadecimal(40)}") == 0x{m.hexadecimal(8)}\n    x[{m.digits(1, 6)}:{m.digits(1, 7)}] = {m.digits(9, 19)}',
            f"const MAX_{m.pick(WORDS).upper()} = {m.digits(6, 16)};\nfor (let i = 0; i < {m.digits(2, 8)}; i++) {{ sum += data[i] * {m.digits(1, 3)}.{m.digits(2, 12)}; }}",
            f"INSERT INTO {m.pick(NAMES)} (id, version, hash) VALUES ({m.digits(8, 12)}, '{m.version()}', '{m.hexadecimal(32)}');",
            f"diff --git a/{m.pick(NAMES)}.go b/{m.pick(NAMES)}.go\nindex {m.hexadecimal(7)}..{m.hexadecimal(7)} 100644\n@@ -{m.digits(2, 4)},{m.digits(1, 2)} +{m.digits(2, 4)},{m.digits(1, 2)} @@",
            f'[package]\nname = "{m.pick(NAMES)}"\nversion = "{m.version()}"\nchecksum = "{m.hexadecimal(64)}"',
            f"go: {m.pick(NAMES)}/x {m.version()} h1:{m.base64()}=\nseed = {m.digits(10, 18)}  # {m.digits(3)}-{m.digits(2)} cells",
            f"matrix = [[{', '.join(m.digits(1, 4) for _ in range(9))}], [{', '.join(m.digits(3) for _ in range(6))}]]",
            f'printf("%08x %d\\n", 0x{m.hexadecimal(8)}, {m.digits(9)}); // {m.uuid()}',
        )
    )  # fmt: skip


def log(m: Maker) -> str:
    """A line of a log."""
    return m.pick(
        (
            f"{m.stamp()} {m.pick(LEVELS)} [{m.pick(NAMES)}-{m.digits(1, 2)}] {m.pick(WORDS)} {m.digits(3, 12)} took {m.digits(1, 5)}ms trace={m.hexadecimal(32)}",
            f'{{"level":"{m.pick(LEVELS).lower()}","ts":{m.epoch()}.{m.digits(3)},"msg":"{m.pick(WORDS)} done","span":"{m.hexadecimal(16)}","bytes":{m.digits(4, 10)}}}',
            f"I{m.digits(4)} {m.clock()}.{m.digits(6)}   {m.digits(5)} reconciler.go:{m.digits(3)}] synced {m.pod()} rv={m.digits(6, 12)}",
            f"kernel: [{m.digits(5, 8)}.{m.digits(6)}] nf_conntrack: table full, dropping packet id={m.digits(5)} seq {m.digits(10)} ack {m.digits(10)}",
            f'GET /{m.pick(NAMES)}/{m.uuid()}?page={m.digits(1, 3)} 200 {m.digits(3, 7)} {m.digits(1, 4)} "{m.hexadecimal(24)}"',
            f"java.lang.OutOfMemoryError: heap {m.digits(8, 11)} of {m.digits(9, 11)} at Worker.run(Worker.java:{m.digits(3)}) ~[{m.pick(NAMES)}-{m.version()}.jar]",
            f"offset={m.digits(7, 14)} lag={m.digits(3, 9)} partition={m.digits(1, 2)} epoch {m.epoch()} leader {m.digits(1, 4)}",
            f"gc {m.digits(1, 5)} @{m.digits(2, 6)}.{m.digits(3)}s {m.digits(1)}%: 0.{m.digits(3)}+{m.digits(1, 2)}.{m.digits(2)}+0.{m.digits(3)} ms clock, {m.digits(2, 4)}->{m.digits(2, 4)}->{m.digits(2, 4)} MB",
        )
    )  # fmt: skip


def manifest(m: Maker) -> str:
    """A part of a manifest."""
    name = m.pick(NAMES)
    return m.pick(
        (
            f'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  uid: {m.uuid()}\n  resourceVersion: "{m.digits(6, 12)}"\nspec:\n  replicas: {m.digits(1)}',
            f'containers:\n- name: {name}\n  image: registry/{name}:{m.version()}@sha256:{m.hexadecimal(64)}\n  resources:\n    limits: {{cpu: "{m.quantity()}", memory: {m.quantity()}}}',
            f"ports:\n- {{name: http, port: {m.digits(2, 5)}, targetPort: {m.digits(4)}, nodePort: 3{m.digits(4)}}}\nsessionAffinityConfig: {{clientIP: {{timeoutSeconds: {m.digits(5)}}}}}",
            f'data:\n  tls.crt: {m.base64()}\n  key: {m.base64()}\nmetadata: {{annotations: {{checksum/config: {m.hexadecimal(64)}, generation: "{m.digits(1, 4)}"}}}}',
            f"securityContext: {{runAsUser: {m.digits(4, 10)}, fsGroup: {m.digits(4, 10)}}}\nterminationGracePeriodSeconds: {m.digits(2, 3)}\nobservedGeneration: {m.digits(1, 5)}",
            f'spec: {{clusterName: {m.pick(SERVICES)}-{m.digits(1, 3)}, version: "1.{m.digits(2)}", ami: ami-{m.hexadecimal(17)}, subnet: subnet-{m.hexadecimal(17)}, account: "{m.digits(12)}"}}',
            f'node: {m.pod()}\ncapacity: {{cpu: "{m.digits(1, 3)}", ephemeral-storage: {m.digits(8)}Ki, memory: {m.digits(8, 9)}Ki, pods: "110"}}',
        )
    )  # fmt: skip


def chat(m: Maker) -> str:
    """A question about one of them."""
    return m.pick(
        (
            f"Why does the pod {m.pod()} on {m.pick(SERVICES)} restart after {m.digits(2, 6)} seconds? It uses {m.quantity()} of memory.",
            f"We upgraded {m.pick(SERVICES)} from {m.version()} to {m.version()} and the build {m.digits(4, 9)} fails at step {m.digits(1, 2)} of {m.digits(2)}.",
            f"The {m.pick(SERVICES)} bucket has {m.digits(6, 13)} objects; listing took {m.digits(2, 7)} ms. Is a page of {m.digits(3, 4)} too small?",
            f"Explain the number {m.digits(9, 16)} in this counter, please. The commit is {m.hexadecimal(40)}, the ticket is OPS-{m.digits(3, 6)}.",
            f"My query reads {m.digits(7, 12)} rows in {m.digits(3, 6)} ms with {m.digits(2)} workers. How do I call the {m.pick(WORDS)} API with id {m.digits(8, 12)}?",
            f"Port {m.digits(4, 5)} is taken by process {m.digits(3, 7)}. How can I reach service {m.pick(NAMES)} in the cell {m.digits(3)}-{m.digits(2)}?",
            f"Our tax service returns error {m.digits(5)} for request {m.uuid()} since build {m.digits(7, 11)}; account quota is {m.digits(6, 9)}.",
            f"The model id {m.digits(9)} has loss 0.{m.digits(6, 16)} after epoch {m.digits(1, 3)}, step {m.digits(5, 9)}; seed {m.digits(9, 10)}.",
        )
    )  # fmt: skip


KINDS: dict[str, Callable[[Maker], str]] = {"code": code, "logs": log, "manifests": manifest, "chat": chat}


def texts(kind: str, count: int, seed: int = 1) -> Iterator[str]:
    """Texts of one kind, each of one to four pieces."""
    maker = Maker(seed)
    for _ in range(count):
        yield "\n".join(KINDS[kind](maker) for _ in range(maker.random.randint(1, 4)))
