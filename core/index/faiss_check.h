// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace imatch {

/// Walks through the bytes of a FAISS file as FAISS 1.7.3 would, which believes what it reads, and throws
/// Failure (bad_format) for what would lead it, or a search later on, out of its memory: sizes against the
/// length of the file and against one another, sizes of codes, ids of lists, links of graphs, enumerations,
/// flags. Known are Flat, PQ, SQ, PQ fast scan and graphs (HNSW, NSG) of these, IVF of Flat, SQ, PQ and PQ
/// fast scan, PCA, OPQ, rotations and other linear transforms before them, refinement, id maps. Other kinds,
/// indexes that are not trained, lists in other files and what FAISS wrote before 2018 are refused.
/// `name` begins the messages.
void check_faiss_file(std::span<const std::byte> bytes, const std::string& name);

}  // namespace imatch
