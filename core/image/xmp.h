// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace imatch {

/// The simple properties of an XMP packet by local name ("RelativeAltitude", whatever its prefix), whether
/// written as attributes of rdf:Description or as elements; the first one wins. A packet that is not XML
/// gives none.
std::map<std::string, std::string> xmp_properties(const std::string& packet);

}  // namespace imatch
