// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "io/mapped_file.h"

namespace imatch {

/// The JSON of a glTF 2.0 file with its buffers: .glb, or .gltf with data URIs or files beside it. Every
/// refusal is a Failure (bad_format) that names the file.
/// https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html
class GltfFile {
 public:
  /// Throws Failure: not_found, not_a_file, unreadable, bad_format; a URI that leads out of the file's
  /// folder.
  explicit GltfFile(const std::string& path);
  /// The same over bytes in memory, without files beside them; `name` begins the error messages.
  GltfFile(ByteRange bytes, const std::string& name);

  const Json& json() const { return json_; }
  const std::string& name() const { return name_; }

  /// The list of that name at the top, empty where there is none.
  const Json& list(const char* what) const;
  /// An item of such a list; `index` may be any JSON value.
  const Json& item(const char* what, const Json& index) const;

  /// The numbers of an accessor, `width` an element, integers as they are or, where it says so, normalised to
  /// [0, 1] or [-1, 1]. `type` is "SCALAR", "VEC2" ... or "" for whatever it is.
  struct Numbers {
    std::vector<double> values;
    std::size_t width = 1;
    std::size_t count = 0;
    std::string type;
  };
  Numbers accessor(const Json& index, std::string_view type = "") const;

  /// Bytes of an image that is embedded, or lies beside the file; `index` into "images".
  std::string image_bytes(const Json& index) const;

  [[noreturn]] void fail(const std::string& what) const;

 private:
  void read(const ByteRange& bytes);
  ByteRange resource(const std::string& uri) const;
  ByteRange buffer(const Json& index) const;
  ByteRange view_bytes(const Json& index) const;
  void add_sparse(const Json& sparse, Numbers& numbers, int component, bool normalised) const;

  std::string name_;
  std::string folder_;  ///< Where files beside it are looked for; empty: nowhere.
  Json json_;
  ByteRange chunk_;                                                  ///< The binary chunk of a .glb.
  mutable std::vector<std::pair<std::int64_t, ByteRange>> buffers_;  ///< Those that were opened.
};

/// A member of a JSON object as an integer, `otherwise` where it is absent. Throws Failure through `file`.
std::int64_t gltf_integer(const GltfFile& file, const Json& object, const char* name, std::int64_t otherwise);

/// The name of an object, empty where it has none.
std::string gltf_name(const Json& object);

}  // namespace imatch
