"""``vsr-compile package``: the output of a policy as an OCI artifact on disk."""

from __future__ import annotations

import re
from pathlib import Path

import click

from vsr_compiler.cli import console
from vsr_compiler.diagnostics import CompileError

_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
"""Source: OCI distribution specification 1.1.1, `spec.md`, "Pulling manifests"."""


def _tag(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not _TAG.fullmatch(value):
        raise click.BadParameter("A tag has up to 128 letters, digits, `_`, `.` and `-`, and does not begin with `.`.")
    return value


@click.command(name="package", short_help="Write the output of a policy as an OCI artifact.")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for the OCI image layout. It must be empty, absent, or an image layout, which is replaced.",
)
@click.option("--tag", default="latest", show_default=True, callback=_tag, help="Name of the artifact in the layout.")
@click.option("--source", default="", metavar="URL", help="Repository of the policy, for annotations and provenance.")
@click.option("--revision", default="", help="Revision of the policy, such as `main@sha1:0123…`.")
@click.pass_context
def command(context: click.Context, folder: Path, output: Path, tag: str, source: str, revision: str) -> None:
    """Write out/POLICY as an OCI artifact that Flux and Argo CD can pull, with its provenance.

    Nothing is sent anywhere. The same output gives the same bytes and the same digest on every machine. Files that the
    lock does not list are left out; a file that differs from the lock is an error.

    \b
    vsr-compile package out/quickstart -o artifact --tag v1 --source https://git.example.com/team/routing.git
    oras cp --recursive --from-oci-layout artifact:v1 registry.example.com/routing/quickstart:v1
    """
    from vsr_compiler.deploy import packaging  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.deploy.oci_layout import Source, layout  # noqa: PLC0415 - as above

    try:
        lock, files = packaging.read(folder)
        made = layout(lock, files, tag, Source(source, revision))
        packaging.replace(output, made.files)
    except CompileError as error:
        console.print_findings(error.diagnostics)
        context.exit(1)
    console.print_data(made.digest)
    console.print_message(f"{len(files)} files of {lock.policy} in {output}")
