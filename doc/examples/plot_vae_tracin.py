"""
Which digits made this digit likely?
====================================

TracIn follows the training of a variational autoencoder by its checkpoints, and sums products of gradients: how much
the steps that lowered the loss of a training row lowered that of a point. The autoencoder has never seen a label. Are
the digits that helped a digit of its kind?
"""

# %%
# 1,000 digits in black and white are learnt, 200 others are explained. The example needs the extra ``torch``.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skmem.influence import TracIn
from skmem.inspection import InfluenceDisplay
from skmem.neural import VAE

X, y = load_digits(return_X_y=True)
X = np.where(X > 7, 1.0, 0.0)
X_train, y_train, X_new, y_new = X[:1000], y[:1000], X[1000:1200], y[1000:1200]

vae = VAE(8, (64,), likelihood="bernoulli", max_epochs=60, checkpoint_epochs=15, device="cpu")
vae.set_params(random_state=0).fit(X_train)
tracin = TracIn(vae).fit(X_train)
influence = tracin.influence(X_new)

# %%
# One digit, the rows that made it likelier, and those that made it less likely.

figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
display = InfluenceDisplay.from_results(
    influence, X_train, X_new, point=7, k=5, image_shape=(8, 8)
)
display.plot(ax)
plt.show()

# %%
# Over all 200: how often does the strongest row share the label of the point? By chance it is one in ten. And is
# a training row its own strongest proponent?

strongest, weakest = influence.argmax(axis=0), influence.argmin(axis=0)
own = tracin.influence(X_train)
print(
    f"strongest proponent has the label of the point: {np.mean(y_train[strongest] == y_new):.0%}"
)
print(f"strongest opponent has it: {np.mean(y_train[weakest] == y_new):.0%}")
print(
    f"training rows that are their own strongest proponent: {np.mean(own.argmax(axis=0) == np.arange(1000)):.0%}"
)

# %%
# The strongest proponents are digits of the same kind, eight times as often as by chance, and nearly every
# training row is the first proponent of itself. In the figure the six owes its likelihood to thin sixes, and
# sixes with a thick stroke are against it.
