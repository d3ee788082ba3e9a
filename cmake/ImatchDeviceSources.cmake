# What runs on a GPU, and what that needs: sources under core/ that use LibTorch and fmt alone. -DIMATCH_GPU_CHECK=ON
# compiles these and nothing else; the ordinary build links the same list into the same program, so that it stays so.
set(IMATCH_DEVICE_SOURCES
  base/cpu_guard.cpp base/device.cpp base/linear_layer.cpp base/stop.cpp
  io/plain_value.cpp io/state_dict.cpp
  backbone/attention.cpp backbone/convnext.cpp backbone/device_batches.cpp backbone/efficientnet_lite_network.cpp backbone/resnet_network.cpp
  backbone/same_conv.cpp backbone/vision_transformer.cpp backbone/vision_transformer_positions.cpp
  backbone/weights_checkpoint.cpp
  match/maxima.cpp match/nearest.cpp match/pair_memory.cpp match/selection.cpp
  index/exact_index.cpp index/fingerprint.cpp index/vectors.cpp)
