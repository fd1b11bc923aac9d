#!/usr/bin/env bash
# Runs every check of `make lint`, all of them even if one fails; changes nothing.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=()
check() { "$@" || failed+=("$1 ${2:-}"); }
cpp_format() {
  git ls-files -z -co --exclude-standard '*.cc' '*.h' |
    xargs -0 -r .venv/bin/clang-format --dry-run -Werror && echo "clang-format: in style"
}

check .venv/bin/python tools/check_layers.py
check .venv/bin/python tools/check_size.py
check .venv/bin/python tools/check_todos.py
check cpp_format
check .venv/bin/ruff check .
check .venv/bin/ruff format --check .
check .venv/bin/mypy

[[ ${#failed[@]} -eq 0 ]] && exit 0
echo "lint: failed: $(IFS=,; echo "${failed[*]}"); \`make format\` mends what is only format" >&2
exit 1
