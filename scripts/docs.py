"""The generated pages: docs/rules-*.md from the catalogues, docs/cli.md from the commands' help, docs/control-api.md from
the control API's guide, docs/record.json from the published document.

`python scripts/docs.py` writes them; with `--check` it only says which are out of date (exit code 1).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from click import Group
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the checkout's own package, installed or not
WIDTH = 100


def pages() -> dict[str, str]:
    """Every generated page: its path and its text."""
    from mocksandbox.provider.discovery import BUILT_IN

    rules = {f"docs/rules-{name}.md": said("rules", name, "--format", "md") for name in BUILT_IN}
    return {
        **rules,
        "docs/cli.md": command_line(),
        "docs/control-api.md": control_api(),
        "docs/record.json": record(),
    }


def said(*arguments: str) -> str:
    """What the command line prints."""
    from mocksandbox.cli.main import group

    result = CliRunner().invoke(group, list(arguments), prog_name="mocksandbox", terminal_width=WIDTH)
    if result.exit_code:
        raise RuntimeError(f"mocksandbox {' '.join(arguments)}: exit code {result.exit_code}\n{result.output}")
    return result.output


def record() -> str:
    """The record that the published document creates, for the README's curl."""
    from mocksandbox.provider import open_provider

    valid = open_provider("nhs").valid
    assert valid is not None
    return json.dumps(valid("createImmunization").body, indent=2, ensure_ascii=False) + "\n"


def command_line() -> str:
    """The help of the command line and of each of its commands."""
    from mocksandbox.cli.main import group

    parts = ["# The command line", "Written by `scripts/docs.py` from `--help`; do not edit.", *helps(group, ())]
    return "\n\n".join(parts) + "\n"


def control_api() -> str:
    """The routes of the control API, each with an example of its body."""
    from mocksandbox.sandbox.faults import FAULTS
    from mocksandbox.server.control.guide import ROUTES
    from mocksandbox.server.front import CONTROL

    parts = [
        "# The control API",
        "Written by `scripts/docs.py` from `mocksandbox/server/control/guide.py`; do not edit.",
        f"`{CONTROL}` is the server's own API: for tests, which look into the sandbox and set it up. It has no password; "
        "[security.md](security.md) says who may use it. Bodies are JSON (`Content-Type: application/json`). A mistake is "
        "answered with 400 and its place. From Python the same is at hand without HTTP: `Sandbox`, and the fixtures of the "
        "pytest plugin.",
    ]
    for route in ROUTES:
        parts += [f"## {route.method} {CONTROL}{route.path}", route.does]
        if route.parameters:
            parts.append(f"In the query: {', '.join(f'`{name}`' for name in route.parameters)}.")
        url = f"http://127.0.0.1:8080{CONTROL}{route.path}"
        asked = f"curl -X {route.method} {url} \\\n  -H 'Content-Type: application/json' -d"
        lines = [f"{asked} '{json.dumps(body)}'" for body in route.bodies]
        if lines:
            parts.append("\n".join(["```sh", *lines, "```"]))
    faults = ["| fault | what happens |", "|---|---|"]
    for fault in FAULTS.values():
        usage = fault.usage.replace("|", "\\|")
        faults.append(f"| `{usage}` | {fault.says} |")
    parts += ["## Faults", "For one request: `Prefer: fault=429:3`.", "\n".join(faults)]
    return "\n\n".join(parts) + "\n"


def helps(group: Group, names: tuple[str, ...]) -> list[str]:
    """The help of a group and of what is in it, as sections."""
    from click import Context

    title = " ".join(("mocksandbox", *names))
    found = [f"{'#' * (len(names) + 2)} {title}", f"```text\n{said(*names, '--help').rstrip()}\n```"]
    context = Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, Group):
            found += helps(command, (*names, name))
        else:
            below = (*names, name)
            found += [f"### mocksandbox {' '.join(below)}", f"```text\n{said(*below, '--help').rstrip()}\n```"]
    return found


def main(arguments: list[str]) -> int:
    """Write the pages, or say which are out of date."""
    stale = [path for path, text in pages().items() if _read(ROOT / path) != text]
    if arguments == ["--check"]:
        for path in stale:
            print(f"{path} is out of date: run `python3 scripts/check.py write-docs`")
        return int(bool(stale))
    for path in stale:
        (ROOT / path).write_text(pages()[path], "utf-8")
        print(f"wrote {path}")
    return 0


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
