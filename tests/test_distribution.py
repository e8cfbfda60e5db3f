"""What a wheel and an sdist contain, and that an index can render the README."""

import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from importlib.util import find_spec

import pytest

from tests.architecture import ROOT
from tests.house_rules import ignored

# A folder called build is no package of that name.
pytest.importorskip("build.util", reason="the extra release is not installed")


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Paths of the wheel and the sdist, made of a copy, so that no old build is packed."""
    if not find_spec("setuptools") or int(version("setuptools").split(".")[0]) < 77:
        pytest.skip("setuptools of the extra release is not installed")
    folder = tmp_path_factory.mktemp("dist")
    source = tmp_path_factory.mktemp("source")
    for path in ROOT.rglob("*"):
        if path.is_file() and not ignored(path):
            copy = source / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(source),
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, sdist


def test_the_wheel_has_the_package_and_nothing_else(archives):
    names = set(zipfile.ZipFile(archives[0]).namelist())
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "skmem").rglob("*")
        if path.is_file() and not ignored(path)
    }
    # every module and the mark that it is typed
    assert modules <= names
    assert "skmem/py.typed" in names
    others = {name for name in names - modules if ".dist-info/" not in name}
    # no tests, no documentation: they would be installed as packages of their own
    assert others == set()
    # who gets the wheel alone gets the license
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_sdist_has_what_a_checkout_has(archives):
    with tarfile.open(archives[1]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    for path in (
        "LICENSE",
        "README.md",
        "constraints.txt",
        "conftest.py",
        "pyproject.toml",
        ".ci/run",
    ):
        assert path in names
    for folder in ("skmem", "tests", "doc"):
        kept = {
            str(path.relative_to(ROOT))
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and not ignored(path)
        }
        # its tests run and its documentation builds
        assert kept - names == set()
    # and what was built there is left out
    assert not [
        n for n in names if n.startswith(("doc/_build", "doc/auto_examples", "doc/generated"))
    ]


def test_an_index_renders_the_readme(archives):
    pytest.importorskip("twine", reason="the extra release is not installed")
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, archives)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    # the first thing that a reader of an index sees
    assert run.returncode == 0, run.stdout + run.stderr
