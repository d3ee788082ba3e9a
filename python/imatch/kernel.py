# SPDX-License-Identifier: Apache-2.0
"""A Jupyter kernel over the program's interactive session: `imatch-lua kernel` installs it.

Each cell goes to one `imatch-lua` process as a line of JSON over a pipe (host/notebook.h has the requests and replies). What
the code prints is streamed while it runs, pictures and tables are shown, and interrupting the kernel stops the cell, not the
session.
"""

import codecs
import json
import os
import selectors
import signal
import subprocess

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

from . import program

START = "require('imatch.native').internal.serve_notebook({requests}, {replies})"


class LuaSession:
    """The process, and the pipes to it. All in one thread: what was printed before a reply is handed on before it."""

    def __init__(self, on_text):
        request_end, self._requests = os.pipe()
        self._replies, reply_end = os.pipe()
        self._process = subprocess.Popen(
            [program(), "--quiet", "-e", START.format(requests=request_end, replies=reply_end)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(request_end, reply_end), start_new_session=True)
        os.close(request_end)
        os.close(reply_end)
        self._on_text, self._rest = on_text, b""
        self._decoders = {name: codecs.getincrementaldecoder("utf-8")("replace") for name in ("stdout", "stderr")}
        self._selector = selectors.DefaultSelector()
        for name, end in (("reply", self._replies), ("stdout", self._process.stdout), ("stderr", self._process.stderr)):
            self._selector.register(end, selectors.EVENT_READ, name)

    def _read(self, timeout):
        """Hands on what has been printed and takes in replies; False when there was nothing."""
        ready = self._selector.select(timeout)
        for key, _ in ready:
            data = os.read(key.fd, 1 << 16)
            if not data:
                self._selector.unregister(key.fileobj)
                if key.data == "reply":
                    raise EOFError(f"imatch-lua has ended with exit status {self._process.wait()}")
            elif key.data == "reply":
                self._rest += data
            else:
                self._on_text(key.data, self._decoders[key.data].decode(data))
        return bool(ready)

    def send(self, request):
        os.write(self._requests, json.dumps(request).encode() + b"\n")

    def replies(self):
        """The replies to a request, the last one included."""
        while True:
            while b"\n" not in self._rest:
                self._read(None)
            line, self._rest = self._rest.split(b"\n", 1)
            reply = json.loads(line)
            while "display" not in reply and self._read(0):
                pass
            yield reply
            if "display" not in reply:
                return

    def interrupt(self):
        self._process.send_signal(signal.SIGINT)

    def close(self):
        os.close(self._requests)
        self._process.wait()


class LuaKernel(Kernel):
    implementation = "imatch-lua"
    implementation_version = "1"
    language_info = {"name": "lua", "mimetype": "text/x-lua", "file_extension": ".lua", "pygments_lexer": "lua"}
    banner = "imatch-lua: 'im' is the library"

    def __init__(self, **options):
        super().__init__(**options)
        self._session = LuaSession(self._text)

    def _text(self, name, text):
        self.send_response(self.iopub_socket, "stream", {"name": name, "text": text})

    def _answer(self):
        for reply in self._session.replies():
            if "display" not in reply:
                return reply
            self.send_response(self.iopub_socket, "display_data", {"data": reply["display"], "metadata": {}})
        return {}

    def _ask(self, request):
        self._session.send(request)
        return self._answer()

    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **_):
        if code.strip().startswith("?"):
            text = self._ask({"inspect": code.strip()[1:]}).get("text") or f"no documentation for '{code.strip()[1:]}'"
            reply = {"ok": True, "data": {"text/plain": text}}
        else:
            try:
                reply = self._ask({"execute": code})
            except KeyboardInterrupt:  # the signal came to this process: it is the cell's
                self._session.interrupt()
                reply = self._answer()
            except EOFError as ended:
                self._session = LuaSession(self._text)
                reply = {"ok": False, "error": f"{ended}; a new one has been started, and all variables are gone"}
        if not reply.get("ok"):
            message = reply.get("error", "")
            name = "interrupted" if reply.get("interrupted") else "error"
            error = {"ename": name, "evalue": message.split("\n")[0], "traceback": message.split("\n")}
            if not silent:
                self.send_response(self.iopub_socket, "error", error)
            return {"status": "error", "execution_count": self.execution_count, **error}
        if reply.get("data") and not silent:
            self.send_response(self.iopub_socket, "execute_result",
                               {"execution_count": self.execution_count, "data": reply["data"], "metadata": {}})
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}

    def do_complete(self, code, cursor_pos):
        before = code[:cursor_pos]
        reply = self._ask({"complete": before})
        start = len(before.encode()[:reply["start"]].decode("utf-8", "replace"))  # the program counts bytes
        return {"status": "ok", "matches": reply["words"], "cursor_start": start, "cursor_end": cursor_pos, "metadata": {}}

    def do_inspect(self, code, cursor_pos, detail_level=0, omit_sections=()):
        end = cursor_pos
        while end < len(code) and (code[end].isalnum() or code[end] in "_.:"):
            end += 1
        start = end
        while start > 0 and (code[start - 1].isalnum() or code[start - 1] in "_.:"):
            start -= 1
        text = self._ask({"inspect": code[start:end]}).get("text")
        return {"status": "ok", "found": bool(text), "data": {"text/plain": text} if text else {}, "metadata": {}}

    def do_is_complete(self, code):
        status = self._ask({"is_complete": code})["status"]
        return {"status": status, **({"indent": "  "} if status == "incomplete" else {})}

    def do_shutdown(self, restart):
        self._session.close()
        return {"status": "ok", "restart": restart}


def main():
    IPKernelApp.launch_instance(kernel_class=LuaKernel)


if __name__ == "__main__":
    main()
