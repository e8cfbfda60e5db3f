"""What a display draws, as a data frame."""


def frame_of(columns):
    """pandas.DataFrame of a dict of columns.

    Raises
    ------
    ImportError
        If pandas is not installed; it names the command to run.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError('frame needs pandas: pip install "skmem[frames]"') from error
    return pandas.DataFrame(columns)
