#!/usr/bin/env python3
"""Fetches the pages' third-party files named in tools/web/packages.json into .deps/web.

npm brings each package's tarball (never its dependencies, never its scripts); a tarball whose sha512 differs from the
committed one is refused. `replace` has patterns of what must not stay in a file, such as the address of another host. What the build
embeds is <package>/<file>, and beside it <file>.gz and <file>.br; `stamp` says which list is unpacked.

Usage: web_assets.py [--check]
  --check     exit 0 if everything is already here, 1 if a fetch is needed
Exit status of a fetch: 0 done or nothing to do, 1 npm is missing or could not bring a package, 2 a tarball, or a file in it, is
not what the list says.
"""
import base64
import gzip
import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
LIST = ROOT / "tools" / "web" / "packages.json"
INTO = ROOT / ".deps" / "web"


def integrity(data):
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def complete(packages, stamp):
    have = INTO / "stamp"
    if not have.is_file() or have.read_text() != stamp:
        return False
    return all((INTO / p["name"] / name).is_file() for p in packages for name in p["files"])


def pack(package, folder):
    """The tarball's bytes as npm brings them, or None with the reason printed."""
    command = [
        "npm",
        "pack",
        f"{package['name']}@{package['version']}",
        "--ignore-scripts",
        "--loglevel=error",
        "--pack-destination",
        folder,
        "--fetch-retries=2",
        "--fetch-retry-mintimeout=1000",
        "--fetch-retry-maxtimeout=5000",
        "--fetch-timeout=60000",
    ]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        print(f"  npm pack {package['name']}: no answer within 300 s")
        return None
    name = pathlib.Path(folder) / f"{package['name']}-{package['version']}.tgz"
    if done.returncode != 0 or not name.is_file():
        print(
            f"  npm pack {package['name']}@{package['version']} failed (exit {done.returncode}): {(done.stderr or done.stdout).strip()[:300]}"
        )
        return None
    return name.read_bytes()


def unpack(package, data, into):
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
        for name in package["files"]:
            target = into / package["name"] / name
            target.parent.mkdir(parents=True, exist_ok=True)
            data = tar.extractfile(f"package/{name}").read()
            for old, new in package.get("replace", {}).get(name, {}).items():
                data, count = re.subn(old.encode(), lambda _, new=new: new.encode(), data)
                if count != 1:
                    raise ValueError(f"{name} has {old} {count} times, not once")
            target.write_bytes(data)
            compress(target, data)


def compress(target, data):
    """Beside the file; gzip by Python, br by the node that npm brings."""
    target.with_name(target.name + ".gz").write_bytes(gzip.compress(data, 9, mtime=0))
    brotli = "process.stdout.write(zlib.brotliCompressSync(fs.readFileSync(0)))"
    done = subprocess.run(["node", "-e", brotli], input=data, capture_output=True, check=False)
    if done.returncode == 0:
        target.with_name(target.name + ".br").write_bytes(done.stdout)


def fetch(packages, stamp):
    if not shutil.which("npm"):
        print("  npm is not installed")
        return 1
    INTO.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=INTO.parent) as folder:
        fresh = pathlib.Path(folder) / "web"
        for package in packages:
            data = pack(package, folder)
            if data is None:
                return 1
            if integrity(data) != package["integrity"]:
                print(
                    f"  {package['name']}@{package['version']}: sha512 differs from tools/web/packages.json; refused"
                )
                return 2
            try:
                unpack(package, data, fresh)
            except ValueError as wrong:
                print(f"  {package['name']}@{package['version']}: {wrong}")
                return 2
        (fresh / "stamp").write_text(stamp)
        shutil.rmtree(INTO, ignore_errors=True)
        fresh.rename(INTO)
    return 0


def main(arguments):
    text = LIST.read_bytes()
    packages, stamp = json.loads(text), integrity(text) + "\n"
    if complete(packages, stamp):
        return 0
    return 1 if "--check" in arguments else fetch(packages, stamp)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
