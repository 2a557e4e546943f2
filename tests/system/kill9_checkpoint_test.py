#!/usr/bin/env python3
"""kill -9 after each step of a checkpoint: what the server tells afterwards is what one tells that never was killed.

Each life begins in a copy of the same data directory, takes in the same events, and ends after the next of the calls by which a
checkpoint changes files (stop_at_call.cpp, preloaded, counts them). The server after it takes in what is left, and its verdicts
are compared with those of a server that was not killed.
"""
import http.client
import os
import shutil
import sys
import time

from helios_process import (
    SKIP,
    Failure,
    Server,
    TemporaryDirectory,
    check,
    environment,
    matching_legs,
    run,
)

STEPS_MAX = 120


def legs(name):
    return matching_legs(f"CHECKPOINT-{name}", name, "12.50", "C-1")


def settings(**more):
    return environment(
        HELIOS_LOG_PARTITIONS="1", HELIOS_RECONCILE_CHECKPOINT_INTERVAL="300ms", **more
    )


def send(server, events):
    for event in events:
        answer = server.ingest(event)
        check(answer.status in (200, 202), f"{event['id']}: {answer}")


def check_matched(server, names):
    for name in names:
        for _ in range(200):
            answer = server.verdict(f"CHECKPOINT-{name}")
            if answer.status == 200 and answer.json()["status"] == "matched":
                break
            time.sleep(0.02)
        check(
            answer.status == 200 and answer.json()["status"] == "matched",
            f"CHECKPOINT-{name}: {answer}",
        )


def wait_for_kill(server, seconds):
    """Whether it came."""
    until = time.monotonic() + seconds
    while server.process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    return server.process.poll() is not None


EVENTS = legs("whole") + legs("begun")[:2]
LEFT = legs("begun")[2:] + legs("later")
NAMES = [f"before-{n}" for n in range(4)] + ["whole", "begun", "later"]


def settled(data):
    code, out, err = run("store", "dump", "--settled", "--data", data)
    check(code == 0 and out, f"store dump: {code} {err}")
    return out


def make_base(data):
    """With two checkpoints, of which the next one sets the older aside."""
    for n in range(4):
        with Server(data, env=settings()) as server:
            send(server, legs(f"before-{n}"))
            check_matched(server, [f"before-{n}"])
            check(server.terminate() == 0, "SIGTERM ends with 0")
    standing = [name for name in os.listdir(f"{data}/state/engine/0") if name.isdigit()]
    check(len(standing) == 2, f"checkpoints: {standing}")


def live(data, counter, step):
    """A life, and the step after which it ended; empty: a checkpoint has fewer, and it did not end."""
    with Server(data, env=settings(LD_PRELOAD=counter, STOP_AT_CALL=str(step))) as server:
        try:
            send(server, EVENTS)
        except (OSError, http.client.HTTPException):
            pass  # killed while we were talking; what was not taken is sent again
        if not wait_for_kill(server, 5):
            return ""
        check(server.process.returncode == -9, f"it ended with {server.process.returncode}")
        return server.errors().rstrip().rsplit("\n", 1)[-1]


def finish(data):
    """The verdicts, once everything is there."""
    with Server(data, env=settings()) as server:
        send(server, EVENTS + LEFT)
        check_matched(server, NAMES)
        check(server.terminate() == 0, "SIGTERM ends with 0")
    return settled(data)


def main():
    counter = os.path.abspath(sys.argv[1])
    if run("version", env=environment(LD_PRELOAD=counter))[0] != 0:
        print("skipped: nothing can be preloaded into this binary; a sanitizer has to come first")
        sys.exit(SKIP)
    began = time.monotonic()
    steps = []
    with TemporaryDirectory() as directory:
        base = directory + "/base"
        make_base(base)
        shutil.copytree(base, directory + "/unharmed")
        expected = finish(directory + "/unharmed")
        for step in range(1, STEPS_MAX):
            data = f"{directory}/{step}"
            shutil.copytree(base, data)
            ended = live(data, counter, step)
            if not ended:
                break
            check(ended.startswith("stopped after "), f"at step {step}: {ended}")
            steps.append(ended.removeprefix("stopped after ").replace(data, ""))
            check(finish(data) == expected, f"after {steps[-1]} it tells other verdicts")
            shutil.rmtree(data)
        print("\n".join(steps), flush=True)
        check(len(steps) < STEPS_MAX - 1, f"a checkpoint has more than {STEPS_MAX} steps")
        for kind in ("create", "link", "fdatasync", "fsync", "rename", "unlink", "unlinkat"):
            check(any(step.startswith(kind) for step in steps), f"no {kind} among {steps}")
    print(f"{len(steps)} steps, {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED: {failure}")
        sys.exit(1)
