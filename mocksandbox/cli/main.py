"""The group of commands, each loaded when it is called, and what an error looks like on a terminal."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module
from typing import Any

import click

from mocksandbox import __version__
from mocksandbox.errors import ContractError, MocksandboxError, TargetError, UsageError

FINE, FOUND, USAGE, CONTRACT, TARGET, NOTHING_RAN = 0, 1, 2, 3, 4, 5
"""The exit codes: fine; findings; usage or configuration; a contract cannot be loaded; target unreachable; nothing ran."""

STOPPED = 130
"""The exit code of what its user has stopped with Ctrl-C, as of any program."""

_COMMANDS = {
    "serve": ("mocksandbox.cli.serve", "Serve a mock of one or more APIs."),
    "scenarios": ("mocksandbox.cli.scenarios", "List the documented scenarios, or replay them against any target."),
    "generate": (
        "mocksandbox.cli.generate",
        "Make up requests: valid, unusual, or broken with the answer each must get.",
    ),
    "check": ("mocksandbox.cli.check", "Say what is wrong with records: place, line, rule, and the nearest right value."),
    "fuzz": ("mocksandbox.cli.fuzz", "Fire labelled requests at any target, and learn which rules it breaks."),
    "report": ("mocksandbox.cli.report", "Merge the reports of fuzz runs, or hold them against a baseline."),
    "rules": ("mocksandbox.cli.rules", "List the rules of an API: what is promised, why, and how it is refused."),
}

_EPILOG = """\b
Examples:
  mocksandbox serve nhs                         a stateful NHS sandbox on port 8080
  mocksandbox serve nhs --profile sandbox       the stateless public sandbox
  mocksandbox serve ./my-contract               any folder with an openapi.yaml
  mocksandbox scenarios nhs --run URL           which documented scenarios does URL get right?
  mocksandbox generate nhs --count 100          made-up requests (--broken: labelled broken ones)
  mocksandbox check nhs record.json             what is wrong with a record, and on which line
  mocksandbox rules nhs                         every rule, its answer and its source

\b
Exit codes: 0 fine, 1 findings, 2 usage or configuration, 3 a contract cannot be loaded,
4 target unreachable, 5 nothing ran.
"""


_SETTLED = "mocksandbox.exit_code"


def settled(code: int) -> int:
    """The exit code of a command that only has to print what it knows: it stands even if nobody reads that to its end."""
    click.get_current_context().meta[_SETTLED] = code
    return code


class _Commands(click.Group):
    """A group that imports a command's module when the command is called, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which a newcomer needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = import_module(_COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called, and its arguments.

        Raises:
            UsageError: there is none of that name.
        """
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            raise UsageError(f"No command {args[0]!r}.", args[0], _COMMANDS)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that is called."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever read the output has gone, which is no error. Told here: click makes a 1 of it, which means findings.
            _leave_output()
            return ctx.meta.get(_SETTLED, FINE)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in _COMMANDS.items()])


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mocksandbox")
def group() -> None:
    """Contract testing and mock sandboxes for immunization APIs."""


def main() -> None:
    """Run the command line; never shows a traceback for an error that the user can mend."""
    _open_streams()
    try:
        result = group.main(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else FINE)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(USAGE)
    except click.ClickException as error:
        asked = getattr(error, "ctx", None)
        hint = f" See `{asked.command_path} --help`." if asked else ""
        click.echo(f"mocksandbox: {error.format_message()}{hint}", err=True)
        sys.exit(USAGE)
    except click.Abort:
        click.echo("mocksandbox: stopped by Ctrl-C.", err=True)
        sys.exit(STOPPED)
    except ContractError as error:
        _complain(error, CONTRACT)
    except TargetError as error:
        _complain(error, TARGET)
    except MocksandboxError as error:
        _complain(error, USAGE)
    except OSError as error:
        _leave_output()
        told = error.strerror or type(error).__name__
        where = f"{error.filename}: " if error.filename else _CANNOT_BE_WRITTEN if error.errno in _FULL else ""
        click.echo(f"mocksandbox: {where}{told}.", err=True)
        sys.exit(USAGE)


def _open_streams() -> None:
    """Put nothing in the place of standard streams that whoever called has closed: Python has None there."""
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115  # open to the end
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
_CANNOT_BE_WRITTEN = "the output cannot be written: "


def _leave_output() -> None:
    """Let what is not yet written go nowhere: the interpreter would try once more when it ends, and complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _complain(error: MocksandboxError, code: int) -> None:
    told = " ".join(str(error).split())  # some libraries' messages (YAML's) have several lines
    click.echo(f"mocksandbox: {told}", err=True)
    sys.exit(code)
