// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/field.h"

namespace imatch {

struct AnomalyDataOptions {
  std::string layout = "auto";
  std::string normal_dir = "good";
  std::string abnormal_dir = "";
  std::string mask_dir = "";

  static constexpr std::string_view kLayouts[] = {"auto", "flat", "good", "mvtec", "folder"};
  using Self = AnomalyDataOptions;
  static constexpr auto fields = std::tuple{
      field("layout", &Self::layout, one_of(kLayouts),
            "'flat': all pictures are normal. 'good': those in good/. 'mvtec': train/good, test/KIND and "
            "ground_truth/KIND/NAME_mask.png. 'folder': `normal_dir`, `abnormal_dir` and `mask_dir`. 'auto': "
            "'folder' when "
            "`abnormal_dir` is given, else 'mvtec' or 'good' where their folders are, else 'flat'."),
      field("normal_dir", &Self::normal_dir, anything(), "For 'folder', below the data folder."),
      field("abnormal_dir", &Self::abnormal_dir, anything(),
            "For 'folder', likewise; a folder below it is a kind of defect."),
      field("mask_dir", &Self::mask_dir, anything(),
            "For 'folder', likewise: masks with the names of the abnormal pictures, whatever their ending.")};
};

struct AnomalySample {
  std::string path;
  std::string kind = "good";  ///< Of defect; "good": normal.
  std::string mask;           ///< Its mask, other than 0 where it is anomalous; "": none.
  bool anomalous() const { return kind != "good"; }
};

/// Which pictures there are to train with and to test on.
struct AnomalyData {
  std::string layout;                ///< What 'auto' found.
  std::vector<AnomalySample> train;  ///< Normal ones only.
  std::vector<AnomalySample> test;   ///< Of MVTec's layout its test folder, of Folder's the abnormal ones.
};

/// Sorted by path. Pictures are png, jpg, jpeg, tif, tiff, webp and bmp, in any case of letters. Throws
/// Failure (not_found) for a missing folder, Failure (no_result) when there is no normal picture to train
/// with.
AnomalyData list_anomaly_data(const std::string& folder, const AnomalyDataOptions& options = {});

/// Paths of the pictures in a folder, by name. Throws Failure (not_found, unreadable).
std::vector<std::string> pictures_in(const std::string& folder);

}  // namespace imatch
