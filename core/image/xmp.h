// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imatch {

/// The simple properties of an XMP packet, whether written as attributes of rdf:Description or as elements,
/// and those of structures ("CameraOrientationNED/Yaw"). A packet that is not XML has none.
class XmpProperties {
 public:
  explicit XmpProperties(const std::string& packet);

  /// The first property of that path whose namespace has `space` in its address or as its prefix ("" : any),
  /// in small letters: find("dji", "RelativeAltitude").
  const std::string* find(std::string_view space, std::string_view path) const;
  /// The same as a number: "+80.30", "-89.5", "35/10", with blanks around it. Nothing for anything else.
  std::optional<double> number(std::string_view space, std::string_view path) const;

 private:
  struct Property {
    std::string prefix, address, path, value;
  };
  std::vector<Property> properties_;
};

}  // namespace imatch
