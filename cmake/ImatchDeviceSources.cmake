# What runs on a GPU beside the room nn/, and what that needs: sources under core/ that use LibTorch and fmt alone.
# -DIMATCH_GPU_CHECK=ON compiles nn/ and these and nothing else; the ordinary build links the same objects into the same
# program, so that it stays so.
set(IMATCH_DEVICE_SOURCES
  base/cpu_guard.cpp base/device.cpp base/saved_time.cpp base/stop.cpp
  io/plain_value.cpp io/state_dict.cpp
  match/maxima.cpp match/nearest.cpp match/token_selection.cpp
  index/exact_index.cpp index/fingerprint.cpp index/vectors.cpp
  raster/rasterize.cpp raster/rasterize_by_torch.cpp raster/screen_triangles.cpp
  train/adam.cpp train/autocast.cpp pointmap/loss.cpp)
