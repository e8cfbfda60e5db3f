"""The file of `skmem influence --query` may hold columns that the density was fitted without."""

import json

import pytest

from skmem.cli import main

LINES = ["name,town,a,b"] + [f"r{i},Oslo,{i % 7},{i % 5 + 0.1 * i}" for i in range(30)]


@pytest.fixture
def files(tmp_path):
    paths = tmp_path / "data.csv", tmp_path / "query.csv"
    paths[0].write_text("\n".join(LINES))
    paths[1].write_text("\n".join(LINES[:4]))
    return *map(str, paths), tmp_path / "out"


@pytest.mark.parametrize("also", [[], ["--query-id-column", "town"]])
def test_text_left_out_of_data_is_left_out_of_the_query(files, also):
    data, query, out = files
    line = ["influence", data, "--id-column", "name", "--drop", "town", "--query", query, *also]
    # rows of the same table are explained by the same arguments
    assert main([*line, "--out", str(out)]) == 0
    json.loads((out / "summary.json").read_text())
    first = (out / "influence.csv").read_text().splitlines()[1]
    # the name column serves both files, unless the query is told another
    assert first.startswith("Oslo," if also else "r0,")
