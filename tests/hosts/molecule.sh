#!/usr/bin/env bash
# The playbooks on fresh hosts, by molecule: bin/test hosts. Whatever happens, no host is left behind.
# Arguments go to `molecule test` (for one scenario: --scenario-name site; to look at the hosts: --destroy never).
# Without arguments all scenarios run in two lanes side by side: each has hosts of its own, and much of their time is
# spent waiting for them.
set -euo pipefail
cd "$(dirname "$0")/../.."
state=$PWD/build/molecule
lanes=() logs=()
down() {
  local lane
  for lane in "${lanes[@]}"; do
    kill -TERM -- "-$lane" 2>/dev/null || true
  done
  tests/hosts/agents/packages down "$state/agents"
  tests/hosts/hosts down --state "$state" --network "aws-finops-mcp-molecule-${MOLECULE_NET:-10.99.8}"
}
export PATH=$PWD/.venv/bin:$PATH
# What an interrupted run left, and molecule's memory of it: the scenarios start from bare hosts.
down
molecule reset --scenario-name default >/dev/null 2>&1
[[ " $* " == *" --destroy never "* || " $* " == *" --destroy=never "* ]] || trap down EXIT
if [ "$#" -gt 0 ]; then
  molecule test --no-command-borders "$@"
  exit
fi

lane() { # <scenario...>: one after the other, on hosts that are there and stay; in a process group of its own
  local scenario wanted=()
  for scenario; do wanted+=(--scenario-name "$scenario"); done
  logs+=("$state/lane-$1.log")
  # Molecule notes there what it has done: that the hosts are made, and from then on each lane its own.
  cp -r "$state/made" "$state/lane-$1"
  set -m
  MOLECULE_EPHEMERAL_DIRECTORY=$state/lane-$1 molecule test --no-command-borders --destroy never "${wanted[@]}" >"${logs[-1]}" 2>&1 &
  lanes+=("$!")
  set +m
}

MOLECULE_EPHEMERAL_DIRECTORY=$state/made molecule create --scenario-name default
lane site
lane renewal agents distribution
failed=0
for number in 0 1; do
  if wait "${lanes[number]}"; then
    grep Executed "${logs[number]}"
  else
    cat "${logs[number]}"
    failed=1
  fi
done
lanes=()
[ "$failed" = 0 ] || exit 1
# The commands of the document that the tests of all scenarios took from it and ran: none may be left.
EFFECTS="{\"state\": \"$state\"}" .venv/bin/python -m pytest -q --noconftest tests/hosts/document.py
