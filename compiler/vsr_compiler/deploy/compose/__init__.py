"""One host: a Compose file, systemd quadlets and Envoy's configuration for an environment without a cluster."""

from vsr_compiler.deploy.compose.emit import Files, emit, folder
from vsr_compiler.deploy.compose.target import TARGET
from vsr_compiler.deploy.compose.view import on_host

__all__ = ["TARGET", "Files", "emit", "folder", "on_host"]
