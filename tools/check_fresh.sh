#!/usr/bin/env bash
# Runs the README's two commands, on a clone of HEAD, in a bare Debian 12 that holds only git, python3,
# g++ and make; prints minutes and megabytes. Needs root and about 6 GB under build/.
#
#   [SUITE=trixie] tools/check_fresh.sh [--keep]     --keep leaves the tree in build/fresh for a look
#
# Mirror, proxy, certificates and package index are this machine's own (apt's and pip's settings).
# Every mount lives in a private namespace, so none outlives the command that made it.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=${SUITE:-bookworm}
base=build/fresh-$suite.tar  # remove it to start from a new one
tree=$PWD/build/fresh
log=build/fresh.log
demo_limit=900 again_limit=120  # seconds

fail() { echo "check-fresh: $*" >&2; exit 1; }
[[ $(id -u) -eq 0 ]] || fail "needs root (chroot): sudo make check-fresh"
command -v debootstrap >/dev/null || apt-get install -q -y --no-install-recommends debootstrap

remove_tree() {
  ! grep -q " $tree/" /proc/self/mountinfo || fail "something is mounted in $tree: umount it first"
  rm -rf --one-file-system "$tree"
}

# apt's own sources for this suite, one line each; empty on another distribution.
sources() {
  apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
    'Origin: Debian' 2>/dev/null | grep -E " $suite(-updates|-security)? main$" | sort -u || true
}

make_base() {
  local mirror
  mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' 'Origin: Debian' \
    2>/dev/null | awk '$2 !~ /-/ {print $1; exit}' || true)
  echo "== making $base (once)"
  debootstrap --variant=minbase --include=git,python3,g++,make,ca-certificates $suite "$tree" $mirror
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*
  tar -C "$tree" -cf $base.part .
  mv $base.part $base
  remove_tree
}

# The way to the network: nothing else of this machine gets in.
copy_settings() {
  local lines file
  lines=$(sources)
  [[ -z $lines ]] || echo "$lines" >"$tree/etc/apt/sources.list"
  for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
    if [[ -f $file ]] && grep -q '^ *Acquire' "$file"; then cp "$file" "$tree/etc/apt/apt.conf.d/"; fi
  done
  for file in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
    [[ ! -e $file ]] || cp -L --remove-destination "$file" "$tree$file"
  done
  cp -rL /usr/local/share/ca-certificates "$tree/usr/local/share/" 2>/dev/null || true
  { echo "[global]"
    python3 -m pip config list 2>/dev/null | grep -v file: | tr -d "'" |
      sed -nE 's/^.*\.(index-url|extra-index-url|trusted-host|proxy|cert|(default-)?timeout)=/\1 = /p' |
      sort -u -t= -k1,1; } >"$tree/etc/pip.conf"
}

inside() {
  local name settings=(HOME=/home LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin)
  for name in {http,https,ftp,no,all}_proxy {HTTP,HTTPS,FTP,NO,ALL}_PROXY; do
    [[ -z ${!name:-} ]] || settings+=("$name=${!name}")
  done
  unshare --mount --pid --fork --kill-child bash -euc '
    tree=$1; shift
    mount -t proc proc "$tree/proc"
    mkdir -p "$tree/dev/shm"
    mount -t tmpfs -o mode=1777 tmpfs "$tree/dev/shm"
    mkdir -p "$tree/dev/pts"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$tree/dev/pts"
    ln -sf pts/ptmx "$tree/dev/ptmx"
    exec chroot "$tree" env -i "$@"' - "$tree" "${settings[@]}" \
    sh -c 'cd /home/gradatim && exec "$@"' - "$@" </dev/null
}

received() { awk -F '[: ]+' '/:/ && $2 != "lo" {sum += $3} END {printf "%.0f", sum}' <(sed 's/^ */ /' /proc/net/dev); }

# Megabytes that apt-get and pip say they fetched.
fetched() {
  tr -d , <"$1" | awk '
    function mega(n, unit) { return n * (unit == "GB" ? 1e3 : unit == "MB" ? 1 : unit == "kB" ? 1e-3 : 1e-6) }
    $1 == "Fetched" {sum += mega($2, $3)}
    $1 == "Downloading" && match($0, /\([0-9.]+ ([kMG]?B|bytes)\)/) {
      split(substr($0, RSTART + 1), part, /[ )]/); sum += mega(part[1], part[2]) }
    END {printf "%.0f", sum}'
}

report=''
run() {  # run LIMIT COMMAND...: in the tree, timed
  local limit=$1 start=$SECONDS before seconds verdict='' status=0
  shift
  before=$(received)
  echo "== $*"
  inside "$@" 2>&1 | tee $log.part || status=$?
  cat $log.part >>$log
  seconds=$((SECONDS - start))
  [[ $seconds -le $limit ]] || { verdict="over $((limit / 60)) minutes"; status=1; }
  [[ $status -eq 0 || -n $verdict ]] || verdict="failed: $status"
  report+=$(printf '%-12s %4d:%02d %12s MB %12d MB  %s' "$*" $((seconds / 60)) $((seconds % 60)) \
    "$(fetched $log.part)" $((($(received) - before) / 1000000)) "$verdict")$'\n'
  return $status
}

finish() {
  rm -f $log.part
  [[ -z $report ]] || printf '\n%-12s %7s %15s %15s\n%s\nThe last column is what the network card received, for all of this machine. Log: %s\n' \
    command min:sec "apt and pip" "in all" "$report" $log
  if [[ ${keep:-} == --keep ]]; then echo "The tree is in $tree"; else remove_tree; fi
}

keep=${1:-}
mkdir -p build
: >$log
remove_tree
[[ -n $(sources) ]] || apt-get -q update || true  # without lists, apt does not know its sources
[[ -f $base ]] || make_base
mkdir -p "$tree"
trap finish EXIT
tar -C "$tree" -xf $base
copy_settings
[[ -z $(git status --porcelain) ]] || echo "check-fresh: uncommitted changes are not in the clone"
git clone -q --no-hardlinks . "$tree/home/gradatim"
echo "== $(git log -1 --format='%h %s'), in a bare $suite of $(du -sm "$tree" | cut -f1) MB"

run $demo_limit make demo
run 3600 make test
run $again_limit make demo
