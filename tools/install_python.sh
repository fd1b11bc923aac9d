#!/usr/bin/env bash
# Puts the built Python package into a virtual environment, without compiling: tools/install_python.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")/.."

site=$("$1" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
rm -rf "$site/gradatim"  # so that a module that was renamed does not linger
cmake --install build --component python --prefix "$site" >/dev/null
echo "gradatim is in $(realpath --relative-to=. "$site")"
