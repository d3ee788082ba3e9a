// SPDX-License-Identifier: Apache-2.0
//
// Thousands of damaged files, the same in every run: each is read, or refused by a Failure.
#include <sys/resource.h>

#include <ATen/ops/sum.h>

#include <random>
#include "catch.h"

#include "base/error.h"
#include "base/file.h"
#include "io/csv.h"
#include "io/json_file.h"
#include "io/npy.h"
#include "io/npz.h"
#include "io/safetensors.h"
#include "io/samples.h"
#include "io/torch_file.h"
#include "scratch.h"

namespace imatch {
namespace {

/// Damages `bytes` in one to four places by flips, numbers at the limits, cuts, repeats and swaps.
std::string mutated(std::string bytes, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  constexpr std::uint64_t kNumbers[] = {0,          1,          0x7f,       0xff, 0x7fffffff,
                                        0xffffffff, 1ULL << 62, 1ULL << 63, ~0ULL};
  const std::size_t places = 1 + below(4);
  for (std::size_t i = 0; i < places && !bytes.empty(); ++i) {
    const std::size_t at = below(bytes.size());
    switch (random() % 6) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2: {
        const std::uint64_t number = kNumbers[below(std::size(kNumbers))];
        const std::size_t size = std::min<std::size_t>(std::size_t{1} << below(4), bytes.size() - at);
        bytes.replace(at, size, reinterpret_cast<const char*>(&number), size);
        break;
      }
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(40)));
        break;
      case 5:
        bytes.erase(at, 1 + below(16));
        break;
    }
  }
  return bytes;
}

/// Reads every element: one outside of its buffer would crash, or be seen by a sanitizer.
void touch(const StateDict& state) {
  for (const auto& [name, tensor] : state)
    if (tensor.numel() < 1'000'000) tensor.sum(at::kDouble).item();
}

template <class Read>
void survive(const std::string& seed, int rounds, const Read& read) {
  std::mt19937 random(20260101);
  read(seed);
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::string bytes = mutated(seed, random);
    try {
      read(bytes);
    } catch (const Failure&) {
      ++refused;
    }
  }
  CHECK(refused > rounds / 10);
}

/// A buffer of exactly the size, without std::string's terminating zero.
ByteRange exact(const std::string& bytes) {
  auto owner = std::make_shared<std::vector<std::byte>>(bytes.size());
  std::transform(bytes.begin(), bytes.end(), owner->begin(),
                 [](char c) { return static_cast<std::byte>(c); });
  const std::span<std::byte> view(*owner);
  return {owner, view};
}

TEST_CASE("damaged files of torch.save are refused, or read without harm") {
  const std::string file =
      GENERATE("checkpoint_zip.pth", "checkpoint_legacy.pth", "checkpoint_zip_protocol5.pth");
  INFO(file);
  rusage before;
  getrusage(RUSAGE_SELF, &before);
  survive(read_file(kSamples + file), 4000, [](const std::string& bytes) {
    touch(state_dict_of(load_torch_bytes(exact(bytes), "w.pth"), "w.pth"));
  });
  rusage after;
  getrusage(RUSAGE_SELF, &after);
  CHECK(after.ru_maxrss - before.ru_maxrss < 700 * 1024);  // KiB
}

TEST_CASE("damaged safetensors, npy and npz files are refused, or read without harm") {
  survive(read_file(kSamples + "dtypes.safetensors"), 4000,
          [](const std::string& bytes) { touch(parse_safetensors(exact(bytes), "w.safetensors").tensors); });
  for (const char* file : {"matrix.npy", "fortran.npy"})
    survive(read_file(kSamples + file), 3000, [](const std::string& bytes) {
      const at::Tensor tensor = parse_npy(exact(bytes), "a.npy");
      if (tensor.numel() < 1'000'000) tensor.sum(at::kDouble).item();
    });
  testing::Scratch scratch;
  survive(read_file(kSamples + "arrays.npz"), 1000, [&](const std::string& bytes) {
    write_file_atomically(scratch / "a.npz", bytes, /*durable=*/false);
    touch(read_npz(scratch / "a.npz"));
  });
}

TEST_CASE("damaged CSV and JSON texts are refused, or read without harm") {
  survive("a,b\n1,\"x,\"\"y\"\"\nz\"\n3,4\r\n", 3000,
          [](const std::string& text) { parse_csv(text, "t.csv"); });
  survive(R"({"a": [1, 2.5e3, null, true], "b": {"c": "\u00e9"}})", 3000,
          [](const std::string& text) { parse_json(text, "t.json"); });
}

}  // namespace
}  // namespace imatch
