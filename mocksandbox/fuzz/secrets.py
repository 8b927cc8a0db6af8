"""The caller's secret: where it comes from, and which header it goes into."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mocksandbox.errors import UsageError
from mocksandbox.exchange import Request
from mocksandbox.provider import Provider

AUTHORIZATION = "Authorization"


@dataclass(frozen=True, repr=False)
class Secret:
    """A header with its value. Where the provider's valid requests have a key of their own in it, `stands_for` is that one."""

    header: str
    value: str
    stands_for: str = ""

    def __call__(self, request: Request) -> Request:
        """The request with the secret: a header that a cell has broken on purpose stays as it is."""
        found = request.headers.get(self.header)
        if found is None and self.stands_for:
            return request
        return request.with_header(self.header, self.value) if found in (None, self.stands_for) else request


def secret_from(auth: str, provider: Provider) -> Secret:
    """The secret that `env:VAR` names.

    Raises:
        UsageError: it is written otherwise, or the variable is not set.
    """
    kind, _, name = auth.partition(":")
    value = os.environ.get(name, "") if kind == "env" else ""
    if not value:
        raise UsageError(f"--auth {auth}: name a variable that is set, as env:VAR.")
    if not value.isascii() or not value.isprintable():
        raise UsageError(f"--auth {auth}: the value has characters that no header has.")
    header = secret_header(provider)
    assert provider.valid is not None, "a plan was made of it"
    own = provider.valid(provider.contract.operations[0].id).request.headers.get(header, "")
    return Secret(header, value, own)


def secret_header(provider: Provider) -> str:
    """The header in which an API wants its callers' secret: that of an API key, where the document has one, else
    `Authorization`.
    """
    schemes = provider.contract.document.get("components", {}).get("securitySchemes", {})
    for scheme in schemes.values():
        if scheme.get("type") == "apiKey" and scheme.get("in") == "header":
            return str(scheme["name"])
    return AUTHORIZATION
