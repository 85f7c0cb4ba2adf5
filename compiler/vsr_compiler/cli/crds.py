"""``vsr-compile crds``: the CustomResourceDefinitions that ``verify`` checks by."""

from __future__ import annotations

import os

import click

from vsr_compiler.cli import console


@click.command(name="crds", short_help="Fetch the CustomResourceDefinitions that verify checks by.")
@click.argument("action", type=click.Choice(["pull", "list"]), metavar="pull|list")
@click.argument("projects", nargs=-1, metavar="[PROJECT[@RELEASE]]...")
@click.option("--from", "base", metavar="URL", default="", help="A mirror, instead of the host in the lock.")
@click.pass_context
def command(context: click.Context, action: str, projects: tuple[str, ...], *, base: str) -> None:
    """Fetch CustomResourceDefinitions, or list them. Only `crds` and `fetch-encoder` use the network.

    The lock `schemas/crds.lock.yaml` says where each file lies and which sha256 it has; what differs is refused, and a
    release is written whole or not at all. They go into `VSR_CACHE_DIR`, else into the user's cache.

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
        raise click.BadParameter(f"there is no {error} in the lock; `vsr-compile crds list`") from None
    folder = cache_folder(os.environ)
    if action == "list":
        console.data("\n".join(f"{each.project}@{each.release}  {_state(each.name)}" for each in releases))
        return
    failed = []
    for release in releases:
        try:
            count = pull(release, folder)
        except CompileError as error:
            failed += error.diagnostics
            console.findings(error.diagnostics, {})
        else:
            console.say(f"{release.name}: {f'{count} files' if count else 'there already'}")
    context.exit(int(bool(failed)))


def _state(name: str) -> str:
    from vsr_compiler.verify.schema.catalog import cache_folder  # noqa: PLC0415 - as above

    return "in the cache" if (cache_folder(os.environ) / name).is_dir() else "not fetched"
