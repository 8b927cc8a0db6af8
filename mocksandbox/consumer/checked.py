"""Whether the options ask for what there is, before any test runs: a mistake in them is one error, and not each test's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mocksandbox.consumer.options import Options
from mocksandbox.errors import UsageError

_REPORTS = (".json", ".html")
_AUTH = ("off", "token")


def check(options: Options) -> None:
    """Look at every option that was given. A contract is opened only where an option names something in it.

    Raises:
        UsageError: one names what there is not, or is no value for it; the message names the option.
        ContractError: the contract of the provider cannot be loaded.
    """
    given = {name for name, each in Options.__dataclass_fields__.items() if getattr(options, name) != each.default}
    _ask(_VALUES, options, given)
    if given & _NAMED:
        # Here, because it loads contracts: few options need them.
        from mocksandbox.consumer.checked_names import NAMES

        _ask(NAMES, options, given)


def _ask(checks: Mapping[str, Callable[[Options], None]], options: Options, given: set[str]) -> None:
    for name in (each for each in checks if each in given):
        try:
            checks[name](options)
        except UsageError as error:
            shown = f"mocksandbox-{name.replace('_', '-')}"
            raise UsageError(str(error) if shown in str(error) else f"{shown}: {error}") from None


def _auth(options: Options) -> None:
    if options.auth not in _AUTH:
        raise UsageError(f"{options.auth!r} is no way to tell callers apart.", options.auth, _AUTH)


def _late(options: Options) -> None:
    if not options.late >= 0:
        raise UsageError(f"{options.late:g} is no time to wait; give seconds, 0 or more.")


def _min_coverage(options: Options) -> None:
    if not 0 <= options.min_coverage <= 100:
        raise UsageError(f"{options.min_coverage:g} is no percentage; give a number from 0 to 100.")


def _report(options: Options) -> None:
    for name in options.report:
        if not name.endswith(_REPORTS):
            raise UsageError(f"{name!r} is neither JSON nor HTML; end its name with .json or .html.")


def _url(options: Options) -> None:
    from mocksandbox.consumer.targets import check_url

    if not options.url.startswith("/"):
        check_url(options.url, options.allow_host)


def _authorization(options: Options) -> None:
    from mocksandbox.consumer.targets import variable_of

    variable_of(options.authorization)


_VALUES: Mapping[str, Callable[[Options], None]] = {
    "auth": _auth,
    "late": _late,
    "min_coverage": _min_coverage,
    "report": _report,
    "url": _url,
    "authorization": _authorization,
}

_NAMED = frozenset({"provider", "profile", "scenario", "fault", "operations", "xfail"})
"""The options that name what a contract has, or a sandbox."""
