"""The rules about the form of the Bundle: that it is a message with entries. All else about Bundles are FHIR's own rules."""

from __future__ import annotations

from mocksandbox.providers.redox import bundles
from mocksandbox.providers.redox import defects as by
from mocksandbox.providers.redox.promise import MESSAGE, SCHEMA, promise
from mocksandbox.rules.attempt import Attempt
from mocksandbox.rules.places import MISSING
from mocksandbox.rules.rule import Rule

_TYPE = "fhir/not-a-resource"

BUNDLE_RULES: tuple[Rule[Attempt], ...] = (
    promise(
        "not-a-bundle",
        "The body is a Bundle",
        "The operation takes a message; a bare resource says neither whose it is nor what happened.",
        f"{MESSAGE}/resourceType",
        bundles.not_a_bundle,
        (
            by.bundle("absent", ("resourceType",), MISSING, SCHEMA, _TYPE),
            by.bundle("misspelt", ("resourceType",), "Bundel", SCHEMA, _TYPE),
            by.bundle(
                "bare-immunization",
                ("resourceType",),
                "Immunization",
                SCHEMA,
                "fhir/unknown-element",
                "fhir/missing-element",
                "fhir/missing-choice",
            ),
            by.bundle("lower-case", ("resourceType",), "bundle", SCHEMA, _TYPE),
            by.bundle("number", ("resourceType",), 1, SCHEMA, _TYPE),
            by.bundle("null", ("resourceType",), None, SCHEMA, _TYPE),
        ),
        stage="bundle",
    ),
    promise(
        "not-a-message",
        "The Bundle's type is message",
        "A transaction or a collection is handled otherwise.",
        f"{MESSAGE}/type",
        bundles.not_a_message,
        tuple(
            by.bundle(name, ("type",), value, SCHEMA, *also)
            for name, value, also in (
                ("absent", MISSING, ("fhir/missing-element",)),
                ("transaction", "transaction", ("fhir/bundle-request",)),
                ("collection", "collection", ()),
                ("document", "document", ("fhir/document-without-identifier", "fhir/no-composition")),
                ("capitalized", "Message", ("fhir/not-in-value-set",)),
                ("blank", " ", ("fhir/bad-code",)),
                ("number", 1, ("fhir/wrong-type",)),
                ("null", None, ("fhir/null",)),
            )
        ),
        stage="bundle",
    ),
    promise(
        "no-entries",
        "The Bundle has entries",
        "A message without contents says nothing.",
        f"{MESSAGE}/entry",
        bundles.no_entries,
        tuple(
            by.bundle(name, ("entry",), value, SCHEMA, "fhir/no-message-header", *also)
            for name, value, also in (
                ("absent", MISSING, ()),
                ("empty", [], ("fhir/empty-element",)),
                ("object", {}, ("fhir/not-a-list",)),
                ("null", None, ("fhir/null",)),
                ("text", "entry", ("fhir/not-a-list",)),
            )
        ),
        stage="bundle",
    ),
)
