# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium, headless, over the DevTools protocol: opens a page, evaluates expressions, lists what it requested."""

import base64
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Chromium:
    """`with Chromium() as browser: browser.open(url); browser.evaluate("document.title")`."""

    def __init__(self, width=1280, height=1600):
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        command = [
            PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
            "--disable-background-networking",
            "--disable-component-update", "--no-first-run", "--hide-scrollbars", "--remote-debugging-port=0",
            f"--user-data-dir={self._profile.name}", f"--window-size={width},{height}", "about:blank",
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._next_id = 0
        self.requests = []
        self.problems = []
        port = self._port()
        pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=30))
        self._connect(port, next(p for p in pages if p["type"] == "page")["webSocketDebuggerUrl"])
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def _port(self):
        file = pathlib.Path(self._profile.name, "DevToolsActivePort")
        for _ in range(600):
            if file.exists() and file.read_text().strip():
                return int(file.read_text().split()[0])
            time.sleep(0.1)
        raise RuntimeError("Chromium did not start")

    def _connect(self, port, url):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=120)
        key = base64.b64encode(os.urandom(16)).decode()
        path = url.split(str(port), 1)[1]
        self._socket.sendall((
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self._stream = self._socket.makefile("rb")
        while self._stream.readline() not in (b"\r\n", b""):
            pass

    def _send(self, text):
        data, mask = text.encode(), os.urandom(4)
        size = len(data)
        head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else (
            struct.pack("!BBH", 0x81, 0xFE, size) if size < 65536 else struct.pack("!BBQ", 0x81, 0xFF, size))
        self._socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def _receive(self):
        text = b""
        while True:
            first, second = self._stream.read(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack("!H", self._stream.read(2))[0]
            elif size == 127:
                size = struct.unpack("!Q", self._stream.read(8))[0]
            text += self._stream.read(size)
            if first & 0x80:
                return json.loads(text)

    def _note(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.problems.append(params["entry"]["text"])

    def call(self, method, **params):
        self._next_id += 1
        self._send(json.dumps({"id": self._next_id, "method": method, "params": params}))
        while True:
            message = self._receive()
            if message.get("id") == self._next_id:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._note(message)

    def evaluate(self, expression):
        """The value of a JavaScript expression; promises are awaited. A page that loads itself anew meanwhile is asked again."""
        for is_last in (False, False, True):
            try:
                result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
                break
            except RuntimeError as error:
                if is_last or "navigated" not in str(error):
                    raise
        if "exceptionDetails" in result:
            raise RuntimeError(str(result["exceptionDetails"].get("exception", {}).get("description")))
        return result["result"].get("value")

    def open(self, path, until="document.readyState === 'complete'", limit_s=60):
        """Opens a file and waits until the expression is true; returns the seconds that took."""
        start = time.monotonic()
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        while time.monotonic() - start < limit_s:
            if self.evaluate(f"(() => {{ try {{ return Boolean({until}); }} catch {{ return false; }} }})()"):
                return time.monotonic() - start
            time.sleep(0.02)
        raise RuntimeError(f"{path}: not true after {limit_s} s: {until}; problems: {self.problems}")

    def prefer_scheme(self, scheme):
        """`light`, `dark`, or an empty text for the system's."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def resize(self, width, height):
        """The size of the window in pixels; 0, 0: as it was opened."""
        if width == 0:
            self.call("Emulation.clearDeviceMetricsOverride")
        else:
            self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def mouse(self, kind, x, y, **more):
        """mouseMoved, mousePressed, mouseReleased or mouseWheel at a point of the window."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def wait(self, until, limit_s=30):
        """Waits until the expression is true."""
        start = time.monotonic()
        while not self.evaluate(f"(() => {{ try {{ return Boolean({until}); }} catch {{ return false; }} }})()"):
            if time.monotonic() - start > limit_s:
                raise RuntimeError(f"not true after {limit_s} s: {until}; problems: {self.problems}")
            time.sleep(0.05)

    def drag(self, start, end):
        """The mouse, its left button held, from one place of the page to another."""
        self.mouse("mouseMoved", *start)
        self.mouse("mousePressed", *start, button="left", buttons=1, clickCount=1)
        self.mouse("mouseMoved", *end, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))

    def close(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
