"""A generic FHIR R4 server: what each interaction does and asks of a request. Types of resources are rows of a table."""

from mocksandbox.fhir.server.interaction import Interaction, interaction_of, interactions
from mocksandbox.fhir.server.server import FhirServer

__all__ = ["FhirServer", "Interaction", "interaction_of", "interactions"]
