# What runs on a GPU beside the rooms cuda/ and nn/, and what that needs: sources under core/ that use LibTorch and fmt alone.
# -DIMATCH_GPU_CHECK=ON compiles those rooms and these and nothing else; the ordinary build links the same objects into the same
# program, so that it stays so.
set(IMATCH_DEVICE_SOURCES
  base/cpu_guard.cpp base/device.cpp base/file.cpp base/file_writer.cpp base/job.cpp base/saved_time.cpp base/stop.cpp
  io/plain_value.cpp io/state_dict.cpp
  match/kept_tokens.cpp match/maxima.cpp match/nearest.cpp match/token_selection.cpp
  index/coreset.cpp index/exact_index.cpp index/farthest_first.cpp index/fingerprint.cpp index/four_distances.cpp
  index/vectors.cpp
  raster/rasterize.cpp raster/rasterize_by_torch.cpp raster/screen_triangles.cpp
  train/adam.cpp train/autocast.cpp pointmap/loss.cpp)
