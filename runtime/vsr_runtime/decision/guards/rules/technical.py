"""Numbers and names of code, logs and manifests that look like personal data.

Only findings that need a context word are checked: "call the API with id 5935322578" has such a word ("call"), and what
is directly before or after the number says that it is something else. A valid checksum or a distinctive form counts.
"""

from __future__ import annotations

import re

from vsr_runtime.decision.guards.recogniser import compile_bytes

_BEFORE, _AFTER, _LONGEST_HASH = 24, 16, 160
_NAMED = (
    rb"(?i)(?:^|[^a-z])(?:ids?|pid|uid|gid|rv|process|port|ports|seed|offset|lag|epoch|build|step|error|code|line|lines|page|request|"
    rb"ticket|issue|span|trace|commit|revision|version|resourceversion|generation|size|length|count|total|quota|limit|limits|bytes|"
    rb"index|row|rows|reads|objects|has|took|seq|ack|hash|checksum|timestamp|ts|model id|status|exit)[\"']?[ =:#\"'(]{1,3}$"
)
_UNIT = (
    rb"(?i)^[ ]?(?:[munkmgt]?s|[kmgtp]i?b?|bytes?|bits?|rows?|objects?|records?|requests?|tokens?|lines?|seconds?|minutes?|hours?|"
    rb"tests?|events?|messages?|files?|pods?|nodes?|items?|entries|times|commits?|steps?|iterations?|percent|%|px)(?:[^a-z]|$)"
)
_HEX = frozenset(b"0123456789abcdefABCDEF")
_LEAST_HASH = 24


def is_technical_number(data: bytes, start: int, end: int) -> bool:
    """Return whether the text directly around a number says that it is an identifier, a size or a count."""
    before, after = data[max(0, start - _BEFORE) : start], data[end : end + _AFTER]
    if before[-1:] == b"." and before[-2:-1].isdigit():
        return True
    return compile_bytes(_NAMED).search(before) is not None or compile_bytes(_UNIT).search(after) is not None


def in_hash_or_fraction(data: bytes, start: int, end: int) -> bool:
    """Return whether digits are part of a hash, of at least 24 hexadecimal digits, or follow a decimal point."""
    if data[max(0, start - 1) : start] == b"." and data[max(0, start - 2) : start - 1].isdigit():
        return True
    first, last = start, end
    while first > 0 and start - first < _LONGEST_HASH and data[first - 1] in _HEX:
        first -= 1
    while last < len(data) and last - end < _LONGEST_HASH and data[last] in _HEX:
        last += 1
    token = data[first:last]
    return len(token) >= _LEAST_HASH and len(token) > end - start and not token.isdigit() and token.isalnum()


_VERSION = rb"v?[0-9]{1,4}(?:\.[0-9]{1,4}){1,3}(?:[-+][0-9a-z.]{1,24})?"
_QUANTITY = rb"[0-9]{1,12}(?:\.[0-9]{1,6})?(?:m|[kmgtpe]i?b?|ms|[mun]?s|%|mib|gib)"
_RESOURCE = rb"(?:sha(?:1|256|512):)?[0-9a-f]{7,128}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?:ami|subnet|vpc|sg|i|vol)-[0-9a-f]{8,17}"
_FORM = re.compile(f"(?i)(?:{_VERSION.decode()}|{_QUANTITY.decode()}|{_RESOURCE.decode()})")
_TECHNICAL_NAMES = frozenset(
    [
        "s3",
        "ec2",
        "eks",
        "ecs",
        "ecr",
        "rds",
        "sqs",
        "sns",
        "iam",
        "vpc",
        "elb",
        "alb",
        "nlb",
        "ebs",
        "efs",
        "kms",
        "msk",
        "emr",
        "aws",
        "gcp",
        "gke",
        "gcs",
        "gcr",
        "aks",
        "azure",
        "lambda",
        "fargate",
        "route53",
        "cloudfront",
        "cloudwatch",
        "dynamodb",
        "aurora",
        "redshift",
        "athena",
        "glue",
        "bedrock",
        "sagemaker",
        "bigquery",
        "pubsub",
        "spanner",
        "cloudrun",
        "cosmosdb",
        "kubernetes",
        "k8s",
        "k3s",
        "kubectl",
        "kubelet",
        "helm",
        "kustomize",
        "argo",
        "argocd",
        "flux",
        "istio",
        "envoy",
        "linkerd",
        "cilium",
        "calico",
        "etcd",
        "coredns",
        "containerd",
        "docker",
        "podman",
        "nginx",
        "haproxy",
        "traefik",
        "kafka",
        "redis",
        "postgres",
        "postgresql",
        "mysql",
        "mariadb",
        "mongodb",
        "elasticsearch",
        "opensearch",
        "clickhouse",
        "cassandra",
        "rabbitmq",
        "nats",
        "prometheus",
        "grafana",
        "loki",
        "tempo",
        "jaeger",
        "otel",
        "terraform",
        "ansible",
        "jenkins",
        "github",
        "gitlab",
        "python",
        "java",
        "javascript",
        "typescript",
        "golang",
        "rust",
        "kotlin",
        "ruby",
        "php",
        "perl",
        "bash",
        "node",
        "nodejs",
        "npm",
        "pip",
        "maven",
        "gradle",
        "pytest",
        "pytorch",
        "tensorflow",
        "cuda",
        "vllm",
        "sglang",
        "ollama",
        "llama",
        "mistral",
        "qwen",
        "gemini",
        "claude",
        "gpt",
        "openai",
        "anthropic",
        "huggingface",
        "http",
        "https",
        "grpc",
        "tcp",
        "udp",
        "tls",
        "ssl",
        "dns",
        "dhcp",
        "ssh",
        "ftp",
        "smtp",
        "json",
        "yaml",
        "toml",
        "xml",
        "html",
        "css",
        "sql",
        "csv",
        "jwt",
        "oauth",
        "oidc",
        "saml",
        "rbac",
        "crd",
        "cpu",
        "gpu",
        "ram",
        "ssd",
        "api",
        "sdk",
        "cli",
        "ide",
        "ci",
        "cd",
        "pr",
        "pvc",
        "pv",
        "pod",
        "deployment",
        "statefulset",
        "daemonset",
        "configmap",
        "namespace",
        "ingress",
    ]
)
"""Products, protocols and kinds that models take for organisations, people and places."""


def is_technical_name(text: str) -> bool:
    """Return whether a finding of a model is a version, a quantity, a hash, an identifier or a technical name, and no more."""
    plain = text.strip(" \"'`.,:;()[]{}<>")
    return plain.lower() in _TECHNICAL_NAMES or _FORM.fullmatch(plain) is not None
