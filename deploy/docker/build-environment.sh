#!/bin/sh
# Makes the environment of an image: Penchant from the source tree of the working directory in a
# virtual environment, everything pinned, with a list of all that it holds (CycloneDX).
#
#   build-environment.sh DIRECTORY NUMPY REQUIREMENT...
#
# DIRECTORY receives venv/ and sbom.cdx.json. NUMPY is the version for the Triton that will load it:
# 1.26.4 before 2.52 (container 24.11), 2 after. REQUIREMENTs are such as '.[backend]'.
set -eu
home=$1 numpy=$2
shift 2

pins=$(mktemp)
trap 'rm -f "$pins"' EXIT
grep -v '^numpy==' constraints.txt > "$pins"
echo "numpy==$numpy" >> "$pins"

pip="python -m pip --disable-pip-version-check --no-input -q"
python3 -m venv "$home/venv"
"$home/venv/bin/"$pip install --no-cache-dir -c "$pins" "$@"

# What builds and lists packages is none of them.
tools=$(mktemp -d)
python3 -m venv "$tools"
# The compiled module; without a compiler, PyPI's is fetched into the tools.
"$tools/bin/python" -P native/build_module.py --into "$home/venv/bin/python"
"$tools/bin/"$pip install --no-cache-dir cyclonedx-bom==7.5.0
"$tools/bin/cyclonedx-py" environment --output-reproducible --of JSON -o "$home/sbom.cdx.json" \
	"$home/venv"
rm -rf "$tools"
