#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an installed tree is made of, as CycloneDX 1.5: sbom.py TREE [OUTPUT]  (default: TREE/share/doc/imatch-lua/sbom.cdx.json)

Components: the program, the Debian packages whose libraries packaging/bundle_libraries.py copied, the wheels, FAISS, the weights
with their SHA-256, and the reports' JavaScript. Versions are read from what is there and from setup's pins.
"""

import hashlib
import json
import pathlib
import re
import sys
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]
LICENCES = {"vega": "BSD-3-Clause", "vega-lite": "BSD-3-Clause", "vega-embed": "BSD-3-Clause", "leaflet": "BSD-2-Clause", "three": "MIT"}


def pins():
    text = (ROOT / "setup").read_text()
    pinned = {name: re.search(rf"^{name}_version=(\S+)", text, re.M)[1] for name in ("torch", "openvino", "faiss")}
    pinned["javascript"] = re.findall(r'^ *"([\w-]+@[\d.]+) [0-9a-f]{64}"', text, re.M)
    return pinned


def version():
    return re.search(r"VERSION (\d+\.\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text())[1]


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def component(kind, name, number, licence, purl, **more):
    entry = {"type": kind, "bom-ref": purl or name, "name": name, "version": number}
    if licence:
        entry["licenses"] = [{"expression": licence}]
    if purl:
        entry["purl"] = purl
    return entry | more


def components(tree):
    pinned, share = pins(), tree / "share/imatch-lua"
    if (tree / "lib/imatch-lua/torch").exists():
        yield component("library", "torch", pinned["torch"], "BSD-3-Clause", f"pkg:pypi/torch@{pinned['torch']}")
    if (tree / "lib/imatch-lua/openvino").exists():
        yield component("library", "openvino", pinned["openvino"], "Apache-2.0", f"pkg:pypi/openvino@{pinned['openvino']}")
    yield component("library", "faiss", pinned["faiss"], "MIT", f"pkg:deb/debian/faiss@{pinned['faiss']}")
    packages = tree / "share/doc/imatch-lua/licences/packages.txt"
    for line in packages.read_text().splitlines() if packages.exists() else []:
        name, number, *files = line.split()
        yield component("library", name, number, None, f"pkg:deb/debian/{name}@{number}",
                        properties=[{"name": "files", "value": " ".join(files)}])
    for pin in pinned["javascript"]:
        name, number = pin.rsplit("@", 1)
        if list((share / "js").glob(f"{name}.min.js")) or name in LICENCES and (share / "js").exists():
            yield component("library", name, number, LICENCES.get(name), f"pkg:npm/{name}@{number}")
    for file in sorted((share / "weights").glob("*.pth")):
        yield component("machine-learning-model", file.name, "0.1.0", "Apache-2.0", None,
                        hashes=[{"alg": "SHA-256", "content": sha256(file)}])
    yield component("file", "argparse.lua", "0.7.1", "MIT", None)


def main(tree, output):
    bill = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'imatch-lua-' + sha256(tree / 'bin/imatch-lua'))}",
        "metadata": {"component": component("application", "imatch-lua", version(), "Apache-2.0", None,
                                            hashes=[{"alg": "SHA-256", "content": sha256(tree / "bin/imatch-lua")}])},
        "components": list(components(tree)),
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(bill, indent=1) + "\n")
    print(f"sbom: {len(bill['components'])} components in {output}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__.splitlines()[0])
    where = pathlib.Path(sys.argv[1])
    main(where, pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else where / "share/doc/imatch-lua/sbom.cdx.json")
