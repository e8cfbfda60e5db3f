"""The benchmarks run, so that they do not rot; what they measure at toy sizes means nothing."""

from importlib import import_module

import numpy as np
import pytest

from doc.benchmarks import __main__ as run_all
from doc.benchmarks._timing import Line, bounded, faster, paired, seconds_and_memory, within

# What --mnist adds to a table, and --large beside it.
MNIST_LINES = {
    "influence_closed_form": 2,
    "kde_cross_fit": 3,
    "knn_cross_fit": 2,
    "vae_score": 4,
    "vae_train": 1,
}
LARGE_LINES = {"copying": 2, "kde_cross_fit": 1, "kde_score": 2}
NEEDS_TORCH = {"influence_lds", "tracin", "vae_cross_fit", "vae_score", "vae_train"}


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """A file in the shape of MNIST: few rows of noise."""
    path = tmp_path_factory.mktemp("data") / "mnist.npz"
    rng = np.random.default_rng(0)
    np.savez(path, X_train=rng.integers(0, 256, (40, 28, 28), dtype=np.uint8))
    return str(path)


def table(text):
    """Lines of the only Markdown table in a text, without its head."""
    return [line for line in text.splitlines() if line.startswith("|")][2:]


def run(name, capsys, *options):
    import_module(f"doc.benchmarks.{name}").main(["--quick", *options])
    return capsys.readouterr().out


@pytest.mark.parametrize("name", run_all.NAMES)
def test_every_benchmark_prints_a_table_and_the_machine(name, capsys):
    if name in NEEDS_TORCH:
        pytest.importorskip("torch", reason="the extra torch is not installed")
    text = run(name, capsys)
    # a ratio without the claim it stands for is not read: six cells, the last one the verdict, on a claim alone
    assert table(text)
    for line in table(text):
        *_, claim, verdict = (cell.strip() for cell in line.strip("|").split("|"))
        assert verdict == "" if claim == "none" else verdict in ("yes", "**no**")
    # numbers without machine and versions cannot be compared
    assert all(word in text for word in ("cores", "numpy", "BLAS", "threads"))


@pytest.mark.parametrize("name", sorted({*MNIST_LINES, *LARGE_LINES}))
def test_large_and_mnist_add_their_lines(name, capsys, mnist):
    if name in NEEDS_TORCH:
        pytest.importorskip("torch", reason="the extra torch is not installed")
    without = table(run(name, capsys))
    everything = table(run(name, capsys, "--large", "--mnist", mnist))
    # a part that is asked for is not skipped in silence
    n_more = MNIST_LINES.get(name, 0) + LARGE_LINES.get(name, 0)
    assert len(everything) == len(without) + n_more


def test_exactness_holds_at_any_size(capsys, mnist):
    lines = table(run("kde_cross_fit", capsys, "--mnist", mnist) + run("kde_score", capsys))
    exact = [line for line in lines if " nat |" in line]
    # times need size and quiet, but no excuse is good for a wrong number
    assert exact
    assert all(line.endswith("| yes |") for line in exact)


def test_all_are_written_to_one_file(tmp_path, capfd):
    path = tmp_path / "RESULTS.md"
    path.write_text("# Benchmarks\n\n## import_time\n\nstays\n\n## kde_score\n\ngoes\n")
    run_all.main(["kde_score", "--quick", "--output", str(path)])
    head, stays, new = path.read_text().split("\n## ")
    # what is kept is what was printed, under a heading and with the command
    assert new.strip() == capfd.readouterr().out.strip().removeprefix("## ")
    assert "`python -m doc.benchmarks.kde_score --quick`" in new
    # and what was not asked for stays as it was
    assert (head.strip(), stays.strip()) == (run_all.HEAD, "import_time\n\nstays")


def test_calls_take_turns_and_the_first_round_does_not_count():
    order = []
    seconds = paired(lambda: order.append("a"), lambda: order.append("b"), repeats=2)
    # A B A B: what slows the machine down slows both sides
    assert order == ["a", "b"] * 3
    assert seconds.shape == (2, 2)


def test_ratios_are_taken_within_a_round():
    # the second round was ten times slower for both sides: its ratio is the same
    seconds = np.array([[1.0, 3.0], [10.0, 30.0], [1.0, 3.0]])
    line = faster("case", seconds, at_least=3)
    assert (line.skmem, line.other, line.result, line.held) == (
        "1 s",
        "3 s",
        "3.0 times faster",
        True,
    )
    assert not faster("case", seconds, at_least=3.1).held
    # the same ratio turned round
    assert within("case", seconds[:, ::-1], at_most=3).held
    assert not within("case", seconds[:, ::-1], at_most=2.9).held


def test_what_does_not_hold_is_marked():
    # a claim that fails must not look like one that holds; nan fails
    assert str(bounded("case", 2.0, 1.0, "s")).endswith("| **no** |")
    assert not bounded("case", np.nan, 1.0, "s").held
    assert str(Line("a", "b", "c", "d", "e", True)) == "| a | b | c | d | e | yes |"


def test_memory_is_that_of_the_call():
    _, few = seconds_and_memory(np.sum, np.ones((1000, 1000)))
    _, many = seconds_and_memory(np.exp, np.ones((5000, 1000)))
    # exp makes 5000 x 1000 float64, 0.037 GiB, and sum next to nothing
    assert few < 0.01
    assert 0.035 < many < 0.05
