// SPDX-License-Identifier: Apache-2.0
// Result files of each kind, and what the names in them tell of images.
#include <cstdlib>

#include "fuzz/target.h"
#include "retrieval/image_name.h"
#include "retrieval/search_result.h"

using namespace imatch;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::File file(data, size);
  fuzz::attempt([&] {
    const SearchResults results = read_results({file.path()});
    for (const RetrievedQuery& query : results.queries) {
      if (query.references.size() != query.scores.size()) std::abort();
      for (const std::int64_t reference : query.references)
        image_in_vector_name(results.references.at(reference));
    }
  });
  const std::string text = fuzz::text(data, size), frame = frame_name(text);
  if (frame_name(frame).size() > frame.size()) std::abort();
  image_in_vector_name(text);
  return 0;
}
