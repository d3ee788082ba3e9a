// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "backbone/working_frame.h"
#include "base/options.h"
#include "image/normalize.h"

namespace imatch {

/// What preprocessor_config.json of a folder of transformers asks for.
struct HfPreprocessor {
  ProcessorSteps steps;
  std::string interpolation;
  std::string arithmetic;  ///< "float" for DINOv3ViTImageProcessor, "uint8" for BitImageProcessor (DINOv2).
  Normalization normalization;
};

/// The entries of such a file: image_processor_type, size, resample, crop_size, rescale_factor, image_mean,
/// image_std and the switches do_*; what is missing is as those classes have it by default. DINOv3's rescales
/// first and resizes floats with antialiasing as PyTorch does; DINOv2's resizes 8 bits as Pillow does, then
/// crops the middle. `shorter_px`: in place of the size in the file; 0: that. Throws Failure (bad_format) for
/// another class, an entry that is not understood, and one of another type or value, naming it.
HfPreprocessor parse_hf_preprocessor(const Json& config, const std::string& name, int shorter_px);

/// Reads preprocessor_config.json of the folder. Throws Failure: not_found; as parse_hf_preprocessor.
HfPreprocessor read_hf_preprocessor(const std::string& folder, int shorter_px);

}  // namespace imatch
