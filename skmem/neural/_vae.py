"""The variational autoencoder as a density."""

from numbers import Integral, Real
from os import PathLike

import numpy as np

from skmem._sklearn import Interval, StrOptions, fit_context
from skmem.neural._extras import require_torch
from skmem.neural._fits_together import FitsTogether
from skmem.neural._latent import LatentDensity
from skmem.neural._spaces import SPACES


class VAE(FitsTogether, LatentDensity):
    r"""Variational autoencoder with a log-density for each row, and its Monte-Carlo error.

    In nats; higher is better; the zero is that of the likelihood: a density for columns that are measured, a
    probability for those that are counted.

    Needs the extra `torch`: ``pip install "skmem[torch]"``.

    Parameters
    ----------
    latent_dim : int, default=16
        Number of entries of the code z, standard normal a priori.
    hidden_layer_sizes : tuple of int, default=(512, 256)
        Widths of the encoder's layers; the decoder has the same in reverse. ``()`` makes both linear: probabilistic
        PCA, for "gaussian". With `input_shape`, feature maps of strided convolutions, each halving the image.
    likelihood : str or list of (str, columns), default="gaussian"
        Distribution of a row given its code: "gaussian", "gaussian_diagonal", "bernoulli", "logit_gaussian",
        "discretized_logistic", "count", "categorical", "codes", "mixed", or a list of names with their columns; see
        Notes.
    beta : float, default=1.0
        Weight of the divergence of q(z|x) from the prior in the loss. Scores always have weight 1.
    module : torch.nn.Module or callable, default=None
        An autoencoder of your own; see Notes. An instance is copied, weights included; a class or function is called
        with (n_columns, latent_dim) under a seed.
    learning_rate : float, default=0.001
        Step size of Adam.
    batch_size : int, default=64
        Largest number of rows in a batch; batches are of near-equal size.
    max_epochs : int, default=100
        Number of passes over the rows in `fit`. :meth:`partial_fit` makes one.
    checkpoint_epochs : int or array-like of int, default=None
        Epochs after which to keep the parameters for :meth:`staged_score_samples`: every so many, or those named, up
        to `max_epochs`. Repeated :meth:`partial_fit` without `fit` may name later ones. The fit as it stands is a
        stage in any case, whatever epoch it ended at.
    checkpoint_dir : str or path, default=None
        Where to keep the parameters of `checkpoint_epochs`; None is memory. Each fit makes a new folder of its own
        there, "fit-..." with a file "epoch-00005.safetensors" for each epoch, which a stage is read from when it is
        scored. Files are never deleted. A pickle holds their paths, not their content.
    n_importance_samples : int, default=256
        Draws for each row in `score_samples`; with "sobol" in 16 replicates if that divides it, else in 8, 4, ....
    device : str or list of str, default="auto"
        "auto" is the first GPU if there is one; otherwise as torch names devices: "cpu", "cuda", "cuda:1". Of a list,
        fit k of a cross-fit takes entry k modulo its length, and a fit by itself the first.
    callbacks : list of skorch callbacks, default=None
        As in :class:`skorch.NeuralNet`: early stopping, checkpoints, schedules. They are copied.
    random_state : int, RandomState instance or None, default=None
        Seed of initial weights, batches and the noise of training.
    verbose : int, default=0
        Whether skorch prints a line for each epoch.
    input_shape : tuple of (int, int, int), default=None
        (channels, height, width) of rows that are flattened images: makes the network convolutional.
    n_levels : int or array-like of shape (n_features,), default=256
        Number of levels 0, 1, ... of "logit_gaussian", "discretized_logistic" and "codes": of all columns, or of each.
    min_scale : float, default=0.001
        Floor of a Gaussian's standard deviation, as a share of that of the training data ("gaussian",
        "gaussian_diagonal") or in units of the logit. It bounds log-densities: no column of a row is denser than the
        mean of a normal as wide as the data by more than -log(min_scale) nats.
    draws : {"sobol", "random"}, default="sobol"
        Importance samples: scrambled Sobol points through the normal quantile function, or plain Monte Carlo.
    proposal : {"auto", "encoder", "laplace"}, default="auto"
        Distribution that importance samples come from: the encoder's, or for each row a normal near the mode of its
        posterior with the curvature there. That takes as long as 10 to 20 `latent_dim` draws and misses far less; an
        encoder also serves the rows it was trained on better than others, which looks like memorization. "auto" is
        "laplace" up to 32 entries of the code; "encoder" beyond, and for a `module` of your own: "laplace" takes its
        second derivatives, and each row to be decoded by itself.
    noise : {"fixed", "dynamic"}, default="fixed"
        Whether the noise of binarisation and dequantisation is drawn once for each row, or for training anew in each
        epoch. Scores use the fixed noise, which depends on the row and `noise_seed` alone.
    noise_seed : int, default=0
        Seed of that noise and of importance samples: apart from `random_state`, so that all fits of a cross-fit see
        the same.
    validation_fraction : float, default=None
        Share of the rows kept out of training for skorch's `valid_loss`, for callbacks that watch it.
    score_dtype : {"float64", "float32"}, default="float64"
        Precision of scoring; training is in single precision. In single precision, all that "mps" has, a score's
        last digits depend on its batch.

    Attributes
    ----------
    net_ : skorch.NeuralNet
        The trained net; its `module_` has `encode`, `decode` and `prior`.
    history_ : skorch.history.History
        Losses and times of each epoch.
    stages_ : list of int
        Epochs that have been kept and the last one; empty without `checkpoint_epochs`.
    n_features_in_, feature_names_in_ : int, ndarray of shape (n_features_in_,)
        Number of columns seen in `fit`, and their names if all are strings.

    Notes
    -----
    Training maximises :math:`E_{q(z|x)} \log p(x|z) - \beta\, \mathrm{KL}(q(z|x) \| p(z))` (Kingma and Welling 2014).
    Rows count alike: repeated rows stand for weights, for which `fit` has no parameter.
    The likelihoods of a row, independent over columns given z:

    - "gaussian": normal with one learned variance; "gaussian_diagonal": normal with variances decoded from z. The
      network sees standardised columns, with one scale for all or one for each; densities are per unit of `X`.
    - "bernoulli": `X` in [0, 1]; what lies between is drawn as 0 or 1 with that probability.
    - "logit_gaussian": levels 0 to `n_levels` - 1 plus uniform noise, "gaussian_diagonal" after
      logit(0.05 + 0.9 x / n_levels), with the Jacobian back to levels; "discretized_logistic": probabilities of
      these levels by a mixture of 5 logistics; "count": the same of 0, 1, ... without end, each column on its scale.
    - "categorical": groups of adjacent one-hot columns, found in the training rows. "codes": categories 0 to
      `n_levels` - 1, as :class:`~sklearn.preprocessing.OrdinalEncoder` numbers them.
    - "mixed": for an array one-hot groups "categorical", other columns of zeros and ones "bernoulli", the rest
      "gaussian_diagonal". For a data frame by dtypes: strings and categories "codes", booleans "bernoulli", integers
      "count", floats "gaussian_diagonal"; other dtypes are refused. A categorical dtype brings its categories, also
      those that a fit has no row of; of strings only those in the training rows can be scored.
    - A list: ``[("gaussian", [0, 1]), ("bernoulli", slice(2, 5))]``; of a frame also ``[("codes", ["city"]), ...]``.

    A `module` needs ``encode(x)``, a distribution of codes of event shape (latent_dim,), normal or with an `icdf`;
    ``decode(z)``, a distribution of rows of event shape (n_columns,) for codes of any leading shape; and ``prior``,
    a distribution of codes. It sees rows as the likelihood does: standardised, binarised, ...

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skmem.neural import VAE
    >>> X = load_iris().data
    >>> vae = VAE(2, (), max_epochs=60, learning_rate=0.01, random_state=0).fit(X)
    >>> log_density, error = vae.score_samples(X, return_std=True)
    >>> log_density.shape, bool(error.max() < 0.1)
    ((150,), True)
    """

    _parameter_constraints: dict = {
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "hidden_layer_sizes": [tuple, list],
        "likelihood": [StrOptions({*SPACES, "mixed"}), list],
        "beta": [Interval(Real, 0, None, closed="left")],
        "module": [None, callable],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "checkpoint_epochs": [None, Interval(Integral, 1, None, closed="left"), "array-like"],
        "checkpoint_dir": [None, str, PathLike],
        "n_importance_samples": [Interval(Integral, 1, None, closed="left")],
        "device": [str, list],
        "callbacks": [None, list],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
        "input_shape": [None, tuple, list],
        "n_levels": [Integral, "array-like"],
        "min_scale": [Interval(Real, 0, None, closed="neither")],
        "draws": [StrOptions({"sobol", "random"})],
        "proposal": [StrOptions({"auto", "encoder", "laplace"})],
        "noise": [StrOptions({"fixed", "dynamic"})],
        "noise_seed": [Interval(Integral, 0, None, closed="left")],
        "validation_fraction": [None, Interval(Real, 0, 1, closed="neither")],
        "score_dtype": [StrOptions({"float64", "float32"})],
    }

    def __init__(
        self,
        latent_dim=16,
        hidden_layer_sizes=(512, 256),
        *,
        likelihood="gaussian",
        beta=1.0,
        module=None,
        learning_rate=1e-3,
        batch_size=64,
        max_epochs=100,
        checkpoint_epochs=None,
        checkpoint_dir=None,
        n_importance_samples=256,
        device="auto",
        callbacks=None,
        random_state=None,
        verbose=0,
        input_shape=None,
        n_levels=256,
        min_scale=1e-3,
        draws="sobol",
        proposal="auto",
        noise="fixed",
        noise_seed=0,
        validation_fraction=None,
        score_dtype="float64",
    ):
        self.latent_dim = latent_dim
        self.hidden_layer_sizes = hidden_layer_sizes
        self.likelihood = likelihood
        self.beta = beta
        self.module = module
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.checkpoint_epochs, self.checkpoint_dir = checkpoint_epochs, checkpoint_dir
        self.n_importance_samples = n_importance_samples
        self.device = device
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose
        self.input_shape = input_shape
        self.n_levels = n_levels
        self.min_scale = min_scale
        self.draws = draws
        self.proposal = proposal
        self.noise = noise
        self.noise_seed = noise_seed
        self.validation_fraction = validation_fraction
        self.score_dtype = score_dtype

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Train from scratch on the rows of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows, as the likelihood wants them.
        y : None
            Ignored; here for scikit-learn's conventions.

        Returns
        -------
        self : VAE
            The trained model.

        Raises
        ------
        ImportError
            If torch or skorch is missing.
        ValueError
            If rows don't suit the likelihood, sizes don't suit the rows, or the device isn't there.
        FloatingPointError
            If training diverges; the model is not fitted then.
        """
        X = self._start(X)
        return self._train(X, self.max_epochs)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        """Go on for one epoch on the rows of `X`; the first call starts from scratch.

        As many calls as `max_epochs` on the same rows are one `fit`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training rows. What the first ones settled stays: means and scales of columns, one-hot groups.
        y : None
            Ignored; here for scikit-learn's conventions.

        Returns
        -------
        self : VAE
            The trained model.

        Raises
        ------
        ImportError, ValueError, FloatingPointError
            As in :meth:`fit`.
        """
        X = self._check_query(X) if hasattr(self, "net_") else self._start(X, last_epoch=np.inf)
        return self._train(X, 1)

    def _start(self, X, last_epoch=None):
        """Checked rows, after everything has been set up to train on them; `last_epoch` is `max_epochs` if None."""
        require_torch()
        from skmem.neural._build import make_net

        X = self._settle_columns(X)
        self._n_features_out = self.latent_dim
        last_epoch = self.max_epochs if last_epoch is None else last_epoch
        self.net_ = make_net(self, self._columns.parts, last_epoch)
        return X

    def _train(self, X, n_epochs):
        from skmem.neural._net import train

        U, _ = self._columns.forward(X, self.noise_seed)
        try:
            train(self.net_, U, n_epochs, self._redraw(X))
        except FloatingPointError:
            del self.net_  # what diverged is no fit
            raise
        return self

    def _redraw(self, X):
        """Rows with the noise of an epoch, as a function of its seed; None if there is none, or one for all."""
        if self.noise == "fixed" or not self._columns.noisy:
            return None
        return lambda seed: self._columns.forward(X, np.random.default_rng(seed))[0]
