"""`mocksandbox serve`."""

from __future__ import annotations

from pathlib import Path

import click

from mocksandbox.errors import UsageError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    epilog="""\b
Force any documented answer with the header `Prefer: code=404` or `X-Mocksandbox-Scenario: ID`
(ids: `mocksandbox scenarios nhs`). Everything that happens: GET /__mocksandbox/journal."""
)
@click.argument("providers", nargs=-1, metavar="[PROVIDER|FOLDER]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 picks a free one.")
@click.option("--profile", help="How to behave: integration (as the real service), documented, sandbox (stateless).")
@click.option(
    "--auth", default="off", show_default=True, type=click.Choice(["off", "token"]), help="Whether callers need a token."
)
@click.option(
    "--clients",
    multiple=True,
    metavar="[PROVIDER=]FILE",
    help="The clients and their keys, for --auth token. Where several APIs are served, name the one that the file is for.",
)
@click.option("--suppliers", type=_FILE, help="The suppliers and their rights, in place of the provider's own.")
@click.option(
    "--store",
    default="memory",
    show_default=True,
    envvar="MOCKSANDBOX_STORE",
    metavar="URL",
    help="Where records are kept: memory, sqlite:///FILE, postgresql://USER@HOST/DATABASE. A password is better kept out of "
    "command lines: in the variable MOCKSANDBOX_STORE, which may hold the URL, or in PGPASSWORD.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 256),
    help="How many processes answer; more than one need a store that they share.",
)
@click.option("--ready-file", type=click.Path(dir_okay=False, path_type=Path), help="Gets one line of JSON when ready.")
@click.option("--strict", is_flag=True, help="Check every answer against the document too; see the journal for bugs.")
@click.option("--trust-proxy", is_flag=True, help="Believe X-Forwarded-Proto, -Host and -Prefix.")
@click.option(
    "--body-timeout",
    default=15.0,
    show_default=True,
    metavar="S",
    type=click.FloatRange(min=0.1, max=3600),
    help="Seconds that a request's body may take to come; then it is answered with 408.",
)
@click.option(
    "--journal-entries",
    default=10_000,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 10_000_000),
    help="How many of the newest exchanges are kept.",
)
@click.option(
    "--max-records",
    default=500_000,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 1_000_000_000),
    help="How many versions of records the store in memory holds, of all tenants and APIs (3 to 4 kB each); then 507.",
)
@click.option(
    "--max-tenants",
    default=10_000,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 10_000_000),
    help="How many tenants may have records of their own in memory; then 507.",
)
@click.option("--seed", type=int, help="Make what faults draw by chance repeatable.")
@click.option(
    "--only-synthetic", is_flag=True, help="Refuse requests that name a person's number outside the made-up ones (403)."
)
def command(
    providers: tuple[str, ...],
    host: str,
    port: int,
    profile: str | None,
    auth: str,
    clients: tuple[str, ...],
    suppliers: Path | None,
    store: str,
    workers: int,
    ready_file: Path | None,
    strict: bool,
    trust_proxy: bool,
    body_timeout: float,
    journal_entries: int,
    max_records: int,
    max_tenants: int,
    seed: int | None,
    only_synthetic: bool,
) -> None:
    """Serve a mock of one or more APIs until it is stopped.

    PROVIDER is the name of an API (nhs), FOLDER any folder with an OpenAPI document. Without one, every known API is served,
    each at its documented base path.
    """
    # Imported here: they bring the server, which --help does not need.
    from mocksandbox.provider import known_providers
    from mocksandbox.server.run import serve
    from mocksandbox.server.settings import Settings

    if ready_file is not None:
        _try_to_write(ready_file)
    if clients and auth == "off":
        raise UsageError("--clients is for --auth token: with --auth off nobody's keys are looked at.")
    files = {**_clients(clients), **({"suppliers": suppliers} if suppliers is not None else {})}
    settings = Settings(
        providers=providers or tuple(known_providers()),
        profile=profile,
        auth=auth,
        auth_files=files,
        strict=strict,
        trust_proxy=trust_proxy,
        body_timeout=body_timeout,
        journal_entries=journal_entries,
        max_records=max_records,
        max_tenants=max_tenants,
        seed=seed,
        only_synthetic=only_synthetic,
        store=store,
    )

    try:
        serve(settings, host, port, ready_file, workers)
    finally:
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)


def _try_to_write(ready_file: Path) -> None:
    """Find out before anything is served whether the file can be made."""
    import tempfile  # here: --help does not need it

    if not ready_file.resolve().parent.is_dir():
        raise UsageError(f"--ready-file: the folder {ready_file.parent} does not exist.")
    try:
        with tempfile.TemporaryFile(dir=ready_file.resolve().parent):
            pass
    except OSError as error:
        raise UsageError(f"--ready-file: no file can be made in {ready_file.parent}: {error.strerror}.") from error


def _clients(given: tuple[str, ...]) -> dict[str, Path]:
    """The files of clients by the names of AuthOptions: `clients`, or `PROVIDER:clients` for one provider's."""
    files = {}
    for text in given:
        name, equals, file = text.rpartition("=")
        path = Path(file)
        if not path.is_file():
            raise UsageError(f"--clients: there is no file {file!r}.")
        files[f"{name}:clients" if equals else "clients"] = path
    return files
