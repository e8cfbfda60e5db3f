"""A headless Chromium, driven over a pipe by the DevTools protocol."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from contextlib import contextmanager

NAMES = ("chromium", "chromium-browser", "google-chrome")
_TIMEOUT = 60  # seconds that any answer may take
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
)


def find_chromium():
    """The program: what the variable CHROMIUM names, or the first on the path; None if there is none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium(profile):
    """A running browser, with a new profile in the folder."""
    # The browser reads commands from its file 3 and answers on its file 4.
    ours_in, theirs_out = os.pipe()
    theirs_in, ours_out = os.pipe()
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    script = f'exec "$0" "$@" 3<&{theirs_in} 4>&{theirs_out}'
    program = ["bash", "-c", script, find_chromium(), *_OPTIONS, *as_root]
    process = subprocess.Popen(
        [*program, f"--user-data-dir={profile}", "about:blank"],
        pass_fds=(theirs_in, theirs_out),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs_in)
    os.close(theirs_out)
    try:
        yield Browser(ours_in, ours_out)
    finally:
        os.close(ours_out)
        process.terminate()
        process.wait(timeout=_TIMEOUT)
        os.close(ours_in)


class Browser:
    """Commands to a browser, and what it said meanwhile."""

    def __init__(self, reads, writes):
        self.reads, self.writes = reads, writes
        self.buffer, self.n_sent = b"", 0
        self.events = []

    def send(self, method, session=None, **params):
        """The result of a command."""
        self.n_sent += 1
        message = {"id": self.n_sent, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.writes, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == self.n_sent:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method, session):
        """Wait until the browser has said so."""
        while not any(
            e.get("method") == method and e["sessionId"] == session for e in self.events
        ):
            self.events.append(self._next())

    def _next(self):
        deadline = time.monotonic() + _TIMEOUT
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.reads], [], [], deadline - time.monotonic())
            chunk = os.read(self.reads, 2**20) if ready else b""
            if not chunk:
                raise TimeoutError("the browser does not answer")
            self.buffer += chunk
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)


class Page:
    """An open page."""

    def __init__(self, browser, path, *, scheme="light", width=1200, script=True):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", features=[feature])
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)
        self.send("Page.bringToFront")
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self.send("Page.navigate", url=path.as_uri())
        browser.wait_for("Page.loadEventFired", self.session)

    def send(self, method, **params):
        """The result of a command to this page."""
        return self.browser.send(method, self.session, **params)

    def events(self, *methods):
        """What the browser said of this page."""
        ours = (e for e in self.browser.events if e.get("sessionId") == self.session)
        return [e["params"] for e in ours if e["method"] in methods]

    def evaluate(self, expression):
        """The value of an expression of JavaScript."""
        how = {"awaitPromise": True, "returnByValue": True}
        found = self.send("Runtime.evaluate", expression=expression, **how)
        if "exceptionDetails" in found:
            raise RuntimeError(found["exceptionDetails"]["exception"]["description"])
        return found["result"].get("value")

    def screenshot(self):
        """A picture of the whole page, PNG."""
        found = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(found["data"])

    def key(self, name, code):
        """Press a key."""
        text = {"text": "\r"} if name == "Enter" else {}
        which = {"key": name, "code": name, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", **which, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **which)
