#!/usr/bin/env python3
"""Every page in a real browser (Debian's chromium, driven by its DevTools protocol): it shows what it is for, asks no other
host, and logs no error."""
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import unittest
import urllib.parse
import urllib.request

from helios_process import SKIP, Server, TemporaryDirectory, binary

try:
    import websockets
except ImportError:
    debian = (
        "/usr/bin/python3"  # the package is Debian's, the interpreter found first may be another
    )
    if (
        os.path.realpath(sys.executable) != os.path.realpath(debian)
        and subprocess.run(
            [debian, "-c", "import websockets"], stderr=subprocess.DEVNULL, check=False
        ).returncode
        == 0
    ):
        os.execv(debian, [debian, *sys.argv])
    print("skipped: there is no Python module `websockets`; apt-get install python3-websockets")
    sys.exit(SKIP)

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
PATIENCE = 60  # seconds, until a page shows what it is for

# Path → what is there once the page is.
PAGES = {
    "/": "h1",
    "/docs": ".opblock",
    "/docs/": ".opblock",
    "/redoc": "[data-section-id]",
    "/redoc/": "[data-section-id]",
}


class Browser:
    """One headless chromium; ends with the test, by its own process id."""

    def __init__(self, profile):
        self.process = subprocess.Popen(
            [
                CHROMIUM,
                "--headless=new",
                "--no-sandbox",  # as root it has none
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--no-proxy-server",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = None
        self.said = []
        told = threading.Event()

        def listen():
            for text in self.process.stderr:
                self.said.append(text)
                found = re.search(r"DevTools listening on ws://127\.0\.0\.1:(\d+)/", text)
                if found:
                    self.port = int(found.group(1))
                    told.set()
            told.set()

        threading.Thread(target=listen, daemon=True).start()
        told.wait(PATIENCE)
        if self.port is None:
            self.end()
            raise AssertionError(f"chromium does not start: {self.said[-5:]}")

    def page(self):
        """The address of its first tab."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/json/list", timeout=20) as told:
            return next(
                tab["webSocketDebuggerUrl"] for tab in json.load(told) if tab["type"] == "page"
            )

    def end(self):
        self.process.kill()
        self.process.wait()


class Visit:
    """What a page asked for and complained of."""

    def __init__(self):
        self.asked, self.wrong = [], []

    def take(self, event):
        what, of = event.get("method"), event.get("params", {})
        if what == "Network.requestWillBeSent":
            self.asked.append(of["request"]["url"])
        elif what == "Network.responseReceived" and of["response"]["status"] >= 400:
            self.wrong.append(f"{of['response']['status']} {of['response']['url']}")
        elif what == "Network.loadingFailed":
            self.wrong.append(f"failed: {of.get('errorText')} {of.get('blockedReason', '')}")
        elif what == "Runtime.exceptionThrown":
            self.wrong.append(json.dumps(of["exceptionDetails"])[:500])
        elif what == "Runtime.consoleAPICalled" and of["type"] in ("error", "assert"):
            self.wrong.append(json.dumps(of["args"])[:500])
        elif what == "Log.entryAdded" and of["entry"]["level"] == "error":
            self.wrong.append(f"{of['entry']['text']} {of['entry'].get('url', '')}")


async def visit(address, url, selector):
    seen = Visit()
    async with websockets.connect(address, max_size=None) as tab:
        last = 0

        async def call(method, **params):
            nonlocal last
            last += 1
            mine = last
            await tab.send(json.dumps({"id": mine, "method": method, "params": params}))
            while True:
                message = json.loads(await asyncio.wait_for(tab.recv(), PATIENCE))
                if message.get("id") == mine:
                    return message.get("result", {})
                seen.take(message)

        for domain in ("Network", "Runtime", "Log", "Page"):
            await call(domain + ".enable")
        await call("Network.setCacheDisabled", cacheDisabled=True)
        await call("Page.navigate", url=url)
        shows = f"document.readyState === 'complete' && !!document.querySelector({json.dumps(selector)})"
        for _ in range(PATIENCE * 5):
            there = await call("Runtime.evaluate", expression=shows)
            if there.get("result", {}).get("value") is True:
                break
            await asyncio.sleep(0.2)
        else:
            seen.wrong.append(f"never shows {selector}")
        for _ in range(5):  # what comes late: images, workers
            await asyncio.sleep(0.2)
            await call("Runtime.evaluate", expression="1")
    return seen


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = TemporaryDirectory()
        cls.server = Server(cls.directory.path + "/data")
        cls.browser = Browser(cls.directory.path + "/profile")

    @classmethod
    def tearDownClass(cls):
        cls.browser.end()
        cls.server.kill()
        cls.directory.__exit__()

    def test_each_is_shown_without_an_error_and_asks_no_other_host(self):
        home = f"http://{self.server.host}:{self.server.port}"
        for path, selector in PAGES.items():
            if self.server.get("/docs").status == 503 and path != "/":
                print(f"{path}: not looked at, this build is without its files (./dev setup)")
                continue
            with self.subTest(path=path):
                seen = asyncio.run(visit(self.browser.page(), home + path, selector))
                self.assertEqual(seen.wrong, [])
                self.assertIn(home + path, seen.asked)
                for url in seen.asked:
                    parts = urllib.parse.urlsplit(url)
                    self.assertTrue(
                        url.startswith(home + "/") or parts.scheme in ("data", "blob"), url
                    )

    def test_what_a_browser_asks_for_by_itself_is_there(self):
        icon = self.server.get("/favicon.ico")
        self.assertEqual(icon.status, 200)
        self.assertEqual(icon.headers["content-type"], "image/x-icon")


if __name__ == "__main__":
    binary()
    if CHROMIUM is None:
        print("skipped: there is no chromium; apt-get install chromium")
        sys.exit(SKIP)
    unittest.main(argv=sys.argv[:1], verbosity=2, warnings="ignore")
