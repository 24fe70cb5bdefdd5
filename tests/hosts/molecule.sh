#!/usr/bin/env bash
# The playbooks on fresh hosts, by molecule: bin/test hosts. Whatever happens, no host is left behind.
# Arguments go to `molecule test` (for one scenario: --scenario-name site; to look at the hosts: --destroy never).
# Without arguments all scenarios run in three lanes side by side: each has hosts of its own, and much of their time is
# spent waiting for them. How long each phase and the longest tests took is said in the end.
set -euo pipefail
cd "$(dirname "$0")/../.."
state=$PWD/build/molecule
network=aws-finops-mcp-molecule-${MOLECULE_NET:-10.99.8}
lanes=() logs=()
down() {
  local lane
  for lane in "${lanes[@]}"; do
    kill -TERM -- "-$lane" 2>/dev/null || true
  done
  tests/hosts/agents/packages down "$state/agents"
  tests/hosts/hosts down --state "$state" --network "$network"
}
finish() { # what the hosts saw of a failure is gone with them
  [ "$?" = 0 ] || tests/hosts/hosts journal --state "$state" --network "$network"
  down
}
export PATH=$PWD/.venv/bin:$PATH
# What an interrupted run left, and molecule's memory of it: the scenarios start from bare hosts.
down
molecule reset --scenario-name default >/dev/null 2>&1

shopt -s extglob # for `timed`: the codes of colours
timed() { # <log>: says what comes in and keeps it in the log, and in <log>.times the seconds of each phase
  local line plain began=$SECONDS
  while IFS= read -r line; do
    printf '%s\n' "$line"
    plain=${line//$'\e['*([0-9;])m/}
    printf '%s\n' "$plain" >>"$1"
    case $plain in
    INFO*➜*": Executing") began=$SECONDS ;;
    INFO*➜*": Executed"*) awk -v took="$((SECONDS - began))" '{ printf "%5d s  %s %s\n", took, $2, $4 }' <<<"$plain" >>"$1.times" ;;
    esac
  done
}

show_times() { # <log>
  sed 's/:$//' "$1.times"
  awk '{ sum[$3] += $1 } END { for (name in sum) printf "%5d s  %s\n", sum[name], name }' "$1.times"
  grep -oE '[0-9]+ passed.* in .*s|[0-9.]+s (call|setup) +tests/.*' "$1" || true
}

[[ " $* " == *" --destroy never "* || " $* " == *" --destroy=never "* ]] || trap finish EXIT
mkdir -p "$state"
if [ "$#" -gt 0 ]; then
  molecule test --no-command-borders "$@" 2>&1 | timed "$state/one.log"
  show_times "$state/one.log"
  exit
fi

lane() { # <scenario...>: one after the other, on hosts that are there and stay; in a process group of its own
  local scenario wanted=()
  for scenario; do wanted+=(--scenario-name "$scenario"); done
  logs+=("$state/lane-$1.log")
  # Molecule notes there what it has done: that the hosts are made, and from then on each lane its own.
  cp -r "$state/made" "$state/lane-$1"
  set -m
  (MOLECULE_EPHEMERAL_DIRECTORY=$state/lane-$1 molecule test --no-command-borders --destroy never "${wanted[@]}" 2>&1 |
    timed "${logs[-1]}" >/dev/null) &
  lanes+=("$!")
  set +m
}

MOLECULE_EPHEMERAL_DIRECTORY=$state/made molecule create --scenario-name default 2>&1 | timed "$state/made.log"
show_times "$state/made.log"
lane site
lane renewal
lane agents distribution
failed=0
for number in "${!lanes[@]}"; do
  if wait "${lanes[number]}"; then
    show_times "${logs[number]}"
  else
    cat "${logs[number]}"
    failed=1
  fi
done
lanes=()
[ "$failed" = 0 ] || exit 1
# The commands of the document that the tests of all scenarios took from it and ran: none may be left.
EFFECTS="{\"state\": \"$state\"}" .venv/bin/python -m pytest -q --noconftest tests/hosts/document.py
