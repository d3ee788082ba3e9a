// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <lua.hpp>

namespace imatch::host {

/// serve_notebook(request_fd, reply_fd): evaluates the cells of a notebook until the end of the requests.
/// A request is a line of JSON, and so is each reply:
///   {"execute": CODE}                    -> {"ok": true, "data": {MIME: TEXT} or null}, or {"ok": false,
///   "error": TEXT}
///                                           with "interrupted": true after Ctrl-C. Before it any number of
///                                           {"display": {MIME: TEXT}} for pictures that the code shows.
///   {"complete": TEXT up to the cursor}  -> {"start": BYTES, "words": [TEXT]}
///   {"inspect": NAME}                    -> {"text": TEXT or null}
///   {"is_complete": CODE}                -> {"status": "complete", "incomplete" or "invalid"}
/// What code prints goes to standard output as ever.
int serve_notebook(lua_State* L);

/// png_base64(image) -> the picture as notebooks take it.
int png_base64(lua_State* L);

}  // namespace imatch::host
