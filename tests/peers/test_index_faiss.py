# SPDX-License-Identifier: Apache-2.0
"""The index against the faiss-cpu wheel: the same neighbours, and each reads the other's files."""

import numpy as np
import pytest

from files import write_json
from program import run

faiss = pytest.importorskip("faiss")

SCRIPT = """
local im = require "imatch"
local folder, jobs = arg[1], im.io.read_json(arg[1] .. "/jobs.json")
local base, queries = im.io.read_npy(folder .. "/base.npy"), im.io.read_npy(folder .. "/queries.npy")
local ids = im.io.read_npy(folder .. "/ids.npy")
for _, job in ipairs(jobs) do
  local index
  if job.load then
    index = assert(im.index.load(folder .. "/" .. job.load, { memory_mapped = job.memory_mapped }))
  elseif job.exact then
    index = im.index.exact(base, { metric = job.metric })
  else
    index = im.index.new(base:shape()[2], { factory = job.factory, metric = job.metric })
    index:add(base, ids)
  end
  if job.parameters then index:set_parameters(job.parameters) end
  if job.save then index:save(folder .. "/" .. job.save) end
  local scores, found = index:search(queries, { k = job.k })
  im.io.write_npy(folder .. "/" .. job.name .. "_scores.npy", scores)
  im.io.write_npy(folder .. "/" .. job.name .. "_ids.npy", found)
end
"""

faiss.omp_set_num_threads(1)  # many tiny parallel regions: on a busy machine threads would wait for one another

METRICS = {"inner_product": faiss.METRIC_INNER_PRODUCT, "l2": faiss.METRIC_L2}


def unit(x):
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("index")
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(40, 64))
    base = unit(centres[rng.integers(0, 40, 4000)] + 0.6 * rng.normal(size=(4000, 64)))
    base[1500:1510] = base[7]  # ties
    np.save(path / "base.npy", base)
    np.save(path / "queries.npy", np.concatenate([unit(base[::40] + 0.05 * rng.normal(size=(100, 64))), base[7:8]]))
    np.save(path / "ids.npy", rng.permutation(10_000)[:4000].astype(np.int64))
    (path / "search.lua").write_text(SCRIPT)
    return path


def search(folder, jobs):
    write_json(folder / "jobs.json", jobs)
    run("--threads", 1, folder / "search.lua", folder, env={"OMP_WAIT_POLICY": "passive"})
    return [(np.load(folder / f"{j['name']}_scores.npy"), np.load(folder / f"{j['name']}_ids.npy")) for j in jobs]


def arrays(folder):
    return (np.load(folder / f"{name}.npy") for name in ("base", "queries", "ids"))


def by_score_then_id(scores, ids, highest):
    """FAISS leaves equal scores in any order, and rounds them differently from one path to another."""
    rounded = np.round(scores.astype(np.float64), 5)
    order = np.lexsort((ids, -rounded if highest else rounded), axis=1)
    return np.take_along_axis(ids, order, axis=1)


@pytest.mark.parametrize("metric", METRICS)
def test_flat_gives_what_faiss_gives(folder, metric):
    base, queries, ids = arrays(folder)
    k = 25
    (scores, found), (exact_scores, exact_found) = search(folder, [
        {"name": "flat", "factory": "Flat", "metric": metric, "k": k},
        {"name": "exact", "exact": True, "metric": metric, "k": k},
    ])
    index = faiss.IndexIDMap(faiss.index_factory(64, "Flat", METRICS[metric]))
    index.add_with_ids(base, ids)
    peer_scores, peer_found = index.search(queries, k)
    np.testing.assert_allclose(scores, peer_scores, atol=3e-6)
    highest = metric == "inner_product"
    # The last place may fall between ties; the others must agree as they stand.
    assert (by_score_then_id(scores, found, highest)[:, :15] == by_score_then_id(peer_scores, peer_found, highest)[:, :15]).mean() > 0.999
    np.testing.assert_array_equal(scores, exact_scores)
    truth = queries.astype(np.float64) @ base.T.astype(np.float64)
    if not highest:
        truth = (queries.astype(np.float64) ** 2).sum(1)[:, None] + (base.astype(np.float64) ** 2).sum(1) - 2 * truth
    order = np.lexsort((np.broadcast_to(ids, truth.shape), np.round(-truth if highest else truth, 9)), axis=1)[:, :k]
    np.testing.assert_array_equal(found, ids[order])
    # A copied vector: its copies come by rising id, whichever index is asked; the exact index has positions for ids.
    copies = sorted(ids[[7, *range(1500, 1510)]])
    assert list(found[-1][:11]) == copies
    assert list(exact_found[-1][:11]) == [7, *range(1500, 1510)]


def agree(found, scores, peer_found):
    """Where a score stands alone the ids must agree; vectors with one code have one score, in any order."""
    gaps = np.abs(np.diff(scores, axis=1)) > 5e-5
    alone = np.zeros(found.shape, bool)
    alone[:, 1:-1] = gaps[:, 1:] & gaps[:, :-1]
    alone[:, 0] = gaps[:, 0]
    assert alone.any()
    return (found == peer_found)[alone].mean() > 0.999


FACTORIES = ["Flat", "HNSW16", "IVF32,Flat", "IVF32,PQ8x4", "SQ8", "PQ8x4", "PCA32,Flat", "IVF32,SQ8"]


@pytest.mark.parametrize("metric", METRICS)
def test_faiss_reads_our_files_and_finds_the_same(folder, metric):
    _, queries, _ = arrays(folder)
    jobs = [{"name": f"w{i}", "factory": f, "metric": metric, "k": 10, "save": f"ours{i}.faiss"} for i, f in enumerate(FACTORIES)]
    for factory, job, (scores, found) in zip(FACTORIES, jobs, search(folder, jobs), strict=True):
        index = faiss.read_index(str(folder / job["save"]))
        assert index.ntotal == 4000 and index.d == 64, factory
        peer_scores, peer_found = index.search(queries, 10)
        np.testing.assert_allclose(scores, peer_scores, atol=2e-5, err_msg=factory)
        assert agree(found, scores, peer_found), factory


@pytest.mark.parametrize("metric", METRICS)
def test_we_read_faiss_files_and_find_the_same(folder, metric):
    base, queries, ids = arrays(folder)
    jobs, peers = [], []
    for i, factory in enumerate(FACTORIES):
        index = faiss.index_factory(64, factory, METRICS[metric])
        index.train(base)
        if factory.startswith("IVF"):
            index.add_with_ids(base, ids)
        else:
            index.add(base)
        faiss.write_index(index, str(folder / f"theirs{i}.faiss"))
        peers.append(index.search(queries, 10))
        jobs.append({"name": f"r{i}", "load": f"theirs{i}.faiss", "k": 10})
        if factory == "Flat" or factory.startswith("IVF"):
            jobs.append({"name": f"m{i}", "load": f"theirs{i}.faiss", "k": 10, "memory_mapped": True})
            peers.append(peers[-1])
    for job, (scores, found), (peer_scores, peer_found) in zip(jobs, search(folder, jobs), peers, strict=True):
        np.testing.assert_allclose(scores, peer_scores, atol=2e-5, err_msg=str(job))
        assert agree(found, scores, peer_found), job


def test_a_graph_is_as_good_as_faiss_own(folder):
    """Recall of the exact neighbours, with the same efSearch."""
    base, queries, ids = arrays(folder)
    ((_, found),) = search(folder, [{"name": "graph", "factory": "HNSW16", "metric": "l2", "parameters": "efSearch=64", "k": 10}])
    peer = faiss.IndexHNSWFlat(64, 16)
    peer.hnsw.efSearch = 64
    peer.add(base)
    _, peer_found = peer.search(queries, 10)
    order = np.argsort(((queries[:, None] - base[None]) ** 2).sum(-1), axis=1, kind="stable")[:, :10]
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found, ids[order], strict=True)])
    peer_recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(peer_found, order, strict=True)])
    assert recall > peer_recall - 0.01 and recall > 0.95
