# shellcheck shell=bash
# What bin/demo and bin/test share. Source it from the project's root, with `set -euo pipefail` in force.

say() { printf '\033[1m%s\033[0m\n' "$*"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# step <name> <command...>: runs a command, saying how long it took and, when it fails, which it was.
step() {
  local name=$1 started=$SECONDS
  shift
  printf '== %s\n' "$name"
  "$@" || {
    local code=$?
    printf '== %s FAILED after %ss (exit %s): %s\n' "$name" "$((SECONDS - started))" "$code" "$*" >&2
    exit "$code"
  }
  printf '== %s: %ss\n' "$name" "$((SECONDS - started))"
}

require_root() { # <what needs it> [what to do instead]
  [ "$(id -u)" -eq 0 ] || die "$1 needs root: it starts systemd containers${2:+. $2}"
}

# packages_for <lint|unit|clients|npm|hosts>: the Debian packages of a part, installed when they are missing.
packages_for() {
  local wanted=() missing=() package
  case $1 in
    lint) wanted=(shellcheck git) ;;
    unit) wanted=(apache2-utils gpg nginx secilc) ;;
    clients) wanted=(curl nginx) ;;
    npm) command -v npm >/dev/null || wanted=(nodejs npm) ;; # any Node will do to install the one that is pinned
    hosts) wanted=(podman runc netavark iptables mmdebstrap gpg debian-archive-keyring openssh-client openssl pebble curl iproute2) ;;
    *) die "packages_for: no list is called '$1'" ;;
  esac
  for package in "${wanted[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "this needs ${missing[*]}, and only Debian and Ubuntu are known here: install them"
  [ "$(id -u)" -eq 0 ] || die "missing packages: run as root: apt-get install ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# python: the newest Python that the project supports, of those on the PATH.
supported_python() {
  local name
  for name in python3.13 python3.12 python3.11 python3; do
    if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  return 1
}

# make_venv: .venv with everything in requirements/dev.txt, as it is locked; quick when nothing changed.
make_venv() {
  local stamp=.venv/lock.sha256 python wanted
  wanted=$(cat requirements/dev.txt pyproject.toml | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || return 0
  if ! python=$(supported_python); then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
      die "Python 3.11, 3.12 or 3.13 with its venv module is needed"
    fi
    say "installing Debian packages: python3-venv"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    python=$(supported_python) || die "Python 3.11, 3.12 or 3.13 is needed; here is $(python3 --version 2>&1)"
  fi
  say "making .venv from requirements/dev.txt with $python"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  printf '%s\n' "$wanted" >"$stamp"
}
