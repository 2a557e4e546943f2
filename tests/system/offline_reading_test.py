#!/usr/bin/env python3
"""Commands over log and store without a server: exit 0 means complete, nothing is ever written, and what is behind is counted."""
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time

from helios_process import (
    Failure,
    Server,
    TemporaryDirectory,
    binary,
    check,
    environment,
    line,
    run,
)

ORDERS = 6_000
BATCH = 400


def send(server, first, count):
    connection = server.connection()
    for at in range(first, first + count, BATCH):
        legs = [
            leg
            for n in range(at, min(at + BATCH, first + count))
            for leg in (
                line(
                    "aws",
                    "OrderPlaced",
                    f"o-{n}",
                    orderId=f"S-{n}",
                    customerId="C",
                    totalAmount="2.00",
                    currency="EUR",
                ),
                line(
                    "gcp",
                    "PaymentProcessed",
                    f"p-{n}",
                    orderId=f"S-{n}",
                    paymentId=f"P-{n}",
                    amount="2.00",
                    currency="EUR",
                    status="CAPTURED",
                ),
                line(
                    "azure",
                    "InventoryReserved",
                    f"i-{n}",
                    orderId=f"S-{n}",
                    reservationId=f"R-{n}",
                    items=[],
                ),
            )
        ]
        connection.request(
            "POST",
            "/api/v1/events/batch",
            body=json.dumps(legs),
            headers={"Content-Type": "application/json"},
        )
        response = connection.getresponse()
        answer = json.loads(response.read())
        check(
            response.status == 200 and answer["accepted"] == len(legs),
            f"{response.status} {answer}"[:300],
        )
    connection.close()


@contextlib.contextmanager
def locked_store(data):
    """Another process's lock: what is sent meanwhile is in the log, and can't be in the store."""
    other = sqlite3.connect(data + "/store/current.db", isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        other.close()


def kill_while_a_write_ahead_log_is_there(server, seconds=60):
    """Looks at the file while every thread stands: between a look and a kill the store may empty it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        server.stand_still()
        if os.path.getsize(server.data + "/store/current.db-wal") > 0:
            server.kill()
            return
        server.process.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    raise Failure(f"the store wrote nothing within {seconds} s: {server.errors()}")


def everything(directory):
    """Each file's bytes and time of change, by name."""
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, directory)] = (file.read(), os.stat(path).st_mtime_ns)
    return found


def matched_of(dump):
    return sum(1 for text in dump.splitlines() if json.loads(text)["status"] == "matched")


def after_a_clean_stop(data):
    """Stopped right behind the last acknowledgement: what was accepted is judged and in the store."""
    with Server(data) as server:
        send(server, 0, ORDERS)
        # A backlog that a slow build (ThreadSanitizer) can't work off in time is not the matter here.
        check(server.terminate(60) == 0, "SIGTERM ends with 0")
    before = everything(data)
    code, out, err = run("store", "dump", "--verdicts", "--data", data)
    check(
        code == 0 and matched_of(out) == ORDERS,
        f"store dump after a clean stop: exit {code}, {matched_of(out)} of {ORDERS} matched; {err}",
    )
    check(run("store", "dump", "--data", data)[0] == 0, "store dump of every table")
    code, out, err = run("log", "export", "--data", data)
    check(code == 0 and out.count('"eventType"') == 3 * ORDERS, f"log export: exit {code}; {err}")
    code, out, err = run("log", "ls", "--data", data)
    check(
        code == 0 and "route 0, engine 0, store 0" in out,
        f"log ls says how far the stages are: {out[-300:]}",
    )
    check(everything(data) == before, "reading changed the directory")


def after_a_kill(data):
    """Behind: counted and refused; with the server back, --wait gets it whole."""
    with Server(data) as server:
        with locked_store(data):
            send(server, ORDERS, ORDERS)
            server.kill()
    before = everything(data)
    code, out, err = run("store", "dump", "--data", data)
    check(
        code == 1 and out == "",
        f"store dump of what is behind: exit {code}, {len(out)} bytes; {err}",
    )
    found = re.search(r"route is ([\d,]+) records behind, engine ([\d,]+), store ([\d,]+)", err)
    check(
        found and sum(int(n.replace(",", "")) for n in found.groups()) > 0, f"it is counted: {err}"
    )
    check("helios serve" in err, f"what to do: {err}")
    code, out, err = run("store", "dump", "--partial", "--data", data)
    check(code == 1 and out and "records behind" in err, f"--partial: exit {code}; {err}")
    code, out, err = run("store", "dump", "--wait", "--data", data)
    check(code == 2 and "no server runs" in err, f"--wait without a server: exit {code}; {err}")
    check(everything(data) == before, "reading changed the directory")
    with Server(data, wait_ready=False) as server:
        code, out, err = run("store", "dump", "--verdicts", "--wait", "--data", data, timeout=180)
        check(
            code == 0 and matched_of(out) == 2 * ORDERS,
            f"--wait beside a server: exit {code}, {matched_of(out)} of {2 * ORDERS}; {err}",
        )
        check(server.terminate() == 0, "SIGTERM ends with 0")


def as_another_user(data, copy):
    """A copy that nobody may write to, once as a stop left it and once with a write-ahead log, as a kill does."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data, copy)
    for folder, _, names in os.walk(copy):
        for name in names:
            os.chmod(os.path.join(folder, name), stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        os.chmod(
            folder,
            stat.S_IRUSR | stat.S_IXUSR | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH,
        )
    before = everything(copy)
    program = shutil.copy(
        binary(), os.path.dirname(copy)
    )  # the checkout may be one that this user can't look into
    demoted = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    for arguments in (
        ("store", "dump", "--partial"),
        ("store", "dump", "--verdicts", "--partial"),
        ("log", "export"),
        ("log", "ls"),
    ):
        done = subprocess.run(
            [program, *arguments, "--data", copy],
            capture_output=True,
            timeout=120,
            env=environment(),
            cwd="/",
            **demoted,
        )
        err = done.stderr.decode()
        check(
            done.returncode in (0, 1) and done.stdout,
            f"{arguments} of a read-only copy: exit {done.returncode}; {err}",
        )
        check("SELECT" not in err and "PRAGMA" not in err, f"no SQL for people: {err}")
    check(everything(copy) == before, "reading changed the read-only copy")
    for folder, _, _ in os.walk(copy):
        os.chmod(folder, 0o755)


def main():
    with TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        data = directory + "/data"
        after_a_clean_stop(data)
        as_another_user(data, directory + "/copy")
        after_a_kill(data)
        with Server(data) as server:
            send(server, 2 * ORDERS, BATCH)
            kill_while_a_write_ahead_log_is_there(server)
        as_another_user(data, directory + "/copy")
        code, out, err = run("store", "rebuild", "--data", data)
        behind = re.search(r"route is ([\d,]+) records behind, engine ([\d,]+)", err)
        check(
            code == (1 if behind else 0),
            f"store rebuild says whether the log is judged to its end: exit {code}; {out} {err}",
        )
    print(f"{ORDERS} orders, a clean stop and two kills: complete or counted, and nothing written")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
