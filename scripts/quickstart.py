#!/usr/bin/env python3
"""Sets mocksandbox up in .venv, serves the NHS sandbox, sends it three requests and shows what it answers.

Run it as `python3 scripts/quickstart.py`; it needs Python 3.11 or newer and, the first time, the network.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import environment

FHIR_JSON = "application/fhir+json"
PATIENCE = 60.0


def main() -> int:
    """Set up, serve, show, stop."""
    environment.prepare(dev=False)
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [str(environment.script("mocksandbox")), "serve", "nhs", "--port", "0", "--ready-file", str(ready)]
        print("$ mocksandbox serve nhs --port 0", flush=True)
        server = subprocess.Popen(command)
        try:
            url = wait_for(ready, server)
            show(url)
        finally:
            server.terminate()
            server.wait(20)
    print("\nThe server has stopped. To keep one running:")
    print(f"  {environment.script('mocksandbox')} serve nhs")
    return 0


def wait_for(ready: Path, server: subprocess.Popen[bytes]) -> str:
    """The base URL of the API, once the server answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if ready.is_file():
            url: str = json.loads(ready.read_text("utf-8"))["providers"]["nhs"]
            return url
        if server.poll() is not None:
            sys.exit(f"The server ended with exit code {server.returncode} before it answered.")
        time.sleep(0.05)
    sys.exit(f"The server did not answer within {PATIENCE:.0f} seconds.")


def show(url: str) -> None:
    """A documented create, the same record again, and one with a field missing."""
    record = documented_record()
    send(url, record, "The create of the published document:")
    send(url, record, "The same record again:")
    send(url, {key: value for key, value in record.items() if key != "recorded"}, "Without recorded:")


def documented_record() -> dict[str, object]:
    """The example of a create in the published document."""
    document = json.loads((environment.ROOT / "contracts" / "nhs" / "openapi.json").read_text("utf-8"))
    content = document["paths"]["/Immunization"]["post"]["requestBody"]["content"][FHIR_JSON]
    record: dict[str, object] = content["example"]
    return record


def send(url: str, record: dict[str, object], says: str) -> None:
    """Create a record and print the request, the status and what matters of the answer."""
    parts = urlsplit(url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    try:
        connection.request("POST", f"{parts.path}/Immunization", json.dumps(record), {"Content-Type": FHIR_JSON})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    print(f"\n{says}\n  POST {parts.path}/Immunization\n  -> {answer.status} {answer.reason}")
    for line in told(answer, body):
        print(f"     {line}")


def told(answer: HTTPResponse, body: bytes) -> list[str]:
    """The headers that name the new record, or the issues of the OperationOutcome."""
    lines = [f"{name}: {value}" for name in ("Location", "E-Tag") if (value := answer.headers.get(name))]
    for issue in json.loads(body)["issue"] if body else ():
        code = issue["details"]["coding"][0]["code"]
        lines.append(f"{issue['severity']} {issue['code']} {code}: {issue['diagnostics']}")
        lines += [f"at {place}" for place in issue.get("expression", ())]
    return lines


if __name__ == "__main__":
    sys.exit(main())
