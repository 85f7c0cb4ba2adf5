"""Facts of containers on one host: images, users, paths, ports and networks, with their sources.

Source of Envoy's image: envoyproxy/envoy, ci/Dockerfile-envoy: Ubuntu with bash and the certificates of public
authorities, and an entry point that runs its arguments; without root it changes no user.
"""

from __future__ import annotations

from vsr_compiler.targets.common.workloads import NOBODY

ENVOY_IMAGE = "docker.io/envoyproxy/envoy:v1.40.0"
USER = f"{NOBODY}:{NOBODY}"
ROOT = "0:0"
"""For images that run as root, and volumes, which belong to it; without capabilities."""

FRONT, ROUTER_NETWORK = "front", "router"
"""Networks: Envoy, model servers and the way out; and Envoy and the router alone, without a way out."""
ENVOY, ROUTER, FETCH = "envoy", "router", "fetch-models"
ALIAS = "vsr-"
"""The beginning of names in the networks, which no Service of the policy has."""
HOST_NAME = "host.docker.internal"
"""The name of the host in containers, for Docker since 20.10 and Podman since 4.1, both with `host-gateway`."""
LOCALHOST = ("localhost", "127.0.0.1")

ENVOY_FOLDER, ENVOY_PATH = "envoy", "/etc/envoy"
ROUTER_FOLDER, ROUTER_PATH = "router", "/etc/vsr/router"
CANDIDATE_FOLDER, CANDIDATE_PATH = "candidate", "/etc/vsr/candidate"
SECRETS_PATH = "/run/vsr"
"""Where containers find files of the folder of secrets."""
ADMIN_PORT = 9901
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
DRAIN = 30
"""Seconds in which Envoy ends requests before it stops. It still accepts new ones, and closes idle connections."""
MEBIBYTE = 1 << 20
UNPRIVILEGED = 1024
"""The first port that a process without capabilities may listen on."""
SHIFT = 10_000
"""What is added to lower ports inside of the container; Envoy Gateway does the same."""
