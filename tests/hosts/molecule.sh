#!/usr/bin/env bash
# The playbooks on fresh hosts, by molecule: bin/test hosts. Whatever happens, no host is left behind.
# Arguments go to `molecule test` (for one scenario: --scenario-name site; to look at the hosts: --destroy never).
set -euo pipefail
cd "$(dirname "$0")/../.."
down() {
  tests/hosts/agents/packages down "$PWD/build/molecule/agents"
  tests/hosts/hosts down --state "$PWD/build/molecule" --network "aws-finops-mcp-molecule-${MOLECULE_NET:-10.99.8}"
}
export PATH=$PWD/.venv/bin:$PATH
# What an interrupted run left, and molecule's memory of it: the scenarios start from bare hosts.
down
molecule reset --scenario-name default >/dev/null 2>&1
[[ " $* " == *" --destroy never "* || " $* " == *" --destroy=never "* ]] || trap down EXIT
[ "$#" -gt 0 ] || set -- --all
molecule test --no-command-borders "$@"
