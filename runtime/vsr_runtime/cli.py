"""``vsr-runtime``: serve a compiled policy, or run it in a sandbox on this machine."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsr_runtime.errors import UserError
from vsr_runtime.log import print_error
from vsr_runtime.server.transport.stream import MAX_SHUTDOWN_DELAY, TRANSPORTS
from vsr_schemas.version import VERSION

if TYPE_CHECKING:
    from vsr_runtime.server.generation import Loader


class _Address(click.ParamType[object]):
    """A ``host:port`` on the command line."""

    name = "host:port"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        from vsr_runtime.server.address import parse_address  # noqa: PLC0415 - only serving needs it

        try:
            return parse_address(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


_DIRECTORY = click.Path(path_type=Path)
_FAKE_DETECTORS = click.option(
    "--fake-detectors",
    is_flag=True,
    help="Answer for the servers of classifiers, which then find nothing but the word vsr-fake-finding.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="vsr-runtime")
def cli() -> None:
    """Execute a compiled routing policy next to an Envoy."""


@cli.command()
@click.option("--config", type=_DIRECTORY, required=True, help="The compiled router/config.yaml.")
@click.option("--address", type=_Address(), default="0.0.0.0:50051", show_default=True, help="Where ext_proc listens.")
@click.option(
    "--http-address",
    type=_Address(),
    default="0.0.0.0:8080",
    show_default=True,
    help="Where probes and /metrics listen.",
)
@click.option("--api", is_flag=True, help="Serve the HTTP API on the HTTP port, without authentication.")
@click.option("--classify", metavar="CLASSIFIER", help="Classifier that the API's /classify uses by default.")
@click.option(
    "--credentials",
    type=_DIRECTORY,
    help="Folder of provider keys; by default next to the config.",
)
@click.option("--keys-at-gateway", is_flag=True, help="Read no keys of providers: the gateway adds them.")
@click.option(
    "--gateway",
    type=click.Choice(("envoy", "agentgateway")),
    default="envoy",
    show_default=True,
    help="Who asks: agentgateway says in attributes who the client is, and leaves its headers in place.",
)
@click.option(
    "--shadow",
    type=_DIRECTORY,
    metavar="FILE",
    help="The config.yaml of a candidate policy, which decides requests as well and is only compared.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 100),
    default=0,
    metavar="PERCENT",
    help="Per cent of all conversations that the candidate of --shadow decides, instead of being only compared.",
)
@click.option(
    "--audit", type=_DIRECTORY, metavar="DIR", help="Folder for the audit log: decisions as a chain of hashes."
)
@click.option(
    "--audit-on-error",
    type=click.Choice(("refuse", "continue")),
    default="refuse",
    show_default=True,
    help="What happens to requests whose records cannot be written.",
)
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="Number of processes.")
@click.option(
    "--shutdown-delay",
    type=click.FloatRange(0, MAX_SHUTDOWN_DELAY),
    default=0,
    metavar="SECONDS",
    help="After SIGTERM, be unready but accept connections for this long, until Services send no more.",
)
@click.option("--lameduck", type=click.FloatRange(0, MAX_SHUTDOWN_DELAY), hidden=True)  # old name of --shutdown-delay
@click.option(
    "--transport",
    type=click.Choice(TRANSPORTS),
    help="HTTP/2 implementation; by default nghttp2, the faster one, if it is installed, else grpc.",
)
@click.option("--tls-cert", type=_DIRECTORY, help="Certificate chain (PEM) of the gRPC port; reloaded when it changes.")
@click.option("--tls-key", type=_DIRECTORY, help="Private key (PEM) of the gRPC port.")
@click.option("--tls-client-ca", type=_DIRECTORY, help="CA (PEM) of the certificates that gateways must present.")
def serve(  # noqa: PLR0913 - one an option
    config: Path,
    address: object,
    http_address: object,
    classify: str | None,
    credentials: Path | None,
    shadow: Path | None,
    share: float,
    audit: Path | None,
    *,
    audit_on_error: str,
    api: bool,
    keys_at_gateway: bool,
    gateway: str,
    workers: int,
    shutdown_delay: float,
    lameduck: float | None,
    transport: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
) -> None:
    """Serve an Envoy's ext_proc filter until SIGTERM.

    Several workers share one inference engine, if there is one.

    \b
    Example:
      vsr-runtime serve --config out/quickstart/router/config.yaml --address 127.0.0.1:50051
    """  # noqa: D301 - the escape is click's mark for a paragraph to leave alone
    if (tls_cert is None) is not (tls_key is None) or (tls_client_ca and not tls_cert):
        raise click.UsageError("--tls-cert and --tls-key go together, and --tls-client-ca with both")
    if share and not shadow:
        raise click.UsageError("--share is for --shadow")
    if classify and not api:
        raise click.UsageError("--classify is for --api")
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # errors are one line of ours
    from vsr_runtime.server.address import Address  # noqa: PLC0415 - only serving needs it
    from vsr_runtime.server.supervisor.link import is_child  # noqa: PLC0415 - likewise

    if not (isinstance(address, Address) and isinstance(http_address, Address)):
        raise TypeError("click has not parsed the addresses")
    if workers > 1 and not is_child():
        from vsr_runtime.server.supervisor.supervisor import run_supervisor  # noqa: PLC0415 - only with several

        run_supervisor(workers, address, http_address)
    else:
        from vsr_runtime.credentials import KEYLESS  # noqa: PLC0415 - only a process that serves needs it
        from vsr_runtime.server.load import load_classifier  # noqa: PLC0415 - likewise
        from vsr_runtime.server.server import Listen, run  # noqa: PLC0415 - loads much
        from vsr_runtime.server.tls import Tls  # noqa: PLC0415 - likewise

        tls = Tls(tls_cert, tls_key, tls_client_ca) if tls_cert and tls_key else None
        keys = KEYLESS if keys_at_gateway else credentials
        lossy = audit_on_error == "continue"
        own = (gateway == "agentgateway", shadow, audit, lossy, share)
        listen = Listen(address, http_address, tls, api, classify, transport, *own)
        delay = shutdown_delay if lameduck is None else lameduck
        load: Loader = load_classifier
        if shadow:
            from vsr_runtime.server.shadow.encoders import SharedEncoders  # noqa: PLC0415 - only with a candidate

            load = partial(load_classifier, opened=SharedEncoders().opened)
        run(config, listen, load, credentials=keys, shutdown_delay=delay)


@cli.command(short_help="Run a policy's checkpoints in a separate process.")
@click.option("--config", type=_DIRECTORY, required=True, help="The compiled router/config.yaml.")
@click.option("--socket", type=_DIRECTORY, required=True, help="The Unix socket for `serve`.")
@click.option("--with-parent", is_flag=True, help="End when standard input ends, as it does with the parent process.")
def engine(config: Path, socket: Path, with_parent: bool) -> None:  # noqa: FBT001 - click's way
    """Run a policy's checkpoints in a separate process until SIGTERM, for any number of `serve` processes.

    `serve` starts an engine by itself if a checkpoint needs a GPU. With VSR_ENGINE_SOCKET it uses this one instead.

    \b
    Example:
      vsr-runtime engine --config out/quickstart/router/config.yaml --socket /run/vsr/engine
    """  # noqa: D301 - the escape is click's mark for a paragraph to leave alone
    from vsr_runtime.inference.engine.process import run as run_engine  # noqa: PLC0415 - only this command needs it

    run_engine(config, socket, parent=with_parent)


@cli.command(short_help="Fetch checkpoints from Hugging Face at pinned revisions.")
@click.option("--into", type=_DIRECTORY, required=True, help="The folder of models, VSR_MODELS of `serve`.")
@click.argument("pinned", nargs=-1, required=True)
def fetch(into: Path, pinned: tuple[str, ...]) -> None:
    """Fetch checkpoints from Hugging Face at pinned revisions, safetensors only. Uses HF_TOKEN if it is set.

    \b
    Example:
      vsr-runtime fetch --into /models example/domains@0123456789abcdef0123456789abcdef01234567
    """  # noqa: D301 - the escape is click's mark for a paragraph to leave alone
    from vsr_runtime.fetch import fetch as fetch_one  # noqa: PLC0415 - only this command needs it

    for one in pinned:
        fetch_one(into, one)


@cli.group()
def audit() -> None:
    """Work with audit logs."""


@audit.command(name="verify", short_help="Check that audit logs are whole.")
@click.argument("paths", metavar="FILE…", type=_DIRECTORY, nargs=-1, required=True)
@click.option(
    "--heads",
    type=_DIRECTORY,
    multiple=True,
    metavar="FILE",
    help="Log of the runtime, whose lines `audit_head` say where each chain was. May be repeated.",
)
@click.option("--cut", is_flag=True, help="Accept chains whose oldest files are missing.")
def verify_audit(paths: tuple[Path, ...], heads: tuple[Path, ...], *, cut: bool) -> None:
    """Check that no record of audit logs was changed, removed, added or moved. FILE… are files, or folders with them.

    Records that are missing at the end of a chain are found only by --heads. Exit codes: 0 all chains are whole, 1 one
    is broken: the message names the first record that is wrong.

    \b
    Example:
      vsr-runtime audit verify /var/log/vsr/audit --heads router.log
    """  # noqa: D301 - the escape is click's mark for a paragraph to leave alone
    from vsr_runtime.log import print_result  # noqa: PLC0415 - only this command needs it
    from vsr_runtime.server.audit.verify import read_heads, verify  # noqa: PLC0415 - likewise

    verdicts = verify(paths, [head for path in heads for head in read_heads(path)], cut=cut)
    for one in verdicts:
        records = one.head.number if one.head else 0
        print_result(
            f"{one.chain}: broken: {one.broken}"
            if one.broken
            else f"{one.chain}: whole to record {records}, {one.head.hash if one.head else '-'}"
        )
    sys.exit(int(any(one.broken for one in verdicts)))


@cli.command(short_help="Run a policy's gateway on this machine, until Ctrl-C.")
@click.argument("directory", type=_DIRECTORY)
@_FAKE_DETECTORS
def local(directory: Path, *, fake_detectors: bool) -> None:
    """Start Envoy, the runtime and a stand-in for each backend on loopback, until Ctrl-C.

    The first line printed is the gateway's URL.

    \b
    Example:
      vsr-runtime local out/quickstart/local
    """  # noqa: D301 - the escape is click's mark for a paragraph to leave alone
    from vsr_runtime.sandbox.run import run_until_stopped  # noqa: PLC0415 - only this command needs it

    run_until_stopped(directory, fake_detectors=fake_detectors)


@cli.command(short_help="Send a policy's tests through its gateway on this machine.")
@click.argument("directory", type=_DIRECTORY)
@_FAKE_DETECTORS
def demo(directory: Path, *, fake_detectors: bool) -> None:
    """Start the sandbox, send the requests that it lists, and show where each one went.

    \b
    Example:
      vsr-runtime demo out/quickstart/local
    """  # noqa: D301 - the escape is click's mark for a paragraph to leave alone
    from vsr_runtime.sandbox.demo import run_demo  # noqa: PLC0415 - only this command needs it

    sys.exit(0 if run_demo(directory, fake_detectors=fake_detectors) else 1)


_RUNTIME_EXTRA = frozenset(
    {"aiohttp", "cffi", "google", "grpc", "msgspec", "phonenumbers", "prometheus_client", "py3langid", "re2", "stdnum"}
)
"""Import packages of the extra `runtime`."""


def main() -> None:
    """Run the command line: exit 0 for success, 1 for an error with a message, 2 for wrong usage."""
    try:
        cli(standalone_mode=True)
    except UserError as error:
        print_error(str(error))
        sys.exit(1)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _RUNTIME_EXTRA:
            raise
        print_error(f"the package {package} is not installed; run pip install 'vsr-compile[runtime]'")
        sys.exit(1)


if __name__ == "__main__":
    main()
