"""The package as its users get it: the wheel, in a virtual environment outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder, with the hatchling of this environment."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    _run(command)
    return next(folder.glob("*.whl"))


def install(wheel: Path, folder: Path, *, dependencies: bool = False) -> Path:
    """A new environment with the wheel in it; its Python.

    Without `dependencies` those of this environment are linked (a .pth file): what an editable install of the checkout adds
    to the path is not, for a .pth file is only read in the environment's own folder.
    """
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    _run([*pip, str(wheel)] if dependencies else [*pip, "--no-deps", str(wheel)])
    if not dependencies:
        site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
        here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        (site / "linked.pth").write_text("".join(f"{path}\n" for path in sorted(here)), "utf-8")
    return python


def outside() -> dict[str, str]:
    """The environment variables of a process that must not see the checkout."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def _run(command: list[str]) -> None:
    """Run a command outside the checkout's variables; what it says is shown only when it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=outside())
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed with exit code {done.returncode}:\n{done.stdout}")
