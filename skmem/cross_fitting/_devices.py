"""Fits share out the devices that an estimator lists."""


def set_device(estimator, fit):
    """Set every parameter named `device` of `estimator` that is a list, however deep, to its entry for a fit.

    Entry `fit` modulo the length: the device is the fit's, whichever worker runs it, and neighbours in the order of
    fits, which run at the same time, have different ones. Returns `estimator`.
    """
    params = estimator.get_params(deep=True)
    chosen = {
        name: devices[fit % len(devices)]
        for name, devices in params.items()
        if (name == "device" or name.endswith("__device"))
        and isinstance(devices, list)
        and devices
    }
    return estimator.set_params(**chosen)
