"""The XHTML of a narrative: a div of basic formatting with something to read in it, and nothing that acts (txt-1, txt-2)."""

from __future__ import annotations

from xml.parsers import expat

XHTML = "http://www.w3.org/1999/xhtml"

# What HTML 4.0 has in its chapters 7 to 11 (but for section 4 of chapter 9) and 15, with <a> and images (R4, txt-1).
_ELEMENTS = frozenset(
    """a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5
    h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul var""".split()  # noqa: SIM905
)
_ATTRIBUTES = frozenset(
    """abbr accesskey align alt axis bgcolor border cellpadding cellspacing char charoff charset cite class color colspan
    compact coords dir face frame headers height href hreflang hspace id lang longdesc name noshade nowrap rel rev rowspan
    rules scope shape size span src start style summary tabindex target title type usemap valign value vspace width""".split()  # noqa: SIM905
)
_LINKS = frozenset({"href", "src", "cite", "longdesc"})
_ACTIVE = ("javascript:", "vbscript:", "data:text")


class _NarrativeError(Exception):
    """What is wrong, as a phrase."""


class _Reader:
    """Follows a parser through a div. Raises `_NarrativeError` at the first thing that does not belong there."""

    def __init__(self) -> None:
        self.depth = 0
        self.readable = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if self.depth == 0 and (namespace, local) != (XHTML, "div"):
            raise _NarrativeError(f'must be one <div xmlns="{XHTML}">')
        if namespace != XHTML or local not in _ELEMENTS:
            raise _NarrativeError(f"must not have <{local[:20]}>: a narrative is text with basic formatting")
        for attribute, value in attributes.items():
            if " " not in attribute and attribute not in _ATTRIBUTES:
                raise _NarrativeError(f"must not have the attribute {attribute[:20]!r}")
            if attribute in _LINKS and "".join(value.split()).lower().startswith(_ACTIVE):
                raise _NarrativeError(f"must not have a script in {attribute}")
        self.depth += 1
        self.readable |= local == "img"

    def end(self, name: str) -> None:
        self.depth -= 1

    def text(self, text: str) -> None:
        self.readable |= not text.isspace()

    def doctype(self, *_: object) -> None:
        # A document type can define entities that grow without bound; a fragment has none.
        raise _NarrativeError("must not have a document type")


def narrative_fault(div: str) -> str:
    """What is wrong with a narrative's div, as a phrase that follows its place; `""` for a good one. Never raises."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = reader.text, reader.doctype
    try:
        parser.Parse(div, True)
    except _NarrativeError as refused:
        return str(refused)
    except (expat.ExpatError, ValueError) as error:
        return f"must be XHTML that can be parsed ({error})"
    return "" if reader.readable else "must have something to read in it"
