// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace imatch::pickle {

/// What torch.save writes, of protocols 2 to 5.
enum class Opcode : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kFloat = 'G',
  kInt32 = 'J',
  kInt8 = 'K',
  kInt16 = 'M',
  kNone = 'N',
  kPersistentId = 'Q',
  kReduce = 'R',
  kString32 = 'T',
  kString8 = 'U',
  kText32 = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kAppends = 'e',
  kGet8 = 'h',
  kInstance = 'i',
  kGet32 = 'j',
  kList = 'l',
  kPut8 = 'q',
  kPut32 = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kEmptyList = ']',
  kEmptyTuple = ')',
  kBytes32 = 'B',
  kBytes8 = 'C',
  kProtocol = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTrue = 0x88,
  kFalse = 0x89,
  kLong8 = 0x8a,
  kLong32 = 0x8b,
  kText8 = 0x8c,
  kText64 = 0x8d,
  kBytes64 = 0x8e,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
};

}  // namespace imatch::pickle
