"""A Faker provider, for those who have Faker already.

```python
from faker import Faker
from mocksandbox.generators.faker_provider import ImmunizationProvider

fake = Faker("en_GB")
fake.add_provider(ImmunizationProvider)
fake.nhs_number()      # '9990548609': never issued
fake.immunization()    # a record that the NHS service accepts
```
"""

from __future__ import annotations

from typing import Any

from faker.providers import BaseProvider

from mocksandbox.generators.build import split_reference, templates
from mocksandbox.generators.draw import RandomDraw
from mocksandbox.generators.kind import kinds
from mocksandbox.generators.samples import Style, make
from mocksandbox.generators.scene import scene


class ImmunizationProvider(BaseProvider):
    """Values and records of vaccinations, drawn from Faker's own random numbers: `Faker.seed` seeds them too."""

    def _value(self, kind: str) -> Any:
        return kinds()[kind].sample(self.generator.random)

    def nhs_number(self) -> str:
        """A valid NHS number that is never issued (999 000 0000 and up)."""
        return str(self._value("nhs-number"))

    def pseudo_postcode(self) -> str:
        """A postcode that is nobody's, such as ZZ99 3VZ."""
        return str(self._value("postal-code"))

    def ods_code(self) -> str:
        """An organization's code of the form X9 and four digits."""
        return str(self._value("organization-code"))

    def vaccine_type(self) -> str:
        """One of the vaccine types of the NHS service (`COVID`, `MMR`, `6IN1`, …)."""
        return str(self._value("vaccine-type"))

    def vaccine_batch(self) -> str:
        """A batch number."""
        return str(self._value("lot-number"))

    def gtin(self) -> str:
        """A trade item number of 14 digits with a right check digit, from GS1's prefix for examples."""
        return str(self._value("gtin"))

    def gs1_element_string(self) -> str:
        """The GS1 element string of a vaccine's package: item, expiry, batch, serial number."""
        return str(self._value("gs1"))

    def cvx_code(self) -> str:
        """A CVX code (CDC)."""
        return str(self._value("cvx"))

    def mvx_code(self) -> str:
        """An MVX code (CDC)."""
        return str(self._value("mvx"))

    def ndc_code(self) -> str:
        """A National Drug Code of eleven digits whose labeler is nobody."""
        return str(self._value("ndc"))

    def vaccination(self, vaccine: str | None = None) -> dict[str, Any]:
        """Values of every kind that make sense together, by kind: person, vaccine, dates, place; of one vaccine type if asked.

        Raises:
            KeyError: there is no such vaccine type.
        """
        return scene(RandomDraw(self.generator.random), vaccine=vaccine)

    def immunization(self, api: str = "nhs", style: Style = "typical") -> dict[str, Any]:
        """The body of a valid request to an API (`nhs`, or `PROVIDER/OPERATION`).

        Raises:
            UsageError: there is no such API.
        """
        provider, operation = split_reference(api)
        made = make(templates(provider.name, operation), RandomDraw(self.generator.random), style)
        body: dict[str, Any] = made.payload(None).body
        return body
