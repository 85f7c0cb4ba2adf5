"""``vsr-compile crds``: the CustomResourceDefinitions that ``verify`` uses."""

from __future__ import annotations

import os

import click

from vsr_compiler.cli import console


@click.command(name="crds", short_help="Fetch the CustomResourceDefinitions that verify uses.")
@click.argument("action", type=click.Choice(["pull", "list"]), metavar="pull|list")
@click.argument("projects", nargs=-1, metavar="[PROJECT[@RELEASE]]...")
@click.option("--from", "base", metavar="URL", default="", help="A mirror to use instead of the host in the lock.")
@click.pass_context
def command(context: click.Context, action: str, projects: tuple[str, ...], *, base: str) -> None:
    """Fetch CustomResourceDefinitions, or list them. Only `crds` and `fetch-encoder` use the network.

    The lock `schemas/crds.lock.yaml` records the address and sha256 of each file. A file that differs is rejected, and
    a release is stored completely or not at all. Files are stored in `VSR_CACHE_DIR`, or in the user's cache.

    \b
    vsr-compile crds pull
    vsr-compile crds pull istio gateway-api@1.5.1
    """
    from vsr_compiler.diagnostics import CompileError  # noqa: PLC0415 - `--help` must not pay for it
    from vsr_compiler.verify.schema.catalog import cache_folder  # noqa: PLC0415 - as above
    from vsr_compiler.verify.schema.downloads import pull, read_lock, select  # noqa: PLC0415 - as above

    try:
        releases = select(read_lock(base), projects)
    except KeyError as error:
        raise click.BadParameter(f"{error} is not in the lock; `vsr-compile crds list` lists it") from None
    folder = cache_folder(os.environ)
    if action == "list":
        console.print_data(
            "\n".join(f"{release.project}@{release.release}  {_state(release.name)}" for release in releases)
        )
        return
    failed = []
    for release in releases:
        try:
            count = pull(release, folder)
        except CompileError as error:
            failed += error.diagnostics
            console.print_findings(error.diagnostics, {})
        else:
            console.print_message(f"{release.name}: {f'{count} files' if count else 'already stored'}")
    context.exit(int(bool(failed)))


def _state(name: str) -> str:
    from vsr_compiler.verify.schema.catalog import cache_folder  # noqa: PLC0415 - as above

    return "in the cache" if (cache_folder(os.environ) / name).is_dir() else "not fetched"
