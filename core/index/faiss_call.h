// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <faiss/impl/FaissException.h>
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/stop.h"

namespace imatch {

/// FAISS asks it now and then whether to go on.
void let_faiss_be_stopped();

/// Runs FAISS and turns what it throws into an error of ours, which begins with `what`. Long work ends when a
/// stop is asked for.
template <class Work>
auto call_faiss(std::string_view what, Work work) {
  let_faiss_be_stopped();
  try {
    return work();
  } catch (const faiss::FaissException& e) {
    check_stop();
    const std::string& text = e.msg;
    const auto reason = text.rfind("Error: ");  // behind the name of FAISS's function
    throw Error(
        fmt::format("{}: FAISS: {}", what, reason == std::string::npos ? text : text.substr(reason + 7)));
  }
}

}  // namespace imatch
