# SPDX-License-Identifier: Apache-2.0
"""Files as the programs that are replaced write them, made from the rules of their formats: an archive of embeddings, searches in it
(one file a query, aggregates, rows for Redis), and the labels of the photos."""

import numpy as np

from files import write_json

DIRECTIONS = {  # key: (option, role of the queries, role of what is searched)
    "reference2db": ("reference-data", "reference", "data"),
    "db2reference": ("data-reference", "data", "reference"),
    "reference2reference": ("reference-reference", "reference", "reference"),
    "db2db": ("data-data", "data", "data"),
}
LOAD = {"find": 1.0, "load": 2.0, "normalize": 0.5, "total": 3.5}


def photo_name(capture, frame):
    return f"{capture}_{frame:05d}.jpg"


def vector_name(capture, frame, variant="raw", cfg="res1024", hub="dinov3_vits16"):
    return f"GlobalToken_{cfg}_{variant}_{hub}_LVD_{capture}_{frame:04d}"


def archive(root, capture, vectors, *, variant="raw", alias="vits16", dataset="set", image=True, config=None):
    """Global vectors of frames 1, 2, ... with their meta files; returns what a search says of each."""
    folder = root / dataset / alias / capture / "GlobalToken"
    folder.mkdir(parents=True, exist_ok=True)
    places = []
    for frame, vector in enumerate(vectors, 1):
        stem = folder / vector_name(capture, frame, variant)
        np.save(f"{stem}.npy", vector.astype(np.float32))
        picture = f"/photos/{capture}/{photo_name(capture, frame)}" if image else None
        write_json(f"{stem}_meta.json", {
            **({"image": picture} if image else {}),
            "config": {"embedding_cfg": "res1024", "variant": variant, "experiment_variant": variant, "variant_label": variant,
                       "variant_params": {}, "weight_id": alias, "dataset_type": "query", "altitude": 300, "index": frame,
                       "prefix": "GlobalToken", "target_res": 1024, "rotations": None, "aggregation": None, **(config or {})},
            "files": {"vector": {"path": f"{stem}.npy", "size_bytes": (folder / f"{stem}.npy").stat().st_size}},
            "timing_ms": {"global_forward": 20.0 + frame, "patch_forward": 0.0, "postprocess": 0.25, "pipeline_total": 21.0 + frame}})
        places.append({"vector": f"{stem}.npy", "meta": f"{stem}_meta.json", "image": picture})
    return places


def ranking(queries, base, k):
    """Numbers of the best by inner product of unit vectors, and their scores."""
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (queries, base)]
    scores = unit[0] @ unit[1].T
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return best, np.take_along_axis(scores, best, axis=1)


def stem_of(place):
    return place["vector"].rsplit("/", 1)[1].removesuffix(".npy")


class Search:
    """One search as their programs write it."""

    def __init__(self, queries, base, direction="reference2db", k=10, alias="vits16", mode="raw"):
        """`queries` and `base`: (places of `archive`, vectors)."""
        self.queries, self.base, self.direction, self.alias, self.mode = queries[0], base[0], direction, alias, mode
        self.k, self.dim = min(k, len(self.base)), base[1].shape[1]
        self.best, self.scores = ranking(queries[1], base[1], self.k)

    def hits(self, q):
        return [{"rank": rank, "score": float(score), **self.base[i]}
                for rank, (i, score) in enumerate(zip(self.best[q], self.scores[q]), 1)]

    def result(self, q):
        return {"weight": self.alias, "mode": self.mode, "direction": self.direction, "k": self.k, "index_count": len(self.base),
                "search_count": len(self.queries), "search": self.queries[q], "hits": self.hits(q),
                "timing_ms": {"search": 0.125, "index_load": LOAD, "search_load": LOAD}}

    def row(self, q):
        embed = 22.0 + q
        return {"encoder": self.alias, "backend": "faiss-cpu", "dim": self.dim, "metric": "ip", "topk": self.k,
                "timing_ms": {"embed": embed, "search": 0.125, "total": embed + 0.125},
                "results": [{"rank": hit["rank"], "path": hit["vector"],
                             "filename": (hit["image"] or hit["vector"]).rsplit("/", 1)[1], "score": hit["score"]}
                            for hit in self.hits(q)],
                "index_build_ms": 3.0}

    def write_results(self, out):
        """<out>/<alias>_<mode>/<vector file>_top<k>.json"""
        return self._write(out / f"{self.alias}_{self.mode}", "_top{k}.json", self.result)

    def write_rows(self, out):
        """<out>/<alias>_<mode>_<direction key>/<vector file>_<direction key>_top<k>_redis.json"""
        return self._write(out / f"{self.alias}_{self.mode}_{self.direction}", f"_{self.direction}_top{{k}}_redis.json", self.row)

    def _write(self, folder, ending, content):
        folder.mkdir(parents=True, exist_ok=True)
        for q, place in enumerate(self.queries):
            write_json(folder / (stem_of(place) + ending.format(k=self.k)), content(q))
        return folder

    def write_aggregate(self, out):
        """<out>/<alias>_<mode>_<direction option>_top<k>.json"""
        option, query_role, base_role = DIRECTIONS[self.direction]
        out.mkdir(parents=True, exist_ok=True)
        return write_json(out / f"{self.alias}_{self.mode}_{option}_top{self.k}.json", {
            "weight": self.alias, "mode": self.mode, "direction": self.direction, "k": self.k,
            "index": {"role": base_role, "root": "/embeddings/data", "count": len(self.base)},
            "search": {"role": query_role, "root": "/embeddings/references", "count": len(self.queries)},
            "timing_ms": {"index_load": LOAD, "search_load": LOAD, "index_build": 3.0,
                          "total_search": 0.125 * len(self.queries), "avg_search": 0.125},
            "results": [{"search": self.queries[q], "hits": self.hits(q), "timing_ms": {"search": 0.125}}
                        for q in range(len(self.queries))]})


def positions(rng, capture, count):
    """Some hundred metres of ground; x and y say something else than latitude and longitude, as local systems do."""
    return {photo_name(capture, i): {"latitude": 36 + rng.uniform(0, 0.005), "longitude": 127 + rng.uniform(0, 0.005),
                                     "x": rng.uniform(0, 500), "y": rng.uniform(0, 500)} for i in range(1, count + 1)}


def write_annotation(path, places):
    return write_json(path, {"images": [{"imageref": name, "position": {"z": 0, "altitude": 300, "yaw": 0, **at}}
                                        for name, at in places.items()]})


def write_label_index(path, places):
    return write_json(path, {name: {"lat": at["latitude"], "lon": at["longitude"], "x": at["x"], "y": at["y"]}
                             for name, at in places.items()})
