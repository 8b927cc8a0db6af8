"""The project's own environment: `.venv` beside this folder, made with nothing but Python 3.11 or newer.

The other scripts call `prepare`. It installs once and again only when pyproject.toml has changed, so that a second run needs
no network.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("MOCKSANDBOX_VENV") or ROOT / ".venv")
EXTRAS = "fuzz,postgres"
OLDEST = (3, 11)


def script(name: str) -> Path:
    """A program of the environment."""
    return VENV / ("Scripts" if os.name == "nt" else "bin") / (f"{name}.exe" if os.name == "nt" else name)


def prepare(*, dev: bool) -> Path:
    """The environment's Python, with the package (editable) and all its extras installed; `dev` adds the developers' tools."""
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        sys.exit(f"mocksandbox needs Python {wanted} or newer; this is {sys.version.split()[0]} ({sys.executable}).")
    python = script("python")
    stamp = VENV / ".mocksandbox"
    wanted = _fingerprint()
    installed = stamp.read_text("utf-8").split() if stamp.is_file() and _runs(python) else []
    if installed[:1] == [wanted] and (not dev or "dev" in installed):
        return python
    _make(python)
    print(f"Installing into {VENV} (once; about 150 MB) ...", file=sys.stderr, flush=True)
    _quietly([str(python), "-m", "pip", "install", "--editable", f"{ROOT}[{EXTRAS}]", *(_developers() if dev else ())])
    stamp.write_text(f"{wanted}{' dev' if dev else ''}\n", "utf-8")
    return python


def _fingerprint() -> str:
    """What the environment was made from: the metadata, this Python, and where the checkout stands."""
    told = (ROOT / "pyproject.toml").read_bytes() + f"{sys.version_info[:2]} {ROOT}".encode()
    return hashlib.sha256(told).hexdigest()


def _developers() -> list[str]:
    """The requirements of the group `dev`; read here, because older pips do not know groups."""
    import tomllib  # not in the Pythons that `prepare` turns away

    group: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]["dev"]
    return group


def _make(python: Path) -> None:
    if not _runs(python):
        print(f"Making the environment {VENV} ...", file=sys.stderr, flush=True)
        try:
            import venv

            # Over what may be left of an environment whose Python has gone.
            venv.EnvBuilder(clear=VENV.exists(), with_pip=False, symlinks=os.name != "nt").create(VENV)
        except ImportError:
            sys.exit(f"{sys.executable} has no module `venv`: install it (on Debian and Ubuntu: apt install python3-venv).")
    if not _runs(python, "-m", "pip", "--version"):
        done = subprocess.run([python, "-m", "ensurepip", "--upgrade"], capture_output=True, text=True, check=False)
        if done.returncode:
            hint = "install it (on Debian and Ubuntu: apt install python3-venv)"
            sys.exit(f"{sys.executable} cannot put pip into an environment: {hint}.\n{done.stderr.strip()}")


def _runs(python: Path, *arguments: str) -> bool:
    """Whether the environment's Python is there and works."""
    if not python.exists():
        return False
    command = [str(python), *(arguments or ("-c", ""))]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _quietly(command: list[str]) -> None:
    """Run a command; what it says is shown only when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{' '.join(command)} failed; see above. It needs the network the first time.")
