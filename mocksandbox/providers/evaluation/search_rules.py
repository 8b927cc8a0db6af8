"""The rules about the parameters of searches and histories."""

from __future__ import annotations

from mocksandbox.contract import Contract
from mocksandbox.fhir.search.limits import MOST_PARAMETERS, MOST_STEPS, MOST_VALUES
from mocksandbox.fhir.server import checks, interactions
from mocksandbox.fhir.server import interaction as names
from mocksandbox.providers.evaluation.promise import PARAMETER, asking, promise, query
from mocksandbox.providers.evaluation.table import TYPES
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.rule import Defect, Rule

_BAD_DATES = {
    "words": "yesterday",
    "prefix-of-its-own": "xx2024",
    "month-13": "2024-13",
    "impossible": "2024-02-30",
    "slashes": "01/02/2024",
    "plus-as-space": "2024-03-01T10:20:30 01:00",
}


def search_rules(contract: Contract) -> tuple[Rule[Attempt], ...]:
    """The rules, one stage for all: a search that has several mistakes hears of each."""
    searches = interactions(contract, names.SEARCH, names.COMPARTMENT)
    histories = interactions(contract, names.HISTORY, names.HISTORY_TYPE)

    def rule(id: str, title: str, why: str, page: str, kinds: tuple[str, ...], *defects: Defect[Attempt]) -> Rule[Attempt]:
        find = checks.query_problem(TYPES, *kinds)
        return promise(id, title, why, f"FHIR R4 {page}", find, defects, stage="query", operations=searches, issue="value")

    return (
        promise(
            "excessive-query",
            f"A query has {MOST_PARAMETERS} parameters and {MOST_VALUES} values at the most",
            "Everything that is asked for is looked for in every record, and others wait meanwhile.",
            "FHIR R4 search.html#errors",
            checks.excessive_query,
            (
                Defect("parameters", lambda attempt: asking(attempt, *[("_tag", "x")] * MOST_PARAMETERS, ("_tag", "y"))),
                Defect("values", lambda attempt: asking(attempt, ("_tag", ",".join(["x"] * (MOST_VALUES + 1))))),
            ),
            stage="query",
            operations=searches | histories,
            issue="too-costly",
        ),
        rule(
            "bad-date-parameter",
            "A date parameter is a date or a moment of it, after a prefix or none",
            "What is no date cannot be compared with one.",
            "search.html#date",
            ("date",),
            *(query(f"updated-{name}", "_lastUpdated", value) for name, value in _BAD_DATES.items()),
            *(query(f"date-{name}", "date", value) for name, value in _BAD_DATES.items()),
        ),
        rule(
            "bad-reference-parameter",
            "A reference parameter is an id, Type/id with a type that it may lead to, or a URL",
            "Anything else can lead nowhere, and an empty answer would hide the mistake.",
            "search.html#reference",
            ("reference",),
            query("spaces", "patient", "a b"),
            query("other-type", "patient", "Organization/1"),
            query("system-and-value", "patient", "https://example.org/mrn|1"),
        ),
        rule(
            "bad-token-parameter",
            "A token parameter names a code, a system, or both; :of-type has three parts",
            "There is nothing to look for.",
            "search.html#token",
            ("token",),
            query("bar-alone", "identifier", "|"),
            query("empty-part", "identifier", "a,,b"),
            query("of-type-of-two", "identifier:of-type", "MR|1"),
        ),
        rule(
            "unknown-modifier",
            "A modifier is one that the parameter's type has here",
            "Passing over a modifier would turn the question around.",
            "search.html#modifiers",
            ("modifier",),
            query("of-its-own", "identifier:like", "x"),
            query("of-another-type", "_lastUpdated:exact", "2024"),
            query("in-a-value-set", "identifier:in", "http://hl7.org/fhir/ValueSet/x"),
            query("type-that-it-leads-not-to", "patient:Organization", "1"),
        ),
        rule(
            "bad-missing",
            "The modifier :missing says true or false",
            "Nothing else is an answer to whether there is a value.",
            "search.html#modifiers",
            ("missing",),
            query("perhaps", "identifier:missing", "perhaps"),
        ),
        rule(
            "bad-chain",
            "A chain follows a reference to a type that is held here, and ends in one of its search parameters",
            "A chain that leads nowhere finds nothing, whoever is looked for.",
            "search.html#chaining",
            ("chain",),
            query("no-reference", "identifier.value", "1"),
            query("no-parameter-there", "patient.colour", "red"),
            query("no-type-there", "patient:Group.identifier", "1"),
            query("not-held-here", "location.name", "Clinic"),
            query("without-end", f"partof.{'partof.' * MOST_STEPS}name", "x"),
        ),
        promise(
            "unknown-parameter",
            "Every parameter is a search parameter of the type, when the client says handling=strict",
            "By default a server passes over what it does not know, and the self link shows it; a strict client is told.",
            "FHIR R4 search.html#errors",
            checks.unknown_parameter(TYPES),
            (
                query("of-its-own", "colour", "red", strict=True),
                query("reverse-chain", "_has:Immunization:patient:status", "completed", strict=True),
            ),
            stage="query",
            operations=searches,
            issue="not-supported",
        ),
        rule(
            "bad-count",
            "_count is a whole number from 0, once",
            "It says how many matches a page has.",
            "search.html#count",
            ("_count",),
            query("negative", "_count", "-1", PARAMETER),
            query("words", "_count", "all", PARAMETER),
            Defect("twice", lambda attempt: asking(attempt, ("_count", "1"), ("_count", "2"))),
        ),
        rule(
            "bad-sort",
            "_sort names search parameters of the type",
            "Any other order is not what was asked for.",
            "search.html#sort",
            ("_sort",),
            query("unknown", "_sort", "colour"),
            query("plus", "_sort", "_id,+_lastUpdated"),
        ),
        rule(
            "bad-include",
            "_include and _revinclude name a reference parameter with its type",
            "What leads nowhere brings nothing.",
            "search.html#revinclude",
            ("_include", "_revinclude"),
            query("no-type", "_include", "patient"),
            query("unknown-parameter", "_revinclude", "ImmunizationRecommendation:colour"),
            query("unknown-modifier", "_include:always", "*"),
        ),
        rule(
            "bad-summary",
            "_summary is true, text, data, count or false",
            "There are no other summaries.",
            "search.html#summary",
            ("_summary",),
            query("perhaps", "_summary", "perhaps", PARAMETER),
        ),
        rule(
            "bad-total",
            "_total is none, estimate or accurate",
            "There are no other totals.",
            "search.html#total",
            ("_total",),
            query("roughly", "_total", "roughly", PARAMETER),
        ),
        rule(
            "bad-elements",
            "_elements are names of elements",
            "Nothing else can be left in.",
            "search.html#elements",
            ("_elements",),
            query("spaces", "_elements", "status date"),
        ),
        rule(
            "bad-page",
            "_page comes from a link of a Bundle",
            "It is the server's own mark of a place among the results.",
            "http.html#paging",
            ("_page",),
            query("number", "_page", "2", PARAMETER),
        ),
        promise(
            "bad-history-parameter",
            "_since is an instant, _count a whole number, _page from a link",
            "They choose among the versions.",
            "FHIR R4 http.html#history",
            checks.bad_history_parameter,
            (
                query("since-yesterday", "_since", "yesterday"),
                query("count-negative", "_count", "-1", PARAMETER),
                query("page-number", "_page", "2", PARAMETER),
            ),
            stage="query",
            operations=histories,
            issue="value",
        ),
        promise(
            "bad-format",
            "_format asks for JSON",
            "This server writes nothing else.",
            "FHIR R4 http.html#mime-type",
            checks.bad_format,
            (query("xml", "_format", "xml"), query("turtle", "_format", "text/turtle")),
            stage="accept",
            operations=frozenset(),
            status=406,
            issue="not-supported",
        ),
    )
