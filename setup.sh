#!/usr/bin/env bash
# What `make` needs on a fresh machine: the virtual environment, the pinned packages, a browser for the tests.
set -euo pipefail
cd "$(dirname "$0")"
venv=.venv

root() { [ "$(id -u)" = 0 ]; }
give_up() { echo "$1" >&2; exit 1; }

case "${1:-}" in
venv)
  python=${PYTHON:-python3}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || give_up "Leeward needs Python 3.11 or newer."
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    root || give_up "Type this once, then again what you typed: sudo apt-get install -y python3-venv"
    apt-get update -qq && apt-get install -y -qq python3-venv
  fi
  echo "Making $venv …" >&2
  "$python" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/setup.txt ||
    echo "uv could not be installed; pip does its work, more slowly." >&2
  touch "$venv/.setup"
  ;;
packages)
  echo "Installing what requirements/$2.txt pins …" >&2
  if [ -x "$venv/bin/uv" ]; then
    "$venv/bin/uv" pip install --quiet --compile-bytecode --require-hashes -r "requirements/$2.txt" --python "$venv/bin/python"
  else
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$2.txt"
  fi
  touch "$venv/.$2"
  if [ "$2" = dev ]; then touch "$venv/.base"; fi
  ;;
browser)
  for name in chromium chromium-browser google-chrome; do command -v "$name" >/dev/null && exit 0; done
  ls "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium*/ >/dev/null 2>&1 && exit 0
  if root && command -v apt-get >/dev/null; then
    echo "Installing Chromium …" >&2
    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null && exit 0
  fi
  "$venv/bin/python" -m playwright install chromium >/dev/null 2>&1 && exit 0
  give_up "The browser tests need Chromium. Type this once: sudo apt-get install -y chromium"
  ;;
*)
  give_up "usage: setup.sh venv | packages base|dev | browser"
  ;;
esac
