# SPDX-License-Identifier: Apache-2.0
"""The command search on archives of the program that is replaced: its files by their paths, keys and values, and what is refused or
said where vectors do not belong together."""

import json
import shutil

import numpy as np
import pytest

from files import read_json, write_json
from program import run
from replaced import DIRECTIONS, Search, archive, stem_of

VECTORS = {"251124": (6, 1), "251210": (14, 2)}  # captures: count, seed


def vectors_of(capture):
    count, seed = VECTORS[capture]
    return np.random.default_rng(seed).standard_normal((count, 32)).astype(np.float32)


@pytest.fixture
def roots(tmp_path):
    """References (six photos) and data (fourteen), as environment variables name them."""
    places = {name: (archive(tmp_path / name, capture, vectors_of(capture)), vectors_of(capture))
              for name, capture in (("reference", "251124"), ("data", "251210"))}
    environment = {"RAW_EMBED_ROOT": str(tmp_path / "data"), "RAW_REFERENCE_ROOT": str(tmp_path / "reference"),
                   "FAISS_OUT_ROOT": str(tmp_path / "out"), "VARIANT_DB_BASE": None, "VARIANT_REFERENCE_BASE": None}
    return tmp_path, places, environment


def assert_has(given, wanted, where=""):
    """All keys that theirs has, in their order, with values of their types; more may stand beside."""
    assert isinstance(given, type(wanted)), where
    if isinstance(wanted, dict):
        assert [key for key in given if key in wanted] == list(wanted), where
        for key in wanted:
            if wanted[key] is not None and given[key] is not None:
                assert_has(given[key], wanted[key], f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(given) == len(wanted), where
        for i, (a, b) in enumerate(zip(given, wanted)):
            assert_has(a, b, f"{where}[{i}]")
    elif isinstance(wanted, float) and not where.split(".")[-1].startswith(("find", "load", "normalize", "total", "search", "avg", "index")):
        assert given == pytest.approx(wanted, abs=2e-6), where
    elif not isinstance(wanted, float):
        assert given == wanted, where


@pytest.mark.parametrize("key", DIRECTIONS)
@pytest.mark.parametrize("k", [5, 50])
def test_files_are_those_of_the_replaced_program(roots, key, k):
    folder, places, environment = roots
    option, query_role, base_role = DIRECTIONS[key]
    run("search", "--direction", option, "-k", k, "--redis-json", env=environment)
    run("search", "--direction", option, "-k", k, "--aggregate", env=environment)
    theirs = Search(places[query_role], places[base_role], direction=key, k=k)
    theirs.write_results(folder / "theirs")
    theirs.write_rows(folder / "theirs")
    theirs.write_aggregate(folder / "theirs")
    paths = sorted(str(path.relative_to(folder / "theirs")) for path in (folder / "theirs").rglob("*.json"))
    assert sorted(str(path.relative_to(folder / "out")) for path in (folder / "out").rglob("*.json")) == paths
    assert len(paths) == 2 * len(theirs.queries) + 1
    for path in paths:
        given, wanted = read_json(folder / "out" / path), read_json(folder / "theirs" / path)
        if "index" in wanted and "root" in wanted["index"]:
            wanted["index"]["root"], wanted["search"]["root"] = str(folder / base_role), str(folder / query_role)
        assert_has(given, wanted, path)


def test_the_time_of_embedding_in_rows_is_that_of_the_meta_file(roots):
    folder, places, environment = roots
    meta = read_json(places["reference"][0][1]["meta"])
    del meta["timing_ms"]["pipeline_total"]
    write_json(places["reference"][0][1]["meta"], meta)
    run("search", "--redis-json", env=environment)
    for frame, wanted in ((1, 22.0), (2, 22.0)):  # pipeline_total of the first, global_forward of the second
        (path,) = (folder / "out/vits16_raw_reference2db").glob(f"*_{frame:04d}_reference2db_top10_redis.json")
        times = read_json(path)["timing_ms"]
        assert times["embed"] == wanted and times["total"] == pytest.approx(wanted + times["search"])


def test_variants_are_left_out_and_said_to_be_unless_a_variant_is_asked_for(roots):
    folder, _, environment = roots
    archive(folder / "data", "251210", vectors_of("251210")[:3], variant="sub2")
    archive(folder / "reference", "251124", vectors_of("251124")[:2], variant="sub2")
    done = run("search", env=environment)
    assert ("vits16: 3 vectors of other variants are not searched, and 2 not searched for; --variant all takes them" in done.stderr)
    assert "6 queries in 14" in done.stdout
    done = run("search", "--variant", "all", env=environment)
    assert "8 queries in 17" in done.stdout and done.stderr == ""
    assert len(list((folder / "out/vits16_all").iterdir())) == 8
    assert "variants" not in run("search", "--variant", "raw", env=environment).stderr
    done = run("search", "--variant", "sub2", env=environment, status=2)
    assert "VARIANT" in done.stderr or "is not given" in done.stderr
    environment |= {"VARIANT_DB_BASE": str(folder / "data"), "VARIANT_REFERENCE_BASE": str(folder / "reference")}
    assert "2 queries in 3" in run("search", "--variant", "sub2", env=environment).stdout
    assert len(list((folder / "out/vits16_sub2").iterdir())) == 2


def test_two_directions_with_the_same_file_names_are_refused_before_anything_is_written(roots):
    folder, _, environment = roots
    both = ("--direction", "reference-data", "--direction", "reference-reference")
    done = run("search", *both, env=environment, status=2)
    assert ("--direction: reference-data and reference-reference write files of the same names; search them one after another, each "
            "with an --out, or with --aggregate") in done.stderr
    assert not (folder / "out").exists()
    run("search", *both, "--aggregate", env=environment)
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "vits16_raw_reference-data_top10.json", "vits16_raw_reference-reference_top6.json"]
    # Those with other queries, and one direction by both of its names, have no name in common.
    run("search", "--direction", "reference-data", "--direction", "data-reference", "--direction", "query-data", env=environment)
    assert len(list((folder / "out/vits16_raw").iterdir())) == 6 + 14


def own(config, **changes):
    return {**config, "backbone": "vits16 global=mean_prenorm", "weights_sha256": "ab" * 32, "global": "mean_prenorm", **changes}


def test_an_archive_that_is_not_named_is_a_wrong_command_line(roots):
    _, _, environment = roots
    done = run("search", env={**environment, "RAW_REFERENCE_ROOT": None}, status=2)
    assert "--reference-root" in done.stderr and "usage" in done.stderr.lower()
    run("search", "--direction", "data-data", env={**environment, "RAW_REFERENCE_ROOT": None})


def test_vectors_of_another_kind_are_refused(roots):
    """An archive that says what its vectors are beside one that does not: alike, other backbones, other global vectors."""
    folder, _, environment = roots

    def remake(**config):
        shutil.rmtree(folder / "data")
        archive(folder / "data", "251210", vectors_of("251210"), config=config)

    remake(**own({}))  # what the replaced program wrote is the mean before the norm, too
    done = run("search", env=environment)
    assert "vits16: vectors made differently are compared: backbone: 6 of 20 vectors do not say which one made them" in done.stderr
    shutil.rmtree(folder / "out")
    remake(**own({}, backbone="vits16 global=class", **{"global": "class"}))
    done = run("search", env=environment, status=1)
    assert "reference-data: 'vits16': search: the vectors are from an unknown backbone, global 'mean_prenorm'" in done.stderr
    assert "global 'class'" in done.stderr and "traceback" not in done.stderr and not (folder / "out/vits16_raw").exists()


def test_foreign_vectors_are_compared_by_what_their_meta_files_say(roots):
    folder, _, environment = roots
    shutil.rmtree(folder / "data")
    archive(folder / "data", "251210", vectors_of("251210"), config={"target_res": 768, "embedding_cfg": "res768"})
    done = run("search", env=environment)
    for part in ("target_res: '1024' (6 vectors), '768' (14 vectors)", "embedding_cfg: 'res1024' (6 vectors), 'res768' (14 vectors)"):
        assert f"vits16: vectors made differently are compared: {part}" in done.stderr
    assert "weight_id" not in done.stderr and "6 queries in 14" in done.stdout


def test_another_global_vector_has_files_of_its_own_and_is_searched_when_asked_for(roots):
    folder, _, environment = roots
    for root, capture in (("data", "251210"), ("reference", "251124")):
        other = folder / root / "set/vits16" / capture / "GlobalMeanPatches"
        other.mkdir()
        for path in (folder / root / "set/vits16" / capture / "GlobalToken").glob("*.npy"):
            name = path.name.replace("GlobalToken", "GlobalMeanPatches")
            np.save(other / name, -np.load(path))
            (other / name.replace(".npy", "_meta.json")).write_text(json.dumps({"config": own({}, **{"global": "mean_patches"})}))
    assert "6 queries in 14" in run("search", env=environment).stdout
    done = run("search", "--global", "mean_patches", env=environment)
    assert "6 queries in 14" in done.stdout
    names = [path.name for path in (folder / "out/vits16_raw_mean_patches").iterdir()]
    assert len(names) == 6 and all(name.startswith("GlobalMeanPatches_") for name in names)
    done = run("search", "--global", "gem", env=environment, status=1)
    assert "nothing was searched" in done.stderr
