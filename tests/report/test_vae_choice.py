"""The audit by a variational autoencoder: what is chosen, in which unit it answers, and what it needs."""

import json
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import KFold

from skmem import cli
from skmem._commands import FINDINGS
from skmem._random import child_seeds, set_random_state
from skmem.cross_fitting._threads import single_thread
from skmem.datasets import Table
from skmem.report import _vae_choice, audit, diagnose_file, format_summary, summarize
from skmem.report._summarize import score_columns
from skmem.report._vae_choice import choose_vae, column_likelihoods

without_torch = pytest.mark.skipif(find_spec("skorch") is None, reason="needs the extra torch")
RNG = np.random.RandomState(0)
MEASURED = RNG.standard_normal((60, 2)) * [5, 0.1] + 3
CODES = np.eye(3)[RNG.randint(3, size=60)]
COUNTS = RNG.poisson(3, size=(60, 1)).astype(float)
FLAGS = RNG.randint(2, size=(60, 2)).astype(float)
OPTIONS = {"model": "vae", "cv": 4, "n_repeats": 2, "random_state": 0}


@pytest.fixture(autouse=True)
def few_updates(monkeypatch):
    # Candidates are 2, 4 and 6 epochs.
    monkeypatch.setattr(_vae_choice, "_N_UPDATES", 1)
    monkeypatch.setattr(_vae_choice, "_N_STEPS", 3)


def as_table(X):
    return Table(X, [f"x{j}" for j in range(X.shape[1])], np.arange(len(X)), "made up")


def test_likelihoods_follow_the_columns():
    X = np.column_stack([MEASURED[:, 0], CODES, COUNTS, FLAGS, CODES[:, [1, 0, 2]], MEASURED])
    named, n_levels = column_likelihoods(X)
    # Every one-hot group is one of its own, so that a fold without a category does not shift them.
    assert named == [
        ("categorical", [1, 2, 3]),
        ("categorical", [7, 8, 9]),
        ("bernoulli", [5, 6]),
        ("discretized_logistic", [4]),
        ("gaussian_diagonal", [0, 10, 11]),
    ]
    # each column its own levels, so that a small count is not lost in the range of a large one
    assert n_levels == [2] * 4 + [COUNTS.max() + 1] + [2] * 7


@pytest.mark.parametrize(
    ("x", "likelihood"),
    [
        ([0, 1, 0, 0], "bernoulli"),
        ([0, 2, 1, 0], "discretized_logistic"),
        ([0, 255, 3, 3], "discretized_logistic"),
        ([0, 256, 3, 3], "gaussian_diagonal"),
        ([-1, 1, 0, 0], "gaussian_diagonal"),
        ([0, 0.5, 1, 1], "gaussian_diagonal"),
    ],
)
def test_a_column_is_what_its_numbers_allow(x, likelihood):
    # Levels are whole numbers from 0, and no more of them than a byte holds.
    named, _ = column_likelihoods(np.array(x, dtype=float)[:, None])
    assert named == [(likelihood, [0])]


@pytest.mark.parametrize(("n_rows", "n_layers"), [(60, 1), (5000, 2)])
def test_sizes_follow_the_table(n_rows, n_layers):
    X = np.zeros((n_rows, 9))
    n_batches, sizes = _vae_choice._sizes(X, n_rows, [("gaussian_diagonal", list(range(9)))])
    assert sizes["latent_dim"] == 3
    assert len(sizes["hidden_layer_sizes"]) == n_layers
    # An epoch has some ten batches of a small table, and more of a large one.
    assert n_batches == -(-n_rows // sizes["batch_size"])
    assert sizes["batch_size"] in (16, 256)
    # More rows are scored with fewer draws.
    assert sizes["n_importance_samples"] == (128 if n_rows == 60 else 32)


@without_torch
def test_number_of_epochs_by_the_slow_way():
    chosen, why = choose_vae(MEASURED, 45, 0)
    seed, folds_seed = child_seeds(0, 2)
    masks = [train for train, _ in KFold(5, shuffle=True, random_state=folds_seed).split(MEASURED)]
    held_out = np.empty((3, 60))
    for position, n_epochs in enumerate((2, 4, 6)):
        vae = clone(chosen).set_params(max_epochs=n_epochs)
        for train, fit_seed in zip(masks, child_seeds(int(seed), 5), strict=True):
            out = np.setdiff1d(np.arange(60), train)
            with single_thread():
                fitted = set_random_state(clone(vae), fit_seed).fit(MEASURED[train])
                held_out[position, out] = fitted.score_samples(MEASURED[out])
    behind = held_out[held_out.mean(axis=1).argmax()] - held_out
    good = behind.mean(axis=1) <= behind.std(axis=1) / np.sqrt(60)
    # Fits of each candidate's length, one by one, agree with the stages of the longest.
    assert chosen.max_epochs == (2, 4, 6)[np.flatnonzero(good)[0]]
    # What is chosen is said.
    assert "gaussian_diagonal (2 columns)" in why
    assert "among 2, 4, ... 6" in why
    # Nothing of the choice but the numbers is carried on: unfitted, without stages.
    assert not hasattr(chosen, "net_")
    assert chosen.checkpoint_epochs is None


@without_torch
def test_audits_of_slow_models_are_shorter_and_say_where_they_are(capsys):
    found = audit(as_table(MEASURED), model="vae", cv=3, random_state=0, progress=True)
    # 10 repeats of fits that take seconds are no audit to wait for
    assert found.scorer.n_fits_ == 2 * 3
    # the choice of the density comes before the first fit that is counted
    assert capsys.readouterr().err.startswith("choosing max_epochs")
    assert audit(as_table(MEASURED), model="kde", cv=3, random_state=0).scorer.n_fits_ == 10 * 3


@without_torch
def test_columns_of_all_kinds():
    X = np.column_stack([MEASURED, CODES, COUNTS, FLAGS, np.full(60, 0.3)])
    X[:, 2:5] = np.eye(3)[RNG.randint(2, size=60)]
    X[7, 2:5] = [0, 0, 1]  # a category that a single row has
    found = audit(as_table(X), **OPTIONS)
    # A row whose category no other has is scored, held out too, and the constant column left out.
    assert np.isfinite(found.scorer.memorization_).all()
    assert sum(len(columns) for _, columns in found.scorer.estimator.likelihood) == 8
    json.dumps(summarize(found), allow_nan=False)


@without_torch
def test_standardising_is_about_distances_alone():
    one, other = (audit(as_table(MEASURED), standardize=s, **OPTIONS) for s in (True, False))
    columns, raw = score_columns(one), score_columns(other)
    # The model scales columns itself and answers in their unit: there is no Jacobian to add.
    np.testing.assert_array_equal(columns["log_density_in"], raw["log_density_in"])
    np.testing.assert_array_equal(columns["log_density_in"], one.scorer.log_density_in_)
    assert not np.allclose(one.distance, other.distance)
    text = " ".join(format_summary(summarize(one)).split())
    assert "VAE standardises measured columns itself" in text


@without_torch
def test_log_densities_are_those_of_the_columns_as_given():
    rows = np.random.RandomState(1).standard_normal((400, 1)) * 1e3
    found = audit(as_table(rows), **OPTIONS | {"n_repeats": 1})
    expected = -0.5 * (1 + np.log(2 * np.pi)) - np.log(1e3)
    # The mean log-density of a normal of this width; a Jacobian forgotten, or added twice, is 6.9.
    assert score_columns(found)["log_density_out"].mean() == pytest.approx(expected, abs=0.4)


def test_what_is_missing_is_said_in_one_line(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r'pip install "skmem\[torch\]"'):
        audit(as_table(MEASURED), **OPTIONS)
    assert cli.main(["audit", "iris", "--model", "vae"]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("skmem: error: ")
    assert err.endswith('pip install "skmem[torch]"\n')
    assert err.count("\n") == 1
    findings, _ = diagnose_file("iris", model="vae")
    # The doctor knows it beforehand.
    assert (findings[0].severity, findings[0].cure) == ("error", 'pip install "skmem[torch]"')
    assert cli.main(["doctor", "iris", "--model", "vae"]) == FINDINGS


@without_torch
def test_the_command_line_says_what_was_chosen(capsys):
    status = cli.main(["audit", "iris", "--model", "vae", "--cv", "3", "--repeats", "1"])
    out, err = capsys.readouterr()
    assert (status, err) == (0, "")
    assert "VAE(max_epochs=" in out
    assert "likelihood by the columns: gaussian_diagonal (4 columns)" in out
