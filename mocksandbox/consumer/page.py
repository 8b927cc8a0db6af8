"""The coverage of a consumer as one HTML page: it needs no other file and asks nobody for anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mocksandbox.consumer.coverage import Coverage, OperationCoverage
from mocksandbox.consumer.ledger import Ledger

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff }
table { border-collapse: collapse; margin: 1rem 0 2rem }
th, td { border: 1px solid #bbb; padding: .25rem .6rem; text-align: center }
th:first-child { text-align: left; font-weight: 500 } td.got { background: #cdeccf } td.missing { color: #767676 }
td.none { background: #f4f4f4 } caption { text-align: left; font-weight: 600; padding: .4rem 0 }
"""


def page(coverages: Sequence[Coverage], ledger: Ledger) -> bytes:
    """The page: for each provider a table of its operations with the answers that were got, and how often."""
    tables = "".join(map(_table, coverages))
    unused = "".join(f"<li>{escape(stub)} <small>{escape(test)}</small></li>" for test, stub in ledger["unused"])
    stubs = f"<h2>Stubs that were never asked for</h2><ul>{unused}</ul>" if unused else ""
    requests = f"{ledger['requests']} requests, {ledger['broken']} of them broke the contract."
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>What the tests have exercised</title>'
        f"<style>{_STYLE}</style></head><body><h1>What the tests have exercised</h1><p>{requests}</p>{tables}{stubs}"
        "</body></html>\n"
    ).encode()


def _table(coverage: Coverage) -> str:
    columns = _columns(coverage.operations)
    got, of = coverage.answers
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    rows = "".join(_row(each, columns) for each in coverage.operations)
    says = f"{coverage.title}: {len(coverage.exercised)} of {len(coverage.operations)} operations, {got} of {of} answers"
    return (
        f"<table><caption>{escape(says)} ({coverage.percent:.0f} %)</caption>"
        f'<thead><tr><th scope="col">Operation</th>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _columns(operations: Iterable[OperationCoverage]) -> list[str]:
    named = {answer for operation in operations for answer in (*operation.answers, *operation.beyond)}
    return sorted(named, key=lambda answer: (not answer.isdecimal(), answer))


def _row(operation: OperationCoverage, columns: Iterable[str]) -> str:
    cells = "".join(_cell(operation, column) for column in columns)
    return f'<tr><th scope="row" title="{escape(operation.title)}">{escape(operation.id)}</th>{cells}</tr>'


def _cell(operation: OperationCoverage, answer: str) -> str:
    times = operation.got.get(answer, 0)
    if times:
        return f'<td class="got">{times}</td>'
    return '<td class="missing">never</td>' if answer in operation.answers else '<td class="none"></td>'
